/** Where everything is in a data directory, and what the directory itself must be. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { QueueError } from "../../job/errors.ts";
import { guard } from "./durable.ts";

export interface Layout {
  readonly root: string;
  readonly queue: string;
  readonly dlq: string;
  readonly config: string;
  readonly logs: string;
  readonly workers: string;
  /** The lock of writers. Apart from the files it guards, so that taking it wakes nobody who watches those. */
  readonly lock: string;
  readonly quarantine: string;
  journal(generation: number): string;
}

export function layoutOf(root: string): Layout {
  return {
    root,
    queue: join(root, "queue.json"),
    dlq: join(root, "dlq.json"),
    config: join(root, "config.json"),
    logs: join(root, "logs"),
    workers: join(root, "workers"),
    lock: join(root, "workers", "writer.lock"),
    quarantine: join(root, "quarantine"),
    journal: (generation) => join(root, `journal.${generation}.jsonl`),
  };
}

/** The generation of a journal's file name; undefined for any other file. */
export function journalGeneration(name: string): number | undefined {
  const [journal, digits, ending, ...more] = name.split(".");
  const generation = Number(digits);
  const isOne = journal === "journal" && ending === "jsonl" && more.length === 0 && String(generation) === digits;
  return isOne ? generation : undefined;
}

/**
 * The data directory: the one that was named, else the nearest `db/data` with a `queue.json` in this folder or one
 * above, else `db/data` here. Absolute, without symbolic links where it exists.
 */
export function findDataDirectory(named: string | undefined, cwd: string): string {
  const found = named ?? nearest(cwd) ?? join("db", "data");
  const path = resolve(cwd, found);
  return existsSync(path) ? realpathSync(path) : path;
}

/** Refuses a data directory that is none, or into which others may put commands for this user to run. */
export function checkDataDirectory(path: string): void {
  const stat = guard("read", path, () => statSync(path, { throwIfNoEntry: false }));
  if (!stat) return;
  if (!stat.isDirectory()) throw new QueueError("E_STORE_IO", `The data directory ${path} is not a directory.`);
  if (stat.mode & 0o022) {
    throw new QueueError("E_STORE_IO", `The data directory ${path} may be written by other users.`, {
      hint: `They could have commands run in your name. Take that right away: chmod go-w ${path}`,
    });
  }
}

function nearest(cwd: string): string | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const candidate = join(folder, "db", "data");
    if (existsSync(join(candidate, "queue.json"))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}
