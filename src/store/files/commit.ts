/** One line of the journal: a commit, how it is written, and what a line that stands in a journal is worth. */
import type { Consequence } from "../../job/dependency.ts";
import type { Entry } from "../../job/job.ts";
import type { QueueRule } from "../../job/queue.ts";
import type { Schedule } from "../../job/schedule.ts";

/** One change to one job. Replaying it only merges fields: it never runs a rule, so new rules cannot rewrite history. */
export interface JournalRecord {
  readonly event: string;
  readonly id: string;
  /**
   * Where the entry goes, whole as `set` has it; absent when a job in the queue only changes. Into the archive go several
   * jobs in one record (archive.ts). A record of `rules` is about the queue of that name, one of `schedules` about the
   * schedule, and `set` is all there is to say of it: nothing, where it is no more. What goes nowhere is gone.
   */
  readonly to?: "queue" | "dlq" | "archive" | "rules" | "schedules" | "nowhere";
  /** The fields that changed; null takes a field away. */
  readonly set: Readonly<Record<string, unknown>>;
}

/** What its writer decides; the journal adds its place in the chain. */
export interface CommitContent {
  readonly time: number;
  readonly by: string;
  readonly records: readonly JournalRecord[];
  /** The generation that this commit begins: the last one that counts in its journal. */
  readonly checkpoint?: number;
}

export interface Commit extends CommitContent {
  /** The byte offset at which its line starts. */
  readonly at: number;
  /** The `sum` of the commit before it: in the same journal, or the checkpoint that began this one. */
  readonly prev: string;
  /** The sequence number of its first record; each record takes one. A claim's is its lease. */
  readonly seq: number;
  /** xxHash64 of its line up to this field. */
  readonly sum: string;
}

/** A complete line, judged by itself. */
export type Line =
  | { readonly kind: "sound"; readonly commit: Commit }
  | { readonly kind: "broken"; readonly whole: boolean };

export const NEWLINE = 0x0a;
const SUM_FIELD = /^,"sum":"[0-9a-f]{16}"\}$/;
const SUM_FIELD_BYTES = ',"sum":"0123456789abcdef"}'.length;

/** 16 hexadecimal digits. */
export function checksum(content: string | Uint8Array): string {
  return Bun.hash.xxHash64(content).toString(16).padStart(16, "0");
}

/** The line, without its newline, and the sum that the next commit will name. */
export function encodeCommit(commit: Omit<Commit, "sum">): { line: string; sum: string } {
  const { at, prev, seq, time, by, records, checkpoint } = commit;
  const body = JSON.stringify({
    at,
    prev,
    seq,
    time,
    by,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    records,
  });
  const summed = body.slice(0, -1);
  const sum = checksum(summed);
  return { line: `${summed},"sum":"${sum}"}`, sum };
}

/**
 * Reads a complete line. A broken one is `whole` when it has the shape of a line to its very end: then it was once
 * written out, and something changed it since.
 */
export function readLine(bytes: Uint8Array): Line {
  const end = bytes.length - SUM_FIELD_BYTES;
  const sumField = end > 0 ? Buffer.from(bytes.subarray(end)).toString("latin1") : "";
  if (!SUM_FIELD.test(sumField)) return { kind: "broken", whole: false };
  if (!sumField.includes(checksum(bytes.subarray(0, end)))) return { kind: "broken", whole: true };
  return { kind: "sound", commit: JSON.parse(Buffer.from(bytes).toString()) as Commit };
}

/** The ids of the entries that the lines of a journal put somewhere: those of all that were added, and perhaps others. */
export function* idsPutIn(text: string): Iterable<string> {
  for (const line of text.split("\n")) {
    if (!line.includes('"to":"')) continue;
    const read = readLine(Buffer.from(line));
    if (read.kind === "sound") for (const { id, to } of read.commit.records) if (to !== undefined) yield id;
  }
}

/** The record that turns `before` into `after`: the whole entry where it is new or moves, else what differs. */
export function recordOf(event: string, before: Entry | undefined, after: Entry): JournalRecord {
  const to = "failed_at" in after ? "dlq" : "queue";
  if (before === undefined || "failed_at" in before || to === "dlq") {
    return { event, id: after.id, to, set: { ...after } };
  }
  const set: Record<string, unknown> = {};
  const old = before as unknown as Record<string, unknown>;
  const fresh = after as unknown as Record<string, unknown>;
  for (const field in fresh) if (fresh[field] !== old[field]) set[field] = fresh[field];
  for (const field in old) if (fresh[field] === undefined) set[field] = null;
  return { event, id: after.id, set };
}

/** Of a job that waits: for less now, or in vain. */
export function recordOfConsequence({ before, after }: Consequence): JournalRecord {
  return recordOf(after.state === "failed" ? "failed" : "waited", before, after);
}

/** The record that takes away whatever has this id. */
export function removalOf(id: string): JournalRecord {
  return { event: "removed", id, to: "nowhere", set: {} };
}

/** The record by which this holds for a queue, and nothing else. */
export function recordOfRule(queue: string, rule: QueueRule): JournalRecord {
  return { event: "rule-set", id: queue, to: "rules", set: { ...rule } };
}

/** The record by which this is the schedule of that name, or none is. */
export function recordOfSchedule(name: string, schedule: Schedule | undefined): JournalRecord {
  return { event: schedule ? "schedule-set" : "schedule-removed", id: name, to: "schedules", set: { ...schedule } };
}

/** How many lines end in some bytes. */
export function linesIn(bytes: Uint8Array): number {
  return bytes.reduce((lines, byte) => lines + Number(byte === NEWLINE), 0);
}
