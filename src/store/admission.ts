/** Who comes into the queue. Pure: the store says which ids are taken. */
import { type Arrival, withDependencies } from "../job/dependency.ts";
import { QueueError } from "../job/errors.ts";
import { type Entry, isDeadLetter, type PendingJob } from "../job/job.ts";
import { enqueue } from "../job/lifecycle.ts";
import { shellWord } from "../job/shell-word.ts";
import { shown } from "../job/shown.ts";
import type { JobSpec } from "../job/spec.ts";
import type { EnqueueOptions } from "./store.ts";

/** Who has the id, if anybody has. */
export type HolderOf = (id: string) => Entry | undefined;

export interface Admission extends Required<EnqueueOptions> {
  /** Of jobs that say nothing themselves. */
  readonly maxRetries: number;
  readonly now: number;
  readonly random: () => number;
  readonly holderOf: HolderOf;
}

/**
 * New jobs, all or none. Throws `E_JOB_EXISTS`, unless those whose id is taken are to be left out; and as
 * `withDependencies` does.
 */
export function admit(specs: readonly JobSpec[], admission: Admission): PendingJob[] {
  const { existing, maxRetries, now, random, holderOf } = admission;
  const taken = new Set<string>();
  const added: Arrival[] = [];
  for (const [index, spec] of specs.entries()) {
    const id = spec.id ?? freshId(random, (id) => taken.has(id) || holderOf(id) !== undefined);
    const holder = holderOf(id);
    if (holder || taken.has(id)) {
      if (existing === "skip") continue;
      throw idTaken(id, holder, index);
    }
    taken.add(id);
    added.push({ job: enqueue({ ...spec, id }, maxRetries, now), index });
  }
  return withDependencies(added, holderOf);
}

/** `E_JOB_NOT_FOUND` for an id that nothing has; where there is an archive, it may be there. */
export function jobNotFound(id: string, { hasArchive }: { hasArchive: boolean }): QueueError {
  const hint = "Completed jobs leave the queue after a while: queuectl list --archived";
  return new QueueError("E_JOB_NOT_FOUND", `Job ${id} not found.`, hasArchive ? { hint } : {});
}

/** An id that reads well aloud and in a file name; 50 random bits, and a number behind it should they ever repeat. */
function freshId(random: () => number, isTaken: (id: string) => boolean): string {
  const letters = Array.from({ length: 10 }, () => "abcdefghjkmnpqrstuvwxyz23456789x"[Math.floor(random() * 32)]);
  const id = letters.join("");
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
