/**
 * What happened to a job, as its record tells it: that it was enqueued, and of each attempt that is kept its beginning and its
 * end. What leaves no trace in the record can be told only by who looked at it before (`happeningsSince`).
 */
import type { JobEvent } from "./event.ts";
import { changedAt, type DeadLetter, isDeadLetter, isIn, type PastAttempt } from "./job.ts";
import { isUnfinished } from "./key.ts";
import { isLastAttempt } from "./lifecycle.ts";
import { describeOutcome, endingOf } from "./outcome.ts";
import type { PortableJob } from "./portable.ts";
import { queueOf } from "./queue.ts";
import type { Failing } from "./terms.ts";

export const HAPPENINGS = [
  "enqueued",
  "claimed",
  "completed",
  "rescheduled",
  "rescued",
  "dead-lettered",
  "failed",
  "released",
  "requeued",
] as const satisfies readonly JobEvent["event"][];

/** Named as in `--json`; instants are epoch milliseconds. */
export interface Happening {
  readonly at: number;
  readonly event: (typeof HAPPENINGS)[number];
  readonly id: string;
  readonly queue: string;
  /** The attempt that it is the beginning or the end of, and who runs it. */
  readonly attempt?: number;
  readonly worker_id?: string;
  /** Of an end: when the attempt had begun. */
  readonly started_at?: number;
  /** Why it is not completed. */
  readonly error?: string;
  /** When it is to be tried again, as long as it waits for that. */
  readonly run_at?: number;
  readonly command: string;
}

/** A job or a dead letter, wherever it was read. */
export type Recorded = PortableJob | DeadLetter;

type Told = Omit<Happening, "id" | "queue" | "command">;

/** In the order in which they happened. What has no known time is left out: some jobs of the original tool have none. */
export function happeningsOf(entry: Recorded): Happening[] {
  const told: Told[] = [
    { at: entry.created_at, event: "enqueued" },
    ...(entry.history ?? []).flatMap((past, n) => [beginningOf(past), endOfPast(entry, past, n)]),
    ...requeueOf(entry),
    ...latestOf(entry),
  ];
  return told.filter(({ at }) => at > 0).map((one) => about(entry, one));
}

/** What happened to a job since all that `before`, an earlier look at it, says was told. */
export function happeningsSince(before: Recorded, entry: Recorded): Happening[] {
  const told = new Set(happeningsOf(before).map(mark));
  const all = happeningsOf(entry);
  const fresh = all.filter((one) => !told.has(mark(one)) && !(one.event === "requeued" && isOldRound(before, entry)));
  const untraced = [...untracedRequeue(before, entry, fresh), ...untracedRelease(before, entry)];
  return [...untraced.map((one) => about(entry, one)), ...fresh].sort((a, b) => a.at - b.at);
}

function about(entry: Recorded, { at, event, ...more }: Told): Happening {
  return { at, event, id: entry.id, queue: queueOf(entry), ...more, command: entry.command };
}

function beginningOf({ started_at, attempt, worker_id }: PastAttempt): Told {
  return { at: started_at, event: "claimed", attempt, worker_id };
}

function endOfPast(entry: Recorded, past: PastAttempt, index: number): Told {
  const { ended_at: at, attempt, worker_id, started_at, outcome: error } = past;
  const event = eventOf(entry, past, index);
  const isWaited = isIn(entry, "pending") && isLatest(entry, index) && entry.attempts === attempt;
  return { at, event, attempt, worker_id, started_at, error, ...(isWaited && { run_at: entry.run_at }) };
}

function eventOf(entry: Recorded, past: PastAttempt, index: number): Happening["event"] {
  if (past.outcome === CANCELED) return "failed";
  if (isDeath(entry, past, index)) return "dead-lettered";
  const lost = describeOutcome({ kind: "worker-lost", workerId: past.worker_id });
  return past.outcome === lost ? "rescued" : "rescheduled";
}

/** The last one before somebody had the job run again is known by the terms that the job has now. */
function isDeath(entry: Recorded, past: PastAttempt, index: number): boolean {
  if (isLatest(entry, index) && isDeadLetter(entry)) return true;
  const next = entry.history?.[index + 1]?.attempt ?? nextAttempt(entry);
  return next <= past.attempt && isLastAttempt(entry, { attempt: past.attempt, failing: failingOf(past.outcome) });
}

