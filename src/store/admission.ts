/** Who comes into the queue. Pure: the store says who is there. */
import { type Arrival, refuseCircles, withDependencies } from "../job/dependency.ts";
import { QueueError } from "../job/errors.ts";
import { type Entry, isDeadLetter, type PendingJob } from "../job/job.ts";
import { type Replacement, replace } from "../job/key.ts";
import { enqueue } from "../job/lifecycle.ts";
import { shellWord } from "../job/shell-word.ts";
import { shown } from "../job/shown.ts";
import type { JobSpec } from "../job/spec.ts";
import { NewcomerKeys } from "./newcomer-keys.ts";
import type { Residents } from "./residents.ts";
import type { EnqueueOptions, Enqueuing } from "./store.ts";

export interface Admission extends Required<EnqueueOptions> {
  /** Of jobs that say nothing themselves. */
  readonly maxRetries: number;
  readonly now: number;
  readonly random: () => number;
  readonly residents: Residents;
}

export interface Admitted {
  readonly jobs: PendingJob[];
  /** Which of them take the place of whom. */
  readonly replacements: readonly Replacement[];
  /** The ids of those that are there instead of the specs that were left out. */
  readonly present: readonly string[];
}

/**
 * New jobs, all or none. Throws `E_JOB_EXISTS`, unless those whose id or key is taken are to be left out or to take its
 * place; and as `withDependencies` does.
 */
export function admit(specs: readonly JobSpec[], admission: Admission): Admitted {
  const { existing, maxRetries, now, random, residents } = admission;
  const taken = new Set<string>();
  const added = new Map<string, Arrival>();
  const present: string[] = [];
  const keys = new NewcomerKeys(residents);
  for (const [index, spec] of specs.entries()) {
    const id = spec.id ?? freshId(random, (id) => taken.has(id) || residents.entry(id) !== undefined);
    const holder = residents.entry(id);
    if (holder || taken.has(id)) {
      if (existing === "refuse") throw idTaken(id, holder, index);
      present.push(id);
      continue;
    }
    const instead = keys.holderInsteadOf(spec, { existing, index });
    if (instead) {
      present.push(instead.id);
      continue;
    }
    const job = enqueue({ ...spec, id }, maxRetries, now);
    taken.add(id);
    added.set(id, { job, index });
    const replaced = keys.give(job);
    if (replaced) added.delete(replaced.id);
  }
  return { ...admitReplacing([...added.values()], keys.replaced, admission), present };
}

/** The jobs, once whoever wants to know has been told who is there instead of the others. */
export function jobsOf({ jobs, present }: Admitted, onSkip: Enqueuing["onSkip"]): PendingJob[] {
  for (const id of present) onSkip?.(id);
  return jobs;
}

/** `E_JOB_NOT_FOUND` for an id that nothing has; where there is an archive, it may be there. */
export function jobNotFound(id: string, { hasArchive }: { hasArchive: boolean }): QueueError {
  const hint = "Completed jobs leave the queue after a while: queuectl list --archived";
  return new QueueError("E_JOB_NOT_FOUND", `Job ${id} not found.`, hasArchive ? { hint } : {});
}

/** Nobody waits for a job whose place is taken: those who did wait for the one that takes it, which must not wait for them. */
function admitReplacing(
  arrivals: readonly Arrival[],
  replaced: ReadonlyMap<string, PendingJob>,
  { residents, now }: Admission,
): Pick<Admitted, "jobs" | "replacements"> {
  const replacements = arrivals.flatMap(({ job: by }): Replacement[] => {
    const old = by.key === undefined ? undefined : replaced.get(by.key);
    return old ? [{ old, by }] : [];
  });
  const changed = replace(replacements, (id) => residents.waitersOf(id), now).map(({ after }) => after);
  const latest = new Map(changed.map((job) => [job.id, job]));
  const jobs = withDependencies(arrivals, (id) => latest.get(id) ?? residents.entry(id));
  if (replacements.length > 0 && jobs.some((job) => job.waits_for)) {
    const behind = new Map(changed.flatMap((job) => (job.state === "pending" ? [[job.id, job]] : [])));
    // A map that grows is gone through to its end: who waits for one of them is behind it, too.
    for (const id of behind.keys()) {
      for (const job of residents.waitersOf(id)) if (!behind.has(job.id)) behind.set(job.id, job);
    }
    const waiting = jobs.map((job, n) => ({ job, index: arrivals[n]?.index ?? 0 }));
    refuseCircles(waiting, [...behind.values()]);
  }
  return { jobs, replacements };
}

/** An id that reads well aloud and in a file name; 50 random bits, and a number behind it should they ever repeat. */
function freshId(random: () => number, isTaken: (id: string) => boolean): string {
  let id = "";
  while (id.length < 10) id += "abcdefghjkmnpqrstuvwxyz23456789x"[Math.floor(random() * 32)];
  for (let suffix = 1; ; suffix++) {
    const candidate = suffix === 1 ? id : `${id}-${suffix}`;
    if (!isTaken(candidate)) return candidate;
  }
}

/** `E_JOB_EXISTS` for what stands at `index` of a call; without a holder, an earlier one of the same call has the id. */
export function idTaken(id: string, holder: Entry | undefined, index: number): QueueError {
  if (!holder) {
    return new QueueError("E_JOB_EXISTS", `The job ID ${shown(id)} stands more than once in this request.`, { index });
  }
  const place = isDeadLetter(holder) ? "in the DLQ" : holder.state;
  return new QueueError("E_JOB_EXISTS", `A job with ID ${shown(id)} exists already (${place}).`, {
    index,
    hint: isDeadLetter(holder)
      ? `To run that one again: queuectl dlq-retry ${shellWord(id)}`
      : "Choose another id, or leave it out.",
  });
}
