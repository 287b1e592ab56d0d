/**
 * Every rule that moves a job, as pure functions; a store only makes them atomic.
 *
 *   enqueue ─► pending ──claim──► processing ──exit 0──► completed
 *                ▲  ▲                 │ │ └─ fails, attempts > max_retries ─► DLQ ──requeue──► pending (attempts 0)
 *                │  └──── release ────┘ │
 *                └── fails, or rescue ──┘   (run_at = now + backoff)
 *
 * Canceled or expired, it is `failed`; and so when it waited for another that did not complete (dependency.ts), or when another took
 * its place (key.ts). By hand, a completed or failed job is requeued like a dead letter (control.ts).
 *
 * Every way out of `processing` goes through `finish`, whose gate is the lease: an attempt that no longer holds its job
 * changes nothing, however late its worker wakes up.
 */
import { type BackoffPolicy, backoffMs } from "./backoff.ts";
import type { JobEvent, LeaseLost } from "./event.ts";
import {
  type CompletedJob,
  type DeadLetter,
  type Entry,
  type FailedJob,
  type History,
  isDeadLetter,
  isIn,
  KEPT_ATTEMPTS,
  type Lease,
  type PendingJob,
  type ProcessingJob,
} from "./job.ts";
import { describeOutcome, type Outcome } from "./outcome.ts";
import type { JobSpec } from "./spec.ts";
import { type Failing, type JobTerms, termsOf } from "./terms.ts";

/** The end of one attempt, as its worker (or its rescuer) reports it. */
export interface AttemptEnd {
  readonly id: string;
  readonly lease: Lease;
  readonly outcome: Outcome;
}

export interface RetryPolicy {
  readonly backoff: BackoffPolicy;
  readonly random: () => number;
}

/** A new pending job. The spec's own `max_retries` rules, else the configured one of this moment. */
export function enqueue(spec: JobSpec & { id: string }, maxRetries: number, now: number): PendingJob {
  return {
    id: spec.id,
    command: spec.command,
    state: "pending",
    run_at: spec.run_at ?? now + (spec.delay ?? 0),
    attempts: 0,
    max_retries: spec.max_retries ?? maxRetries,
    created_at: now,
    updated_at: now,
    ...termsOf({ ...spec, ...(spec.expires_in === undefined ? {} : { expires_at: now + spec.expires_in }) }),
  };
}

/** Starts an attempt. It is counted here, not at its end, so that a crash counts too. */
export function claim(job: PendingJob, claimant: { workerId: string; lease: Lease }, now: number): ProcessingJob {
  return {
    ...job,
    state: "processing",
    attempts: job.attempts + 1,
    updated_at: now,
    processing_started_at: now,
    worker_id: claimant.workerId,
    lease: claimant.lease,
  };
}

/** Ends an attempt: the only way out of `processing`. Without the current lease nothing changes. */
export function finish(
  entry: Entry | undefined,
  end: AttemptEnd,
  { now, policy }: { now: number; policy: RetryPolicy },
): JobEvent | LeaseLost {
  if (!holds(entry, end.lease)) return { event: "lease-lost", id: end.id, lease: end.lease };
  const { outcome } = end;
  if (isSuccess(outcome)) return complete(entry, now);
  if (outcome.kind === "released") return release(entry, now);
  if (outcome.kind === "canceled" || outcome.kind === "expired") return giveUp(entry, outcome, now);
  return fail(entry, { outcome, now, policy });
}

/**
 * Whether a job, as its terms are, is not tried again after this attempt failed. What did not come from the command itself,
 * for which `failing` is undefined, is retried as long as there are retries left.
 */
export function isLastAttempt(
  { max_retries, retry_on, no_retry_on }: JobTerms & Pick<PendingJob, "max_retries">,
  { attempt, failing }: { attempt: number; failing: Failing | undefined },
): boolean {
  if (attempt > max_retries) return true;
  if (failing === undefined) return false;
  return !(retry_on?.includes(failing) ?? true) || (no_retry_on?.includes(failing) ?? false);
}

/** Whether any of these ends may ask the policy for a delay: a success never does. */
export function mayRetry(ends: readonly AttemptEnd[]): boolean {
  return ends.some(({ outcome }) => !isSuccess(outcome));
}

/**
 * Puts what has ended back at the end of the queue, due now, counting from 0 again, its last error and history kept. A time
 * by which it had to be begun, once it has passed, is forgotten, too: it would end it again at once.
 */