/** As long as no attempt has failed since. */
function requeueOf(entry: Recorded): Told[] {
  const last = entry.history?.at(-1);
  const at = last && requeuedAt(entry, last.ended_at);
  return at === undefined ? [] : [{ at, event: "requeued" }];
}

/** What the job is, beyond its history. */
function latestOf(entry: Recorded): Told[] {
  const last = entry.history?.at(-1);
  const { attempts: attempt } = entry;
  if (isDeadLetter(entry)) {
    const { failed_at: at, error, worker_id } = entry;
    if (last?.ended_at === at) return [];
    return [{ at, event: "dead-lettered", attempt, ...(worker_id !== undefined && { worker_id }), error }];
  }
  if (isIn(entry, "failed")) {
    const { updated_at: at, last_error: error } = entry;
    const isOfAttempt = last?.ended_at === at && last.outcome === CANCELED;
    return isOfAttempt ? [] : [{ at, event: "failed", ...(error !== undefined && { error }) }];
  }
  if (entry.state === "pending") return [];
  const { processing_started_at: started_at, worker_id } = entry;
  const claimed: Told = { at: started_at, event: "claimed", attempt, worker_id };
  if (entry.state === "processing") return [claimed];
  return [claimed, { at: entry.updated_at, event: "completed", attempt, worker_id, started_at }];
}

/** When a job that had ended at `since` was put back; undefined where an attempt has failed since, which moved `run_at`. */
function requeuedAt(entry: Recorded, since: number): number | undefined {
  if (isDeadLetter(entry) || nextAttempt(entry) > 1) return undefined;
  // Somebody may have edited it since.
  return Math.max(since, Math.min(entry.run_at, startedAt(entry) ?? entry.updated_at));
}

/** Of a job that had ended: that it goes on, or has ended once more. */
function untracedRequeue(before: Recorded, entry: Recorded, [next]: readonly Happening[]): Told[] {
  if (isUnfinished(before) || (!isUnfinished(entry) && changedAt(entry) === changedAt(before))) return [];
  const at = requeuedAt(entry, changedAt(before)) ?? next?.at;
  return at === undefined ? [] : [{ at, event: "requeued" }];
}

/** Of an attempt that is as if it had not been: at the latest when the next one began. */
function untracedRelease(before: Recorded, entry: Recorded): Told[] {
  if (!isIn(before, "processing") || isDeadLetter(entry) || entry.run_at !== before.run_at) return [];
  const { attempts: attempt, worker_id, processing_started_at: started_at } = before;
  if (isIn(entry, "failed") || nextAttempt(entry) !== attempt || startedAt(entry) === started_at) return [];
  return [{ at: startedAt(entry) ?? entry.updated_at, event: "released", attempt, worker_id, started_at }];
}

/** Whether a requeue that the record shows was told before, or is told as an untraced one. */
function isOldRound(before: Recorded, entry: Recorded): boolean {
  return !isUnfinished(before) || before.history?.at(-1)?.lease === entry.history?.at(-1)?.lease;
}

/** The same in every look: what an end is called may change when the job is edited. */
function mark({ at, event, attempt }: Happening): string {
  return `${at} ${attempt} ${attempt !== undefined && event !== "claimed" ? "end" : event}`;
}

const CANCELED = describeOutcome({ kind: "canceled" });

function isLatest({ history = [] }: Recorded, index: number): boolean {
  return index === history.length - 1;
}

/** The number of the attempt after those in the history. */
function nextAttempt(entry: Recorded): number {
  return startedAt(entry) === undefined ? entry.attempts + 1 : entry.attempts;
}

/** Of the attempt that is not in the history: it runs, or completed the job. */
function startedAt(entry: Recorded): number | undefined {
  return "processing_started_at" in entry ? entry.processing_started_at : undefined;
}

function failingOf(outcome: string): Failing | undefined {
  const ending = endingOf(outcome);
  if (ending === "timed-out") return "timeout";
  if (ending === undefined) return undefined;
  return "code" in ending ? ending.code : "signal";
}
