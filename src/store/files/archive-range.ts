/**
 * What is known of the archive without looking into it: which bytes of its files hold archived jobs. Kept in the head of
 * `queue.json`, told by the records of the journal.
 */
import type { JournalRecord } from "./commit.ts";

/** Bytes of one file that hold `count` archived jobs. */
export interface ArchiveRange {
  /** Of the file, without its ending: `completed-2026-11`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** What the record says that takes jobs out of the queue into a range. */
export interface Archiving {
  readonly from: number;
  readonly to: number;
  /** Of the jobs that leave the queue for it. */
  readonly ids: readonly string[];
  /** How many jobs there are, where they do not come from the queue. */
  readonly count?: number;
}

const NAME = /^completed-\d{4}-\d{2}$/;

/** Of a file without its ending; it becomes part of a path. */
export function isArchiveName(name: string): boolean {
  return NAME.test(name);
}

/** The range and the ids of such a record. */
export function archivingOf({ id, set }: JournalRecord): { range: ArchiveRange; ids: readonly string[] } {
  const { from, to, ids, count = ids.length } = set as unknown as Archiving;
  return { range: { name: id, from, to, count }, ids };
}

/** Ranges with one more, which the last one may grow by, and which may be in one of them already. */
export function withRange(ranges: readonly ArchiveRange[], range: ArchiveRange): readonly ArchiveRange[] {
  const isWithin = ({ name, from, to }: ArchiveRange): boolean =>
    name === range.name && from <= range.from && range.to <= to;
  if (ranges.some(isWithin)) return ranges;
  const last = ranges.at(-1);
  // One further up may not grow: what is archived would no longer be in the order in which it was.
  if (last?.name !== range.name || last.to !== range.from) return [...ranges, range];
  return [...ranges.slice(0, -1), { ...last, to: range.to, count: last.count + range.count }];
}

/** What these ranges hold beyond what they held at an earlier time. */
export function rangesSince(ranges: readonly ArchiveRange[], before: readonly ArchiveRange[]): ArchiveRange[] {
  return ranges.flatMap((range) => {
    const { name, from, to, count } = range;
    const old = before.find((one) => one.name === name && one.from === from);
    if (!old) return [range];
    return old.to < to ? [{ name, from: old.to, to, count: count - old.count }] : [];
  });
}

/** Whether it can be a range. */
export function isArchiveRange({ name, from, to, count }: ArchiveRange): boolean {
  const numbers = [from, to, count].every((number) => Number.isSafeInteger(number) && number >= 0);
  return typeof name === "string" && isArchiveName(name) && numbers && from <= to;
}
