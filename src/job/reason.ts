/**
 * Why a job is where it is. Each rule knows one reason and says nothing where that is not it; the first that speaks is
 * right, so what keeps a job from being begun stands before what would only delay it.
 */
import { unreachable } from "./errors.ts";
import { type Entry, isDeadLetter, type Job, type PendingJob } from "./job.ts";
import { EVERY_QUEUE, isServed, type QueueStatus, queueOf } from "./queue.ts";
import { opensAgainAt, type Rate } from "./rate.ts";

interface WorkerAround {
  readonly id: string;
  readonly stopping: boolean;
  /** That it serves; absent means all. */
  readonly queues?: readonly string[];
}

/** What is known around the job at one moment. */
export interface Surroundings {
  readonly now: number;
  /** The workers that are alive. */
  readonly workers: readonly WorkerAround[];
  /** The jobs that are waiting, in the order they were enqueued, and those that are being run. */
  readonly jobs: readonly Job[];
  readonly queues: readonly QueueStatus[];
}

/** As data: `output/` words it. Instants are epoch milliseconds. */
export type Reason =
  /** Nobody has begun it in time: the worker that comes to it next ends it. */
  | { readonly because: "expired"; readonly expiresAt: number }
  /** Until these have completed. */
  | { readonly because: "waits-for-jobs"; readonly jobs: readonly string[] }
  | { readonly because: "waits-for-retry"; readonly runAt: number; readonly attempts: number; readonly error: string }
  | { readonly because: "not-due"; readonly runAt: number }
  /** It is due, but of its queue, or of any, nothing is begun. */
  | { readonly because: "queue-paused"; readonly queue: string }
  | { readonly because: "all-queues-paused" }
  /** It is due, but as many of its queue are being run as may be at a time. */
  | { readonly because: "queue-full"; readonly queue: string; readonly running: number; readonly concurrency: number }
  /** It is due, but as many of its queue have been begun as may be in that time. */
  | { readonly because: "queue-rate"; readonly queue: string; readonly rate: Rate; readonly opensAt: number }
  /** It is due. `leaving` workers finish what they have and take nothing more. */
  | { readonly because: "no-worker"; readonly leaving: number }
  /** It is due, and the workers there are take no jobs of its queue. */
  | { readonly because: "not-served"; readonly queue: string; readonly workers: number }
  /** It is due, and `ahead` of it are so many that are due, too. A worker that is busy may still have room for another. */
  | { readonly because: "in-line"; readonly workers: number; readonly busy: number; readonly ahead: number }
  /** Whoever comes next takes it back. */
  | { readonly because: "worker-lost"; readonly workerId: string; readonly workers: number }
  | { readonly because: "running"; readonly workerId: string; readonly startedAt: number; readonly attempt: number }
  | { readonly because: "completed"; readonly completedAt: number; readonly attempts: number }
  | { readonly because: "dead"; readonly failedAt: number; readonly attempts: number; readonly error: string }
  | { readonly because: "failed"; readonly failedAt: number; readonly error: string };

type Rule = (job: PendingJob, around: Surroundings) => Reason | undefined;

const RULES_OF_PENDING: readonly Rule[] = [
  hasExpired,
  waitsForJobs,
  waitsForRetry,
  isNotDue,
  areAllPaused,
  hasClosedQueue,
  hasNoWorker,
  isNotServed,
];

export function reasonFor(entry: Entry, around: Surroundings): Reason {
  if (isDeadLetter(entry)) {
    const { failed_at: failedAt, attempts, error } = entry;
    return { because: "dead", failedAt, attempts, error };
  }
  switch (entry.state) {
    case "pending":
      return RULES_OF_PENDING.map((rule) => rule(entry, around)).find(Boolean) ?? isInLine(entry, around);
    case "processing": {
      const { worker_id: workerId, processing_started_at: startedAt, attempts: attempt } = entry;
      if (around.workers.some(({ id }) => id === workerId)) return { because: "running", workerId, startedAt, attempt };
      return { because: "worker-lost", workerId, workers: around.workers.length };
    }
    case "completed":
      return { because: "completed", completedAt: entry.updated_at, attempts: entry.attempts };
    case "failed":
      return { because: "failed", failedAt: entry.updated_at, error: entry.last_error ?? "" };
    default:
      return unreachable(entry);
  }
}

function hasExpired({ expires_at: expiresAt }: PendingJob, { now }: Surroundings): Reason | undefined {
  return expiresAt !== undefined && expiresAt <= now ? { because: "expired", expiresAt } : undefined;
}

function waitsForJobs({ waits_for: jobs }: PendingJob): Reason | undefined {
  return jobs && { because: "waits-for-jobs", jobs };
}

function waitsForRetry(job: PendingJob, { now }: Surroundings): Reason | undefined {
  const { run_at: runAt, attempts, last_error: error } = job;
  if (runAt <= now || attempts === 0 || error === undefined) return undefined;
  return { because: "waits-for-retry", runAt, attempts, error };
}

function isNotDue({ run_at: runAt }: PendingJob, { now }: Surroundings): Reason | undefined {
  return runAt > now ? { because: "not-due", runAt } : undefined;
}

function areAllPaused(_: PendingJob, { queues }: Surroundings): Reason | undefined {
  return queues.some(({ name, paused }) => name === EVERY_QUEUE && paused)
    ? { because: "all-queues-paused" }
    : undefined;
}

function hasClosedQueue(job: PendingJob, { queues, now }: Surroundings): Reason | undefined {
  const queue = queueOf(job);
  const status = queues.find(({ name }) => name === queue);
  const { paused, concurrency, rate, processing: running = 0, begun = [] } = status ?? {};
  if (paused) return { because: "queue-paused", queue };
  if (concurrency !== undefined && running >= concurrency)
    return { because: "queue-full", queue, running, concurrency };
  if (rate === undefined) return undefined;
  const opensAt = opensAgainAt(rate, begun, now);
  return opensAt === undefined ? undefined : { because: "queue-rate", queue, rate, opensAt };
}

function hasNoWorker(_: PendingJob, { workers }: Surroundings): Reason | undefined {
  return workers.every(({ stopping }) => stopping) ? { because: "no-worker", leaving: workers.length } : undefined;
}

function isNotServed(job: PendingJob, { workers }: Surroundings): Reason | undefined {
  if (serving(job, workers).length > 0) return undefined;
  return { because: "not-served", queue: queueOf(job), workers: workers.length };
}

function serving(job: PendingJob, workers: readonly WorkerAround[]): readonly WorkerAround[] {
  return workers.filter(({ stopping, queues }) => !stopping && isServed(queueOf(job), queues));
}

/** Jobs are claimed by priority, then in the order they were enqueued; those that their queue keeps back are passed over. */
function isInLine(job: PendingJob, around: Surroundings): Reason {
  const { now, workers, jobs } = around;
  const waiting = jobs.filter(
    (other) => other.state === "pending" && other.run_at <= now && !other.waits_for && !hasClosedQueue(other, around),
  );
  const place = waiting.findIndex(({ id }) => id === job.id);
  const priority = job.priority ?? 0;
  const ahead = waiting.filter((other, n) => {
    const above = (other.priority ?? 0) - priority;
    return above > 0 || (above === 0 && n < place);
  }).length;
  const running = new Set(jobs.flatMap((other) => (other.state === "processing" ? [other.worker_id] : [])));
  const able = serving(job, workers);
  const busy = able.filter(({ id }) => running.has(id)).length;
  return { because: "in-line", workers: able.length, busy, ahead };
}
