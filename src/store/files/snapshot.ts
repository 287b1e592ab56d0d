/**
 * `queue.json` and `dlq.json`: the state as of one commit, as plain JSON with one job a line, `id` first, so that
 * `grep`, `jq` and `git diff` work on it. A snapshot names that commit and the place in the journal behind it, and ends
 * in a checksum of everything before it: a flipped bit in a command is damage, not another command. `queue.json` also
 * names the `dlq.json` that holds the DLQ as of its own commit: that one need not be written anew when nothing died.
 */
import { closeSync, constants, readSync } from "node:fs";
import { QueueError } from "../../job/errors.ts";
import type { DeadLetter, Entry, Job } from "../../job/job.ts";
import { checksum } from "./commit.ts";
import { corrupt, parseFile } from "./corruption.ts";
import { guard, guardUnless } from "./durable.ts";
import type { Position } from "./position.ts";
import { adoptDeadLetters, adoptJobs, ORIGINAL } from "./original-format.ts";
import { openTrusted, readTrusted } from "./trust.ts";

const FORMAT_VERSION = 1;
/** Version and generation are within so many. */
const HEAD_BYTES = 64;

/** As of its position: the journal goes on from there. */
export interface Snapshot<T extends Entry> extends Position {
  readonly entries: readonly T[];
  readonly bytes: number;
  /** Its checksum; the original tool's have none. */
  readonly check: string | undefined;
  /** Of `queue.json`: the checksum of the `dlq.json` that is as of the same position, whatever that one says itself. */
  readonly dlqCheck: string | undefined;
}

type ListName = "jobs" | "dlq";

/** What stands in the file, once its checksum has shown that it is what was written. */
export interface SnapshotFile<T> extends Partial<Record<ListName, T[]>> {
  readonly generation: number;
  readonly at: number;
  readonly seq: number;
  readonly sum: string;
  readonly dlq_check?: string;
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

/** A snapshot to be written. */
export interface SnapshotText {
  readonly text: string;
  readonly check: string;
}

export function encodeQueue(jobs: Iterable<Job>, position: Position, dlqCheck: string): SnapshotText {
  return encode("jobs", jobs, { ...headOf(position), dlq_check: dlqCheck });
}

export function encodeDeadLetters(letters: Iterable<DeadLetter>, position: Position): SnapshotText {
  return encode("dlq", letters, headOf(position));
}

function headOf({ generation, at, end }: Position): Record<string, unknown> {
  return { version: FORMAT_VERSION, generation, at, seq: end.seq, sum: end.sum };
}

function encode(list: ListName, entries: Iterable<Entry>, head: Record<string, unknown>): SnapshotText {
  const lines = Array.from(entries, (entry) => JSON.stringify(entry)).join(",\n");
  const checked = `${JSON.stringify({ ...head, [list]: [] }).slice(0, -2)}\n${lines}${lines && "\n"}]`;
  const check = checksum(checked);
  return { text: `${checked},"check":"${check}"}\n`, check };
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
    const nameless = { check: undefined, dlqCheck: undefined };
    return { ...ORIGINAL, ...nameless, entries: format.adopt(path, value), bytes: text.length };
  }
  if (typeof value.version === "number" && value.version > FORMAT_VERSION) throw tooNew(path, value.version);
  const snapshot = value as unknown as SnapshotFile<T>;
  const check = `,"check":"${snapshot.check}"}\n`;
  const entries = snapshot[format.list];
  if (!entries || !text.endsWith(check) || checksum(text.slice(0, -check.length)) !== snapshot.check) {
    throw corrupt(path, "its checksum does not match: something other than queuectl changed it.");
  }
  const position = positionIn(snapshot);
  if (!position) throw corrupt(path, "its head is not one that queuectl writes.");
  return { ...position, entries, bytes: text.length, check: snapshot.check, dlqCheck: snapshot.dlq_check };
}

/** Where a snapshot says that it stands; undefined where that cannot be, for the generation becomes part of a path. */
export function positionIn({ generation, at, seq, sum }: SnapshotFile<Entry>): Position | undefined {
  return [generation, at, seq].every(isCount) ? { generation, at, end: { seq, sum } } : undefined;
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
