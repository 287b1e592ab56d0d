import { retryDeadLetter } from "../../src/job/control.ts";
import type { PendingJob } from "../../src/job/job.ts";
import type { Store } from "../../src/store/store.ts";

/** Puts dead letters back into the queue. */
export async function requeue(store: Store, ids: readonly string[]): Promise<PendingJob[]> {
  const done = await store.alter(ids, retryDeadLetter);
  return done.flatMap((alteration) => (alteration.event === "requeued" ? [alteration.job] : []));
}
