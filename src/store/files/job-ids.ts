/** The ids of new jobs: one that is made up, and what is said of one that is taken. */
import { QueueError } from "../../job/errors.ts";
import { type Entry, isDeadLetter } from "../../job/job.ts";
import { shellWord } from "../../job/shell-word.ts";
import { shown } from "../../job/spec.ts";

/** An id that reads well aloud and in a file name; 50 random bits, and a number behind it should they ever repeat. */
export function freshId(random: () => number, isTaken: (id: string) => boolean): string {
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
