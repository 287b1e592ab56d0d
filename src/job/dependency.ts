/**
 * Jobs that wait for others. `after` is what a job was enqueued with; `waits_for` is what is left of that while it waits.
 * It may be claimed once nothing is left. When one that it waits for ends and has not completed, it has failed itself, and
 * so have those that wait for it.
 */
import { type ErrorCode, QueueError } from "./errors.ts";
import { type Entry, type FailedJob, isDeadLetter, type PendingJob } from "./job.ts";
import { shown } from "./shown.ts";

/** What became of a pending job. */
export interface Consequence {
  readonly before: PendingJob;
  readonly after: PendingJob | FailedJob;
}

/**
 * What the ends of `ended`, as they are now, do to those that wait for them. `waitersOf` are the jobs that wait for one of
 * this id. Each comes up once, as it is in the end.
 */
export function consequences(
  ended: Iterable<Entry>,
  waitersOf: (id: string) => readonly PendingJob[],
  now: number,
): Consequence[] {
  const entries = [...ended];
  const changed = new Map<string, Consequence>();
  const change = (ids: ReadonlySet<string>, next: (job: PendingJob) => PendingJob | FailedJob): void => {
    for (const before of [...ids].flatMap(waitersOf)) {
      const latest = changed.get(before.id)?.after ?? before;
      if (latest.state === "pending") changed.set(before.id, { before, after: next(latest) });
    }
  };
  const completed = idsOf(entries.filter((entry) => "state" in entry && entry.state === "completed"));
  change(completed, (job) => withoutWaitingFor(job, completed, now));
  for (let lost = idsOf(entries.filter(isLost)); lost.size > 0; ) {
    const known = new Set(changed.keys().filter((id) => changed.get(id)?.after.state === "failed"));
    change(lost, (job) => failedWaiting(job, lost, now));
    lost = new Set(changed.keys().filter((id) => !known.has(id) && changed.get(id)?.after.state === "failed"));
  }
  return [...changed.values()];
}

/** Whether nobody who waits for it will see it complete any more. */
function isLost(entry: Entry): boolean {
  return isDeadLetter(entry) || entry.state === "failed";
}

function idsOf(entries: readonly Entry[]): Set<string> {
  return new Set(entries.map(({ id }) => id));
}

function withoutWaitingFor(job: PendingJob, completed: ReadonlySet<string>, now: number): PendingJob {
  const { waits_for = [], ...kept } = job;
  const left = waits_for.filter((id) => !completed.has(id));
  return { ...kept, updated_at: now, ...(left.length > 0 ? { waits_for: left } : {}) };
}

function failedWaiting(job: PendingJob, lost: ReadonlySet<string>, now: number): FailedJob {
  const { waits_for = [], ...kept } = job;
  const which = waits_for.find((id) => lost.has(id));
  const last_error = `job ${which}, which it waited for, did not complete`;
  return { ...kept, state: "failed", updated_at: now, last_error };
}

/** A job that is about to come, and its place among those that were asked for in one call. */
export interface Arrival {
  readonly job: PendingJob;
  readonly index: number;
}

/**
 * New jobs with what each has to wait for. Throws `E_JOB_NOT_FOUND` for a job that is not there, `E_JOB_STATE` for one that
 * will not complete, `E_USAGE` for jobs that wait for each other; with the `index` of the one that does.
 */
export function withDependencies(
  arrivals: readonly Arrival[],
  holderOf: (id: string) => Entry | undefined,
): PendingJob[] {
  const jobs = arrivals.map(({ job }) => job);
  if (jobs.every(({ after }) => after === undefined)) return jobs;
  const together = new Map(jobs.map((job) => [job.id, job]));
  const waiting = arrivals.map((arrival): Arrival => {
    const { job } = arrival;
    const left = (job.after ?? []).filter((id) => {
      const dependency = together.get(id) ?? holderOf(id);
      if (!dependency) throw refused("E_JOB_NOT_FOUND", `waits for ${shown(id)}, which is not there.`, arrival);
      if (!isLost(dependency)) return !("state" in dependency) || dependency.state !== "completed";
      const place = isDeadLetter(dependency) ? "is in the DLQ" : "has failed";
      throw refused("E_JOB_STATE", `waits for ${shown(id)}, which ${place}.`, arrival);
    });
    return left.length > 0 ? { ...arrival, job: { ...job, waits_for: [...new Set(left)] } } : arrival;
  });
  refuseCircles(waiting, []);
  return waiting.map(({ job }) => job);
}

/**
 * Throws `E_USAGE` for jobs that wait for each other. Those are jobs that come together, and `behind`: jobs that will wait for
 * one of them, or for each other, in the end.
 */
export function refuseCircles(arrivals: readonly Arrival[], behind: readonly PendingJob[]): void {
  const left = new Map([...arrivals.map(({ job }) => job), ...behind].map((job) => [job.id, job]));
  for (let before = left.size + 1; left.size < before; ) {
    before = left.size;
    for (const [id, { waits_for = [] }] of left) if (!waits_for.some((other) => left.has(other))) left.delete(id);
  }
  const arrival = arrivals.find(({ job }) => left.has(job.id));
  if (!arrival) return;
  const circle = [arrival.job.id];
  for (let next = nextIn(left, arrival.job); !circle.includes(next.id); next = nextIn(left, next)) circle.push(next.id);
  const ids = circle.map((id) => shown(id)).join(" → ");
  throw refused("E_USAGE", `waits for itself in the end: ${ids} → …`, arrival);
}

function nextIn(left: ReadonlyMap<string, PendingJob>, { waits_for = [], id }: PendingJob): PendingJob {
  const next = waits_for.map((other) => left.get(other)).find((other) => other !== undefined);
  if (!next) throw new Error(`job ${id} was left in a circle, and waits for nobody there`);
  return next;
}

function refused(code: ErrorCode, what: string, { job, index }: Arrival): QueueError {
  return new QueueError(code, `Job ${shown(job.id)} ${what}`, { index });
}
