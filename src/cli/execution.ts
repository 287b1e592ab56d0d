/** `exec`: one job of the common queue, from its enqueueing to its end, with all that it prints in between. */
import { constants } from "node:os";
import type { PendingJob } from "../job/job.ts";
import { endingOf } from "../job/outcome.ts";
import { isOpen, type JobResult } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import type { Output } from "../output/output.ts";
import type { Store } from "../store/store.ts";
import { endJobs } from "../worker/cancel.ts";
import { onAbort, StopRequest, WORKER_STOP } from "../worker/stop-request.ts";
import { EXIT } from "./exit-code.ts";
import { JobWatch } from "./job-watch.ts";
import { LiveOutput } from "./live-output.ts";
import { OwnWorker } from "./own-worker.ts";

export interface ExecutionOptions {
  readonly output: Output;
  readonly now: () => number;
  /** Whether what the job prints is shown as it comes. */
  readonly isShown: boolean;
}

export interface Executed {
  readonly result: JobResult;
  /** That of the job itself, as a shell tells it. */
  readonly exitCode: number;
}

/** As `timeout` ends. */
const TIMED_OUT = 124;
/** As a shell ends that was ended by a signal: with this and its number. */
const SIGNALED = 128;
/** A job that has not been begun by then is said to be waited for. */
const WAITING_AFTER_MS = 1000;

/** Resolves when the job has ended, or was given up after ^C. Throws what `enqueue` throws. */
export async function execute(store: Store, spec: JobSpec, options: ExecutionOptions): Promise<Executed> {
  using stop = new StopRequest();
  const [job] = await store.enqueue([spec]);
  if (!job) throw new Error("a job that was not refused was not enqueued");
  const result = await follow(store, job, { stop, ...options });
  if (!isOpen(result)) return { result, exitCode: exitCodeOf(result) };
  const end = await giveUp(store, job.id, options.output);
  return { result: end, exitCode: EXIT.interrupted };
}

/** As it is in the end, or when this process was asked to leave: then its own worker has left. */
async function follow(
  store: Store,
  job: PendingJob,
  { stop, output, now, isShown }: ExecutionOptions & { stop: StopRequest },
): Promise<JobResult> {
  const { id } = job;
  const live = new LiveOutput(store, id, output.note.bind(output));
  const streaming = isShown
    ? output.stream({ id, attempt: null, places: [], chunks: live.chunks(), raw: true })
    : undefined;
  // Before the job has ended, nobody reads any more, or it cannot be shown: then it is given up, as a pipe would have it.
  const giveUpEarly = (): void => stop.insist("the end of its output");
  streaming?.then(giveUpEarly, giveUpEarly);
  const worker = new OwnWorker(store, id, { stop, now, warn: output.warn.bind(output) });
  const watch = await JobWatch.begin(store, { of: "ids", ids: [id] });
  const isPending = (): boolean => watch.results.some(({ state }) => state === "pending");
  const timer = setTimeout(() => {
    if (isPending()) output.note(`Waiting for job ${id} to be begun...`);
  }, WAITING_AFTER_MS);
  await watch.untilEnded(interrupted(stop), async () => {
    const [result] = watch.results;
    live.notice(result?.state === "processing" ? result.attempts : undefined);
    if (isPending()) await worker.startIfNeeded(job);
  });
  clearTimeout(timer);
  await worker.leave();
  live.end();
  await streaming;
  return watch.results[0] as JobResult;
}

/** Aborts when somebody wants this process to end, and not only its worker. */
function interrupted(stop: StopRequest): AbortSignal {
  const controller = new AbortController();
  onAbort(stop.gently, (by) => (by === WORKER_STOP ? undefined : controller.abort()));
  onAbort(stop.now, () => controller.abort());
  return controller.signal;
}

/** As `cancel` does. */
async function giveUp(store: Store, id: string, output: Output): Promise<JobResult> {
  const { unreachable } = await endJobs(store, await store.entries([id]), () =>
    output.note(`Waiting for job ${id} to end...`),
  );
  if (unreachable.length > 0) output.warn(`Job ${id} goes on: its worker cannot be asked from here to end it.`);
  return (await JobWatch.begin(store, { of: "ids", ids: [id] })).results[0] as JobResult;
}

function exitCodeOf({ state, error = "" }: JobResult): number {
  if (state === "completed") return EXIT.ok;
  const ending = state === "dead" ? endingOf(error) : undefined;
  if (ending === undefined) return EXIT.jobsFailed;
  if (ending === "timed-out") return TIMED_OUT;
  if ("code" in ending) return ending.code;
  return SIGNALED + (constants.signals[ending.signal as NodeJS.Signals] ?? 0);
}
