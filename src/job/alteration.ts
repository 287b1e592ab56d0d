/**
 * What becomes of a job or a dead letter by a person's wish, apart from being enqueued and run. The rules for it are in
 * `control.ts` and `edit.ts`; a store makes what they say atomic. A job that is processing is its worker's: no rule
 * alters one.
 */
import { QueueError } from "./errors.ts";
import { type DeadLetter, type Entry, type FailedJob, isDeadLetter, isIn, type PendingJob } from "./job.ts";
import type { UnfinishedJob } from "./key.ts";
import { cancelPending } from "./lifecycle.ts";

export type Alteration =
  /** It was canceled. */
  | { readonly event: "failed"; readonly job: FailedJob }
  /** It is pending, at the end of the queue. */
  | { readonly event: "requeued"; readonly job: PendingJob }
  /** It is where it was. */
  | { readonly event: "edited"; readonly job: PendingJob | DeadLetter }
  /** It is gone; this is what it was. */
  | { readonly event: "removed"; readonly job: Entry };

/**
 * What is to become of the entry that has an id, if any has: nothing where it is undefined, and an error where it must
 * not be. Pure, for it may be asked more than once.
 */
export type Rule = (entry: Entry | undefined, circumstances: Circumstances) => Alteration | QueueError | undefined;

export interface Circumstances {
  readonly id: string;
  readonly now: number;
  /** Another: one that is altered in the same call, or one of those that the entry was to be run `after`. */
  readonly entryOf: (id: string) => Entry | undefined;
  /** The unfinished job that has a key, one that is altered in the same call included. */
  readonly keyHolder: (key: string) => UnfinishedJob | undefined;
}

/** The same, but what it refuses is left as it is. */
export function wherePossible(rule: Rule): Rule {
  return (entry, circumstances) => {
    const verdict = rule(entry, circumstances);
    return verdict instanceof QueueError ? undefined : verdict;
  };
}

/** What the rule makes of all of them, in order; an id given twice counts once. Throws what it refuses. */
export function alterationsOf(
  ids: readonly string[],
  rule: Rule,
  { now, entryOf, keyHolder }: Omit<Circumstances, "id">,
): Alteration[] {
  const latest = new Map<string, Entry | undefined>();
  const entryNow = (id: string): Entry | undefined => (latest.has(id) ? latest.get(id) : entryOf(id));
  const keys = new Map<string, PendingJob>();
  const keyHolderNow = (key: string): UnfinishedJob | undefined => keys.get(key) ?? keyHolder(key);
  return [...new Set(ids)].flatMap((id) => {
    const entry = entryOf(id);
    const verdict = rule(entry, { id, now, entryOf: entryNow, keyHolder: keyHolderNow });
    if (verdict instanceof QueueError) throw verdict;
    if (verdict === undefined) return [];
    if (entry && isIn(entry, "processing")) throw new Error(`a rule would have ${verdict.event} the running job ${id}`);
    if (verdict.event === "requeued" && verdict.job.key !== undefined) keys.set(verdict.job.key, verdict.job);
    latest.set(id, verdict.event === "removed" ? undefined : verdict.job);
    return [verdict];
  });
}

/**
 * The jobs that came to an end by that without being completed: what waits for them waits in vain. One that was removed
 * counts as canceled, for only while it is pending there can be somebody who waits for it.
 */
export function lostBy(alterations: readonly Alteration[], now: number): FailedJob[] {
  return alterations.flatMap(({ event, job }) => {
    if (event === "failed") return [job];
    return event === "removed" && isIn(job, "pending") ? [cancelPending(job, now)] : [];
  });
}

/** `E_JOB_NOT_FOUND`. */
export function notFound(id: string): QueueError {
  return new QueueError("E_JOB_NOT_FOUND", `Job ${id} not found.`);
}

/** `E_JOB_STATE`: what it is, and what follows from that. */
export function wrongState(entry: Entry, consequence: string, hint?: string): QueueError {
  const state = isDeadLetter(entry) ? "in the DLQ" : entry.state;
  return new QueueError(
    "E_JOB_STATE",
    `Job ${entry.id} is ${state}: ${consequence}.`,
    hint === undefined ? {} : { hint },
  );
}