export function requeue(ended: DeadLetter | CompletedJob | FailedJob, now: number): PendingJob {
  const { expires_at = Number.POSITIVE_INFINITY, ...lasting } = ended;
  const lastError = isDeadLetter(ended) ? ended.error : ended.last_error;
  return {
    id: ended.id,
    command: ended.command,
    state: "pending",
    run_at: now,
    attempts: 0,
    max_retries: ended.max_retries,
    created_at: ended.created_at,
    updated_at: now,
    ...termsOf(expires_at > now ? ended : lasting),
    ...(lastError === undefined ? {} : { last_error: lastError }),
    ...(ended.history && { history: ended.history }),
  };
}

/** Gives up a job that nobody runs: as `finish` does with an attempt that was canceled. */
export function cancelPending(job: PendingJob, now: number): FailedJob {
  const { waits_for: _, ...kept } = job;
  return { ...kept, state: "failed", updated_at: now, last_error: describeOutcome({ kind: "canceled" }) };
}

/** The lease gate. */
function holds(entry: Entry | undefined, lease: Lease): entry is ProcessingJob {
  return entry !== undefined && isIn(entry, "processing") && entry.lease === lease;
}

function isSuccess(outcome: Outcome): boolean {
  return outcome.kind === "exited" && outcome.code === 0;
}

function complete(job: ProcessingJob, now: number): JobEvent {
  const { lease: _, last_error: __, ...kept } = job;
  return { event: "completed", job: { ...kept, state: "completed", updated_at: now } };
}

function release(job: ProcessingJob, now: number): JobEvent {
  return { event: "released", job: { ...backToPending(job, now), attempts: job.attempts - 1 } };
}

function giveUp(job: ProcessingJob, outcome: Outcome & { kind: "canceled" | "expired" }, now: number): JobEvent {
  const { lease: _, worker_id: __, processing_started_at: ___, ...kept } = job;
  const last_error = describeOutcome(outcome);
  // What had expired was not begun.
  const ended =
    outcome.kind === "expired" ? { attempts: job.attempts - 1 } : { history: historyWith(job, last_error, now) };
  return { event: "failed", job: { ...kept, state: "failed", updated_at: now, last_error, ...ended } };
}

function fail(
  job: ProcessingJob,
  { outcome, now, policy }: { outcome: Outcome; now: number; policy: RetryPolicy },
): JobEvent {
  const error = describeOutcome(outcome);
  if (isLastAttempt(job, { attempt: job.attempts, failing: failingOf(outcome) })) {
    return { event: "dead-lettered", job: deadLetter(job, error, now) };
  }
  const history = historyWith(job, error, now);
  const asked = "retryAfterMs" in outcome ? outcome.retryAfterMs : undefined;
  const delayMs = asked ?? backoffMs(job.attempts, policy.backoff, policy.random);
  const pending = { ...backToPending(job, now), run_at: now + delayMs, last_error: error, history };
  return outcome.kind === "worker-lost"
    ? { event: "rescued", job: pending, delayMs, from: outcome.workerId }
    : { event: "rescheduled", job: pending, delayMs };
}

function failingOf(outcome: Outcome): Failing | undefined {
  if (outcome.kind === "exited") return outcome.code;
  if (outcome.kind === "signaled") return "signal";
  return outcome.kind === "timed-out" ? "timeout" : undefined;
}

function backToPending(job: ProcessingJob, now: number): PendingJob {
  const { lease: _, worker_id: __, processing_started_at: ___, ...kept } = job;
  return { ...kept, state: "pending", updated_at: now };
}

/** A success is told by the job's own fields, and a release made nothing of the attempt. */
function historyWith(job: ProcessingJob, outcome: string, now: number): History {
  const { attempts: attempt, processing_started_at: started_at, worker_id, lease } = job;
  const ended = { attempt, started_at, ended_at: now, worker_id, outcome, lease };
  return [...(job.history ?? []), ended].slice(-KEPT_ATTEMPTS);
}

function deadLetter(job: ProcessingJob, error: string, now: number): DeadLetter {
  return {
    id: job.id,
    command: job.command,
    attempts: job.attempts,
    error,
    failed_at: now,
    max_retries: job.max_retries,
    created_at: job.created_at,
    ...termsOf(job),
    history: historyWith(job, error, now),
    worker_id: job.worker_id,
  };
}
