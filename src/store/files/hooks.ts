/** The hooks of jobs that end with a commit, as records of that commit. */
import { type HookPolicy, hooksOf } from "../../job/hook.ts";
import type { Entry } from "../../job/job.ts";
import { type JournalRecord, recordOf } from "./commit.ts";
import type { QueueState } from "./state.ts";

/** Of all entries as they are with the commit; those that do not end have none. */
export function hookRecords(
  state: QueueState,
  entries: Iterable<Entry>,
  { now, policy }: { now: number; policy: HookPolicy | undefined },
): JournalRecord[] {
  if (!policy) return [];
  const isTaken = (id: string): boolean => state.entry(id) !== undefined;
  return hooksOf(entries, { now, policy, isTaken }).map((hook) => recordOf("enqueued", undefined, hook));
}
