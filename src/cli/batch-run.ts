/**
 * `run`: a batch in a queue of its own, with a worker of its own. The queue is a data directory like any other, so what holds
 * for others holds for it: no job runs twice at a time, a worker that is killed is replaced, and what it left is ended. If
 * this process is killed, its worker finishes what runs and leaves.
 */
import { QueueError } from "../job/errors.ts";
import { hasFailed, isOpen, type JobResult } from "../job/result.ts";
import type { BatchOutcome } from "../output/output.ts";
import type { Store } from "../store/store.ts";
import { totalOf } from "../store/transfer.ts";
import { onAbort, StopRequest, WORKER_STOP } from "../worker/stop-request.ts";
import { Supervisor } from "../worker/supervisor.ts";
import { atLine, type NumberedSpec } from "./job-lines.ts";
import { JobWatch } from "./job-watch.ts";
import { quietly } from "./quiet-workers.ts";

export interface BatchRunOptions {
  /** How many jobs run at a time. */
  readonly jobs: number;
  /** When so many have failed, no more are begun and what runs is ended; undefined for never. */
  readonly maxFailures: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly now: () => number;
  readonly warn: (sentence: string) => void;
  /** Told after each look, and which jobs have failed since the last one. */
  readonly onLook: (results: readonly JobResult[], failed: readonly JobResult[]) => Promise<void>;
}

/** What may end a run beside the signals. */
const TIMEOUT = "timeout";
const FAILURES = "failures";

/** Runs the jobs in this store, which must be empty: throws `E_STORE_NOT_EMPTY`, and what `enqueue` throws. */
export async function runBatch(
  store: Store,
  jobs: readonly NumberedSpec[],
  options: BatchRunOptions,
): Promise<Omit<BatchOutcome, "ms">> {
  using stop = new StopRequest();
  // Whoever ends a run wants nothing of it to go on.
  onAbort(stop.gently, (by) => (by === WORKER_STOP ? undefined : stop.insist(by)));
  await refuseUnlessEmpty(store);
  await enqueue(store, jobs);
  const watch = await JobWatch.begin(store, { of: "all" });
  const { timeoutMs } = options;
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.insist(TIMEOUT), timeoutMs);
  await work(store, watch, { stop, ...options });
  clearTimeout(timer);
  return { results: watch.results, how: howItEnded(watch.results, stop) };
}

async function work(
  store: Store,
  watch: JobWatch,
  { stop, jobs, maxFailures, now, warn, onLook }: BatchRunOptions & { stop: StopRequest },
): Promise<void> {
  const supervisor = new Supervisor(store, {
    ...{ count: 1, drain: true, now, ...quietly(warn) },
    forward: ["--concurrency", String(jobs), ...(maxFailures ? ["--max-failures", String(maxFailures)] : [])],
  });
  const left = new AbortController();
  const told = new Set<string>();
  const watching = watch.untilEnded(left.signal, async () => {
    const failed = watch.results.filter(hasFailed);
    const news = failed.filter(({ id }) => !told.has(id));
    for (const { id } of news) told.add(id);
    // The worker has seen that before us, unless it was killed meanwhile and another has counted anew.
    if (maxFailures && failed.length >= maxFailures) stop.insist(FAILURES);
    await onLook(watch.results, news);
  });
  // Nobody would see any more how the jobs come on.
  watching.catch(() => stop.insist("trouble"));
  try {
    await supervisor.run(stop);
  } finally {
    left.abort();
    await watching;
  }
}

function howItEnded(results: readonly JobResult[], stop: StopRequest): BatchOutcome["how"] {
  if (!stop.gently.aborted || !results.some(isOpen)) return "all-ended";
  if (stop.gently.reason === TIMEOUT) return "timed-out";
  return stop.gently.reason === FAILURES ? "gave-up" : "interrupted";
}

async function refuseUnlessEmpty(store: Store): Promise<void> {
  if (totalOf(await store.counts()) === 0) return;
  throw new QueueError("E_STORE_NOT_EMPTY", `There are jobs in ${store.location} already.`, {
    hint: "run takes a queue of its own: name another directory, or none.",
  });
}

async function enqueue(store: Store, jobs: readonly NumberedSpec[]): Promise<void> {
  try {
    // A job without a name is known by its line, which is the same the next time.
    await store.enqueue(jobs.map(({ line, spec }) => ({ id: `line-${line}`, ...spec })));
  } catch (error) {
    if (!(error instanceof QueueError) || error.index === undefined) throw error;
    throw atLine(jobs[error.index]?.line ?? 0, error);
  }
}
