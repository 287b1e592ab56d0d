/** What an enqueue, a requeue and a queue's rule come to as records: pure, on the state as it is with the lock held. */
import type { PendingJob } from "../../job/job.ts";
import { changedRule, type QueueRule, type QueueRuleChange } from "../../job/queue.ts";
import type { JobSpec } from "../../job/spec.ts";
import { type Admission, admit, readmit } from "../admission.ts";
import { recordOf, recordOfRule } from "./commit.ts";
import type { Decision } from "./ledger.ts";
import type { QueueState } from "./state.ts";

/** New jobs, all or none. Throws as `admit`. */
export function decideAdmission(specs: readonly JobSpec[], admission: Admission): Decision<PendingJob[]> {
  const added = admit(specs, admission);
  return { records: added.map((job) => recordOf("enqueued", undefined, job)), result: added };
}

/** Dead letters as jobs again, all or none. Throws as `readmit`. */
export function decideReadmission(ids: readonly string[], state: QueueState, now: number): Decision<PendingJob[]> {
  const back = readmit(ids, { deadLetter: (id) => state.deadLetter(id), job: (id) => state.job(id), now });
  return { records: back.map(({ dead, job }) => recordOf("requeued", dead, job)), result: back.map(({ job }) => job) };
}

/** What is to hold for a queue. */
export function decideRule(name: string, before: QueueRule | undefined, change: QueueRuleChange): Decision<QueueRule> {
  const rule = changedRule(before, change);
  return { records: [recordOfRule(name, rule)], result: rule };
}
