/** What an enqueue and a queue's rule come to as records: pure, on the state as it is with the lock held. */
import type { PendingJob } from "../../job/job.ts";
import { changedRule, type QueueRule, type QueueRuleChange } from "../../job/queue.ts";
import type { JobSpec } from "../../job/spec.ts";
import { type Admission, admit } from "../admission.ts";
import { recordOf, recordOfRule } from "./commit.ts";
import type { Decision } from "./ledger.ts";

/** New jobs, all or none. Throws as `admit`. */
export function decideAdmission(specs: readonly JobSpec[], admission: Admission): Decision<PendingJob[]> {
  const added = admit(specs, admission);
  return { records: added.map((job) => recordOf("enqueued", undefined, job)), result: added };
}

/** What is to hold for a queue. */
export function decideRule(name: string, before: QueueRule | undefined, change: QueueRuleChange): Decision<QueueRule> {
  const rule = changedRule(before, change);
  return { records: [recordOfRule(name, rule)], result: rule };
}
