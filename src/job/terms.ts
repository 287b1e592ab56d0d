/**
 * What is agreed on when a job is enqueued and holds for all of its attempts, in the queue and in the DLQ. Absent is what
 * nobody said anything about. Only an edit by hand changes it.
 */
export interface JobTerms {
  /** Higher runs first; absent means 0. */
  readonly priority?: number;
  /** The queue that it is in; absent means `default`. */
  readonly queue?: string;
  /** While it is pending or processing, no other such job has it. */
  readonly key?: string;
  /** The name of what it belongs to with other jobs, by which they are found together. */
  readonly batch?: string;
  /** The directory that it runs in; absent means that of its worker. */
  readonly cwd?: string;
  /** Variables on top of its worker's. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long an attempt may take, in ms. */
  readonly timeout?: number;
  /** The ids of the jobs that have to be completed before it is begun. */
  readonly after?: readonly string[];
  /** From this instant on no attempt is begun any more, in epoch ms. */
  readonly expires_at?: number;
  /** Only an attempt that fails so is followed by another; absent means any. */
  readonly retry_on?: readonly Failing[];
  /** An attempt that fails so is the last one. */
  readonly no_retry_on?: readonly Failing[];
}

/** How an attempt failed, as a job's terms name it: by its exit code, by a signal, or for taking too long. */
export type Failing = number | "signal" | "timeout";

export const FAILINGS = ["signal", "timeout"] as const satisfies readonly Failing[];

/** In the order in which they are written. */
export const TERMS = [
  "priority",
  "queue",
  "key",
  "batch",
  "cwd",
  "env",
  "after",
  "timeout",
  "expires_at",
  "retry_on",
  "no_retry_on",
] as const satisfies readonly (keyof JobTerms)[];

/** The terms of a job, or of anything that has some. A priority of 0 is the same as none. */
export function termsOf(from: JobTerms): JobTerms {
  const terms: Record<string, unknown> = {};
  for (const name of TERMS) {
    const term = from[name];
    if (term !== undefined && !(name === "priority" && term === 0)) terms[name] = term;
  }
  return terms;
}
