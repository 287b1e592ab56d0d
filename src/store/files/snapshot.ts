/**
 * `queue.json` and `dlq.json`: the state as of one commit, as plain JSON with one job a line, `id` first, so that
 * `grep`, `jq` and `git diff` work on it. A snapshot names that commit and the place in the journal behind it, and ends
 * in a checksum of everything before it: a flipped bit in a command is damage, not another command. `queue.json` also
 * names the `dlq.json` that holds the DLQ as of its own commit: that one need not be written anew when nothing died.
 */
import { fstatSync, readFileSync, readSync } from "node:fs";
import { QueueError } from "../../job/errors.ts";
import type { DeadLetter, Entry, Job } from "../../job/job.ts";
import { guardUnless } from "../local/durable.ts";
import { fromTrusted, readTrusted } from "../local/trust.ts";
import { corrupt, parseFile } from "./corruption.ts";
import { adoptDeadLetters, adoptJobs, ORIGINAL } from "./original-format.ts";
import type { Position } from "./position.ts";
import { checksumOfBlocks, Encoding, readBlocks, textOf } from "./snapshot-blocks.ts";
import { NOTHING_STANDING, type Standing, standingHead, standingIn } from "./standing.ts";

const FORMAT_VERSION = 1;
/** Version and generation are within so many. */
const HEAD_BYTES = 64;
/** From here on memory counts for more than the few milliseconds it takes to look at a file in parts. */
const LARGE_BYTES = 1024 * 1024;

/** As of its position: the journal goes on from there. */
export interface Snapshot<T extends Entry> extends Position {
  readonly entries: readonly T[];
  readonly bytes: number;
  /** Its checksum; the original tool's have none. */
  readonly check: string | undefined;
  /** Of `queue.json`: the checksum of the `dlq.json` that is as of the same position, whatever that one says itself. */
  readonly dlqCheck: string | undefined;
  /** Of `queue.json`: what its head says beside that. */
  readonly standing: Standing;
}

type ListName = "jobs" | "dlq";

/** What stands in the file, once its checksum has shown that it is what was written. */
export interface SnapshotFile<T> extends Partial<Record<ListName, T[]> & Standing> {
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
  const head = guardUnless(["ENOENT"], { verb: "read", path }, () =>
    fromTrusted(path, (fd) => {
      const bytes = Buffer.alloc(HEAD_BYTES);
      return bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0));
    }),
  );
  const [, generation] = /^\{"version":\d+,"generation":(\d+),/.exec(head ?? "") ?? [];
  return generation === undefined ? undefined : Number(generation);
}

export function encodeQueue(
  { jobs, standing }: { jobs: Iterable<Job | string>; standing: Standing },
  position: Position,
  dlqCheck: string,
): Encoding {
  const head = { ...headOf(position), dlq_check: dlqCheck, ...standingHead(standing) };
  return new Encoding(`${JSON.stringify(head).slice(0, -1)},"jobs":[`, jobs);
}

export function encodeDeadLetters(letters: Iterable<DeadLetter>, position: Position): Encoding {
  return new Encoding(`${JSON.stringify(headOf(position)).slice(0, -1)},"dlq":[`, letters);
}

function headOf({ generation, at, end }: Position): Record<string, unknown> {
  return { version: FORMAT_VERSION, generation, at, seq: end.seq, sum: end.sum };
}

/** What a snapshot holds, as text: for whoever adds to it without a look at what is in it. */
export interface UnreadSnapshot extends Position, Pick<Snapshot<never>, "bytes" | "check" | "dlqCheck" | "standing"> {
  /** As `SnapshotText` has them. */
  readonly entries: string;
}

/** Undefined where the file is not there, or is not exactly as this version writes it. */
export function readUnread(path: string, list: ListName): UnreadSnapshot | undefined {
  const bytes = guardUnless(["ENOENT"], { verb: "read", path }, () => fromTrusted(path, (fd) => readFileSync(fd)));
  const text = bytes && textOf(bytes);
  const head = text && ifWellFormed(() => headIn(text.head, list));
  return head && { ...head, entries: text.entries, bytes: bytes.length, check: text.check };
}

/** The text of a file, or undefined when it is not there. */
export function readText(path: string): string | undefined {
  return guardUnless(["ENOENT"], { verb: "read", path }, () => readTrusted(path));
}

type Format<T extends Entry> = { list: ListName; adopt: (path: string, value: unknown) => T[] };

function readSnapshot<T extends Entry>(path: string, format: Format<T>): Snapshot<T> | undefined {
  return guardUnless(["ENOENT"], { verb: "read", path }, () =>
    fromTrusted(path, (fd) => {
      const bytes = fstatSync(fd).size;
      const isLarge = bytes > LARGE_BYTES;
      return (isLarge && readLarge<T>(fd, bytes, format.list)) || readWhole(path, readFileSync(fd, "utf8"), format);
    }),
  );
}

/** One that is exactly as it was written, without having it in memory whole. */
function readLarge<T extends Entry>(fd: number, bytes: number, list: ListName): Snapshot<T> | undefined {
  return ifWellFormed(() => {
    const blocks = readBlocks(fd, bytes);
    const head = blocks && headIn(blocks.head, list);
    return head && { ...head, entries: blocks.entries as T[], bytes, check: blocks.check };
  });
}

/** What the head of one says; undefined where it is not one of this version. Throws `SyntaxError`. */
function headIn(head: string, list: ListName): (Position & Pick<Snapshot<never>, "dlqCheck" | "standing">) | undefined {
  const value = JSON.parse(`${head}]}`) as SnapshotFile<Entry> & { version: number };
  const position = value.version === FORMAT_VERSION && value[list] && positionIn(value);
  return position ? { ...position, dlqCheck: value.dlq_check, standing: standingIn(value) } : undefined;
}

/** What `read` makes of a file; undefined where something in it is no JSON. */
function ifWellFormed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readWhole<T extends Entry>(path: string, text: string, format: Format<T>): Snapshot<T> {
  const value = parseFile(path, text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw corrupt(path, "expected a JSON object.", { line: 1 });
  }
  if (!("version" in value)) {
    if ("check" in value || "generation" in value) throw corrupt(path, "its version is missing.", { line: 1 });
    const nameless = { check: undefined, dlqCheck: undefined, standing: NOTHING_STANDING };
    return { ...ORIGINAL, ...nameless, entries: format.adopt(path, value), bytes: text.length };
  }
  if (typeof value.version === "number" && value.version > FORMAT_VERSION) throw tooNew(path, value.version);
  const snapshot = value as unknown as SnapshotFile<T>;
  const check = `,"check":"${snapshot.check}"}\n`;
  const entries = snapshot[format.list];
  const isWhole = entries !== undefined && text.endsWith(check);
  if (!isWhole || checksumOfBlocks(Buffer.from(text.slice(0, -check.length))) !== snapshot.check) {
    throw corrupt(path, "its checksum does not match: something other than queuectl changed it.");
  }
  const position = positionIn(snapshot);
  if (!position) throw corrupt(path, "its head is not one that queuectl writes.");
  const standing = standingIn(snapshot);
  return { ...position, entries, bytes: text.length, check: snapshot.check, dlqCheck: snapshot.dlq_check, standing };
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
