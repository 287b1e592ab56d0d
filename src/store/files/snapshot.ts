/**
 * `queue.json` and `dlq.json`: the state as of one checkpoint, as plain JSON with one job a line, `id` first, so that
 * `grep`, `jq` and `git diff` work on it. A snapshot names its generation and the checkpoint it was made at, and ends
 * in a checksum of everything before it: a flipped bit in a command is damage, not another command.
 */
import { closeSync, constants, readSync } from "node:fs";
import { QueueError } from "../../job/errors.ts";
import type { DeadLetter, Entry, Job } from "../../job/job.ts";
import { checksum } from "./commit.ts";
import { corrupt, parseFile } from "./corruption.ts";
import { guard, guardUnless } from "./durable.ts";
import type { ChainEnd } from "./journal.ts";
import { adoptDeadLetters, adoptJobs, ORIGINAL } from "./original-format.ts";
import { openTrusted, readTrusted } from "./trust.ts";

const FORMAT_VERSION = 1;
/** Version and generation are within so many. */
const HEAD_BYTES = 64;

export interface Snapshot<T extends Entry> {
  readonly generation: number;
  /** The checkpoint that it was made at: its journal goes on from there. */
  readonly end: ChainEnd;
  readonly entries: readonly T[];
  readonly bytes: number;
}

type ListName = "jobs" | "dlq";

/** What stands in the file, once its checksum has shown that it is what was written. */
interface SnapshotFile<T> extends Partial<Record<ListName, T[]>> {
  readonly generation: number;
  readonly seq: number;
  readonly sum: string;
  readonly check: string;
}

/** Reads `queue.json`, or one of the original tool; undefined when it is not there. Throws `E_STORE_CORRUPT`. */
export function readQueue(path: string): Snapshot<Job> | undefined {
  return readSnapshot(path, { list: "jobs", adopt: adoptJobs });
}

/** Reads `dlq.json` likewise. */
export function readDeadLetters(path: string): Snapshot<DeadLetter> | undefined {
  return readSnapshot(path, { list: "dlq", adopt: adoptDeadLetters });
}

/** The generation of the snapshot at `path`, from its head alone; undefined where it is not there or names none. */
export function generationAt(path: string): number | undefined {
  const fd = guardUnless(["ENOENT"], { verb: "read", path }, () => openTrusted(path, constants.O_RDONLY));
  if (fd === undefined) return undefined;
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const count = guard("read", path, () => readSync(fd, head, 0, head.length, 0));
    const [, generation] = /^\{"version":\d+,"generation":(\d+),/.exec(head.toString("latin1", 0, count)) ?? [];
    return generation === undefined ? undefined : Number(generation);
  } finally {
    closeSync(fd);
  }
}

/** The text of a snapshot. */
export function encodeSnapshot(
  list: ListName,
  entries: Iterable<Entry>,
  { generation, end }: { generation: number; end: ChainEnd },
): string {
  const lines = Array.from(entries, (entry) => JSON.stringify(entry)).join(",\n");
  const head = JSON.stringify({ version: FORMAT_VERSION, generation, seq: end.seq, sum: end.sum, [list]: [] });
  const checked = `${head.slice(0, -2)}\n${lines}${lines && "\n"}]`;
  return `${checked},"check":"${checksum(checked)}"}\n`;
}

/** The text of a file, or undefined when it is not there. */
export function readText(path: string): string | undefined {
  return guardUnless(["ENOENT"], { verb: "read", path }, () => readTrusted(path));
}

function readSnapshot<T extends Entry>(
  path: string,
  format: { list: ListName; adopt: (path: string, value: unknown) => T[] },
): Snapshot<T> | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const value = parseFile(path, text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw corrupt(path, "expected a JSON object.", { line: 1 });
  }
  if (!("version" in value)) {
    if ("check" in value || "generation" in value) throw corrupt(path, "its version is missing.", { line: 1 });
    return { ...ORIGINAL, entries: format.adopt(path, value), bytes: text.length };
  }
  if (typeof value.version === "number" && value.version > FORMAT_VERSION) throw tooNew(path, value.version);
  const snapshot = value as unknown as SnapshotFile<T>;
  const check = `,"check":"${snapshot.check}"}\n`;
  const entries = snapshot[format.list];
  if (!entries || !text.endsWith(check) || checksum(text.slice(0, -check.length)) !== snapshot.check) {
    throw corrupt(path, "its checksum does not match: something other than queuectl changed it.");
  }
  const { generation, seq, sum } = snapshot;
  // The generation becomes part of a path.
  if (!isCount(generation) || !isCount(seq)) throw corrupt(path, "its head is not one that queuectl writes.");
  return { generation, end: { seq, sum }, entries, bytes: text.length };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function tooNew(path: string, version: number): QueueError {
  return new QueueError(
    "E_STORE_VERSION",
    `${path} has format version ${version}; this queuectl reads up to ${FORMAT_VERSION}.`,
    {
      hint: "A newer queuectl wrote it: use that one. Nothing was changed.",
    },
  );
}
