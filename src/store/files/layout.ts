/** Where everything is in a data directory, and what the directory itself must be. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { QueueError } from "../../job/errors.ts";
import { shellWord } from "../../job/shell-word.ts";
import { guard } from "../local/durable.ts";
import { checkDirectory } from "../local/trust.ts";

export interface Layout {
  readonly root: string;
  readonly queue: string;
  readonly dlq: string;
  readonly config: string;
  /** Of a large store: which ids are taken (id-index.ts). */
  readonly ids: string;
  readonly logs: string;
  readonly archive: string;
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
    ids: join(root, "ids.bin"),
    logs: join(root, "logs"),
    archive: join(root, "archive"),
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
 * above, else `db/data` here. Absolute, without symbolic links where it exists. A link is followed where a person named
 * it, and refused with `E_STORE_IO` where it was merely found: whoever made the folder would else choose which of this
 * user's directories is worked on.
 */
export function findDataDirectory(named: string | undefined, cwd: string): string {
  if (named !== undefined) {
    const path = resolve(cwd, named);
    return existsSync(path) ? realpathSync(path) : path;
  }
  const folder = nearest(cwd) ?? resolve(cwd);
  const path = join(folder, "db", "data");
  const there = [path, dirname(path)].find((candidate) => existsSync(candidate));
  if (there === undefined) return path;
  const real = realPathWithin(folder, there);
  return there === path ? real : path;
}

/** Refuses a data directory that is none, or into which others may put commands for this user to run. */
export function checkDataDirectory(path: string): void {
  guard("read", path, () => checkDirectory(path, `The data directory ${path}`));
}

/** The folder whose `db/data` it is. */
function nearest(cwd: string): string | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "db", "data", "queue.json"))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function realPathWithin(folder: string, path: string): string {
  const real = realpathSync(path);
  if (real === path || real === join(realpathSync(folder), relative(folder, path))) return real;
  throw new QueueError("E_STORE_IO", `${path} leads to ${real} by a symbolic link.`, {
    hint: `If that is the queue you mean, name it: --data-dir ${shellWord(real)}`,
  });
}
