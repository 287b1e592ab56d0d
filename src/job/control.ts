/** What a person may have done to jobs by their ids. Each rule says of which states it is, and refuses the others. */
import { type Alteration, type Circumstances, notFound, type Rule, wrongState } from "./alteration.ts";
import { QueueError } from "./errors.ts";
import { type Entry, type FailedJob, isDeadLetter, isIn, type PendingJob } from "./job.ts";
import { keyTaken } from "./key.ts";
import { cancelPending, requeue } from "./lifecycle.ts";
import { describeOutcome } from "./outcome.ts";
import { shellWord } from "./shell-word.ts";

/**
 * A pending job is `failed`. One that is processing is left to its worker, who has to be asked, and one that was canceled
 * before stays so.
 */
export const cancel: Rule = (entry, { id, now }) => {
  if (!entry) return notFound(id);
  if (isDeadLetter(entry)) {
    return wrongState(entry, "nothing of it runs or waits", `To remove it: queuectl dlq-remove ${shellWord(id)}`);
  }
  if (entry.state === "pending") return { event: "failed", job: cancelPending(entry, now) };
  return entry.state === "processing" || wasCanceled(entry)
    ? undefined
    : wrongState(entry, "only what waits or runs can be canceled");
};

/** A completed or failed job runs again, with its attempts forgotten, once those that it is to run after are completed. */
export const retry: Rule = (entry, circumstances) => {
  const { id, now, entryOf } = circumstances;
  if (!entry) return notFound(id);
  if (isDeadLetter(entry)) {
    return wrongState(entry, "a dead letter has a way back of its own", `queuectl dlq-retry ${shellWord(id)}`);
  }
  if (entry.state !== "completed" && entry.state !== "failed") {
    return wrongState(entry, "only a completed or failed job can be run again");
  }
  const others = (entry.after ?? []).map(entryOf).filter((other) => other !== undefined);
  const lost = others.find((other) => isDeadLetter(other) || other.state === "failed");
  if (lost) return wrongState(entry, `it waits for job ${lost.id}, which did not complete: have that run again first`);
  const waits_for = others.filter((other) => !isIn(other, "completed")).map((other) => other.id);
  return requeued({ ...requeue(entry, now), ...(waits_for.length > 0 && { waits_for }) }, circumstances);
};

/** The same of a dead letter. */
export const retryDeadLetter: Rule = (entry, circumstances) =>
  entry && isDeadLetter(entry)
    ? requeued(requeue(entry, circumstances.now), circumstances)
    : notInDlq(circumstances.id);

export const remove: Rule = (entry, { id }) => {
  if (!entry) return notFound(id);
  return isIn(entry, "processing")
    ? wrongState(entry, "it cannot be removed", `To end it first: queuectl cancel ${shellWord(id)}`)
    : removed(entry);
};

export const removeDeadLetter: Rule = (entry, { id }) => (entry && isDeadLetter(entry) ? removed(entry) : notInDlq(id));

export function wasCanceled(entry: Entry): entry is FailedJob {
  return isIn(entry, "failed") && entry.last_error === describeOutcome({ kind: "canceled" });
}

export function notInDlq(id: string): QueueError {
  return new QueueError("E_JOB_NOT_FOUND", `Job ${id} not found in DLQ.`);
}

/** Unless another has its key by now. */
function requeued(job: PendingJob, { keyHolder }: Circumstances): Alteration | QueueError {
  const holder = job.key === undefined ? undefined : keyHolder(job.key);
  if (!holder) return { event: "requeued", job };
  return keyTaken(job, holder, { hint: "It can run again when that one has ended." });
}

function removed(job: Entry): Alteration {
  return { event: "removed", job };
}
