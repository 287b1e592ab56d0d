/**
 * Keys: of all jobs that are pending or processing, at most one has each. Whoever enqueues another says what is to become of
 * the two. A job that has ended has its key no more, though it still says which it had.
 */
import type { Consequence } from "./dependency.ts";
import { QueueError } from "./errors.ts";
import { invalid } from "./field.ts";
import type { PendingJob, ProcessingJob } from "./job.ts";
import { shown } from "./shown.ts";

/** What becomes of a job whose key is taken: it is refused, or left out, or it takes the place of the one that has it. */
export const IF_EXISTS = ["fail", "skip", "replace"] as const;
export type IfExists = (typeof IF_EXISTS)[number];

/** One that has the key that it says. */
export type UnfinishedJob = PendingJob | ProcessingJob;

/** A pending job, and the one that takes its place. */
export interface Replacement {
  readonly old: PendingJob;
  readonly by: PendingJob;
}

export function checkIfExists(value: unknown, field: string): IfExists {
  const known = IF_EXISTS.find((one) => one === value);
  if (known) return known;
  throw invalid(`"${field}" must be one of ${IF_EXISTS.join(", ")}, got ${shown(value)}.`);
}

/** Also of one that moves between stores, without its lease. */
export function isUnfinished(entry: object): boolean {
  return "state" in entry && (entry.state === "pending" || entry.state === "processing");
}

/** What the old jobs come to, and those that wait for them: these wait for the new ones instead. */
export function replace(
  replacements: readonly Replacement[],
  waitersOf: (id: string) => readonly PendingJob[],
  now: number,
): Consequence[] {
  // As nearly always: a cold enqueue is spared what the rest would load.
  if (replacements.length === 0) return [];
  const by = new Map(replacements.map((one) => [one.old.id, one.by.id]));
  const failed = replacements.map(({ old, by }): Consequence => {
    const { waits_for: _, ...kept } = old;
    return { before: old, after: { ...kept, state: "failed", updated_at: now, last_error: whyReplaced(by) } };
  });
  const waiters = new Map(Array.from(by.keys(), waitersOf).flatMap((jobs) => jobs.map((job) => [job.id, job])));
  const waiting = Array.from(
    waiters.values().filter(({ id }) => !by.has(id)),
    (before): Consequence => {
      const waits_for = (before.waits_for ?? []).map((id) => by.get(id) ?? id);
      return { before, after: { ...before, updated_at: now, waits_for } };
    },
  );
  return [...failed, ...waiting];
}

/** The `last_error` of a job whose place this one takes. */
export function whyReplaced({ id }: PendingJob): string {
  return `replaced by job ${id}`;
}

/** `E_JOB_EXISTS`, for what stands at `index` of a call. */
export function keyTaken(
  { id, key }: { readonly id?: string; readonly key?: string },
  holder: UnfinishedJob,
  options: { readonly index?: number; readonly hint: string },
): QueueError {
  const whose = id === undefined ? "" : ` of job ${shown(id)}`;
  const holding = `job ${shown(holder.id)} (${holder.state})`;
  return new QueueError("E_JOB_EXISTS", `The key ${shown(key)}${whose} is taken by ${holding}.`, options);
}
