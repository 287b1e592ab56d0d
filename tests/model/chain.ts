/**
 * What the journal's lines say. Commits and contents are numbered as they are met: equal ones have the same number, so a
 * number stands for a commit as its `sum` does in a file, and a state of the model stays small.
 */
import { type DeadLetter, isDeadLetter, type Job, type Lease } from "../../src/job/job.ts";
import type { JournalRecord } from "../../src/store/files/commit.ts";

/** All jobs, as the snapshots hold them. */
export interface Content {
  readonly queue: Readonly<Record<string, Job>>;
  readonly dlq: Readonly<Record<string, DeadLetter>>;
}

export interface Commit {
  readonly at: number;
  readonly prev: number;
  readonly by: string;
  readonly records: readonly JournalRecord[];
  readonly checkpoint?: number;
  /** The lease that its writer held when it ended an attempt: only the check looks at it. */
  readonly held?: Lease;
}

/** Numbers for values: the same number for equal values. */
class Numbered<T> {
  readonly #numbers = new Map<string, number>();
  readonly #values: T[] = [];

  numberOf(value: T): number {
    const key = JSON.stringify(value);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#values.length);
    return this.#values.push(value) - 1;
  }

  get(number: number): T {
    const value = this.#values[number];
    if (value === undefined) throw new Error(`nothing has the number ${number}`);
    return value;
  }
}

export const commits = new Numbered<Commit>();
export const contents = new Numbered<Content>();

/** Where every chain begins. */
export const ROOT = commits.numberOf({ at: -1, prev: -1, by: "", records: [] });
export const NOTHING = contents.numberOf({ queue: {}, dlq: {} });

/** The sequence number that the record after a commit takes. */
export function seqAfter(commit: number): number {
  return truth(commit).seq;
}

/** Whether `ancestor` is a commit, or one of those before it. */
export function isIn(ancestor: number, commit: number): boolean {
  for (let at = commit; at >= 0; at = commits.get(at).prev) if (at === ancestor) return true;
  return false;
}

/** The content with a record applied to one or both files; undefined when it changes a job that is not there. */
export function applied(
  { queue, dlq }: Content,
  { id, to, set }: JournalRecord,
  sides: { queue: boolean; dlq: boolean },
): Content | undefined {
  if (to !== undefined) {
    const entry = set as unknown;
    return {
      queue: sides.queue ? placed(queue, id, to === "queue" ? (entry as Job) : undefined) : queue,
      dlq: sides.dlq ? placed(dlq, id, to === "dlq" ? (entry as DeadLetter) : undefined) : dlq,
    };
  }
  if (!sides.queue) return { queue, dlq };
  const job = queue[id];
  if (!job) return undefined;
  const fields = Object.entries({ ...job, ...set }).filter(([, value]) => value !== null);
  return { queue: { ...queue, [id]: Object.fromEntries(fields) as unknown as Job }, dlq };
}

/** What the chain up to a commit adds up to, and what in it breaks a rule of a job's life, if anything does. */
export interface Truth {
  readonly content: number;
  readonly seq: number;
  readonly lastLease: Lease;
  readonly wrong?: string;
}

const truths = new Map<number, Truth>([[ROOT, { content: NOTHING, seq: 1, lastLease: 0 }]]);

/** Replays a chain from its root with the rules of a job's life watched, by a reading of them of its own. */
export function truth(number: number): Truth {
  const known = truths.get(number);
  if (known) return known;
  const commit = commits.get(number);
  let found = truth(commit.prev);
  for (const record of commit.records) found = afterRecord(found, record, commit);
  truths.set(number, found);
  return found;
}

function afterRecord(before: Truth, record: JournalRecord, { by, held }: Commit): Truth {
  const { queue, dlq } = contents.get(before.content);
  const { id, event, set } = record;
  const entry = queue[id] ?? dlq[id];
  const after = applied({ queue, dlq }, record, { queue: true, dlq: true });
  const lease = event === "claimed" ? Number(set.lease) : before.lastLease;
  const state = entry && !isDeadLetter(entry) ? entry.state : undefined;
  const current = state === "processing" ? (entry as { lease: Lease }).lease : undefined;
  const problem =
    before.wrong ??
    (event === "enqueued" && entry ? `${by} enqueued ${id}, which is there already` : undefined) ??
    (event === "claimed" && state !== "pending" ? `${by} claimed ${id}, which was not pending` : undefined) ??
    (event === "claimed" && lease <= before.lastLease ? `the lease ${lease} was given out again` : undefined) ??
    (event !== "enqueued" && event !== "claimed" && (current === undefined || current !== held)
      ? `${by} ended an attempt of ${id} with the lease ${held}; its lease was ${current ?? "ended"}`
      : undefined) ??
    (after ? undefined : `${by} changed ${id}, which is not there`);
  return {
    content: after ? contents.numberOf(after) : before.content,
    seq: before.seq + 1,
    lastLease: lease,
    ...(problem ? { wrong: problem } : {}),
  };
}

function placed<T>(entries: Readonly<Record<string, T>>, id: string, entry: T | undefined): Record<string, T> {
  const { [id]: _, ...others } = entries;
  return entry === undefined ? others : { ...others, [id]: entry };
}
