import type { JobTerms } from "./terms.ts";

/**
 * The record of a job, named as on disk and in `--json`: instants are epoch milliseconds, `attempts` counts the attempts
 * that were started. A state carries its own data, so a processing job has a lease and a pending one cannot.
 */
export type Job = PendingJob | ProcessingJob | CompletedJob | FailedJob;

export const JOB_STATES = ["pending", "processing", "completed", "failed"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** The right to finish one attempt: the sequence number of its claim, never given out twice (a fencing token). */
export type Lease = number;

/** What became of an attempt that did not complete its job. */
export interface PastAttempt {
  /** Its number, as `attempts` counted it; a requeue begins the count anew. */
  readonly attempt: number;
  readonly started_at: number;
  readonly ended_at: number;
  readonly worker_id: string;
  /** As `last_error` said it. */
  readonly outcome: string;
  readonly lease: Lease;
}

/** Those that are kept, oldest first: at most `KEPT_ATTEMPTS` of the latest. */
export type History = readonly PastAttempt[];

export const KEPT_ATTEMPTS = 20;

interface JobFields extends JobTerms {
  readonly id: string;
  readonly command: string;
  readonly run_at: number;
  readonly attempts: number;
  readonly max_retries: number;
  readonly created_at: number;
  readonly updated_at: number;
  /** How the latest attempt that failed ended. */
  readonly last_error?: string;
  readonly history?: History;
}

/** Waits for `run_at`, and for the jobs in `waits_for`. A claim moves it to `processing`. */
export interface PendingJob extends JobFields {
  readonly state: "pending";
  /** What is left of `after`; absent when nothing is. */
  readonly waits_for?: readonly string[];
}

/** Is being run by `worker_id`. Only the end of the attempt that holds `lease` moves it on. */
export interface ProcessingJob extends JobFields {
  readonly state: "processing";
  readonly processing_started_at: number;
  readonly worker_id: string;
  readonly lease: Lease;
}

/** Its command exited 0. Final, unless somebody has it run again. */
export interface CompletedJob extends JobFields {
  readonly state: "completed";
  readonly processing_started_at: number;
  readonly worker_id: string;
}

/**
 * Ended without success and not in the DLQ: it was canceled or replaced, has expired, or waited in vain. `last_error` says so.
 * Final, as above.
 */
export interface FailedJob extends JobFields {
  readonly state: "failed";
}

/** A job in the dead letter queue. Only somebody who requeues or removes it moves it out. */
export interface DeadLetter extends JobTerms {
  readonly id: string;
  readonly command: string;
  readonly attempts: number;
  readonly error: string;
  readonly failed_at: number;
  readonly max_retries: number;
  readonly created_at: number;
  readonly history?: History;
  readonly worker_id?: string;
}

/** Anything that holds an id: a job in the queue, or one in the DLQ. */
export type Entry = Job | DeadLetter;

/** One that comes from another store, too, where it has no lease that counts here. */
type AnyEntry = Entry | Omit<ProcessingJob, "lease">;

/** Tells the two apart: only a dead letter has a time of death. */
export function isDeadLetter(entry: AnyEntry): entry is DeadLetter {
  return "failed_at" in entry;
}

/** When it came to be as it is: nothing in its record is later. */
export function changedAt(entry: AnyEntry): number {
  return isDeadLetter(entry) ? entry.failed_at : entry.updated_at;
}

export function isIn<E extends AnyEntry, State extends JobState>(
  entry: E,
  state: State,
): entry is Extract<E, { state: State }> {
  return "state" in entry && entry.state === state;
}
