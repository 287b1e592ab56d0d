/** What became of a job, for whoever waits for it. */
import { type Entry, isDeadLetter, type Job } from "./job.ts";
import { isUnfinished } from "./key.ts";

export interface JobResult {
  readonly id: string;
  readonly command: string;
  /** `removed`: somebody took it out of the queue and of the DLQ before it had ended. */
  readonly state: Job["state"] | "dead" | "removed";
  readonly attempts: number;
  /** Why it is not completed. */
  readonly error?: string;
  /** When its last attempt began and when it ended, in epoch ms, as far as that is known. */
  readonly started_at?: number;
  readonly ended_at?: number;
}

export function resultOf(entry: Entry): JobResult {
  const { id, command, attempts, history } = entry;
  const started = "processing_started_at" in entry ? entry.processing_started_at : history?.at(-1)?.started_at;
  const common = { id, command, attempts, ...(started !== undefined && { started_at: started }) };
  if (isDeadLetter(entry)) return { ...common, state: "dead", error: entry.error, ended_at: entry.failed_at };
  const { state, last_error, updated_at } = entry;
  return {
    ...common,
    state,
    ...(last_error !== undefined && { error: last_error }),
    ...(isOpen({ state }) ? {} : { ended_at: updated_at }),
  };
}

/** Whether it may still come to something. */
export function isOpen(result: Pick<JobResult, "state">): boolean {
  return isUnfinished(result);
}

/** Whether it has ended without success. */
export function hasFailed(result: Pick<JobResult, "state">): boolean {
  return !isOpen(result) && result.state !== "completed";
}

/** Whether it was completed, but not at the first attempt. */
export function wasFlaky({ state, attempts }: JobResult): boolean {
  return state === "completed" && attempts > 1;
}
