/** Of many, the few that come first. */
import { changedAt, type DeadLetter, type FailedJob, type PendingJob, type ProcessingJob } from "./job.ts";

/** What may be looked at again and again, however many jobs there are. */
export interface Glance {
  /** Those that have been run longest first. */
  readonly processing: readonly ProcessingJob[];
  /**
   * The pending jobs that wait for no other: those that are due by priority, then in the order they were enqueued; after
   * them the others, by time. Whatever holds for their queues.
   */
  readonly next: readonly PendingJob[];
  /** Dead letters and failed jobs, the latest first. */
  readonly failures: readonly (DeadLetter | FailedJob)[];
}

/** Those that have been run longest first. */
export function longestRunning(jobs: Iterable<ProcessingJob>, limit: number): ProcessingJob[] {
  return foremost(jobs, limit, (a, b) => a.processing_started_at - b.processing_started_at);
}

/** The latest first; of those of one time, the one that stands last in `entries`. */
export function latestFailures(
  entries: readonly (DeadLetter | FailedJob)[],
  limit: number,
): (DeadLetter | FailedJob)[] {
  return foremost(entries.toReversed(), limit, (a, b) => changedAt(b) - changedAt(a));
}

/** One look at each and no sort of all: there may be a million of them. */
function foremost<T>(items: Iterable<T>, limit: number, compare: (a: T, b: T) => number): T[] {
  const first: T[] = [];
  for (const item of items) {
    const last = first.at(-1);
    if (first.length >= limit && (last === undefined || compare(last, item) <= 0)) continue;
    const after = first.findLastIndex((other) => compare(other, item) <= 0);
    first.splice(after + 1, 0, item);
    if (first.length > limit) first.pop();
  }
  return first;
}
