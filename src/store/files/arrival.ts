/** What an enqueue and a queue's rule come to as records: pure, on the state as it is with the lock held. */
import { replace } from "../../job/key.ts";
import { changedRule, type QueueRule, type QueueRuleChange } from "../../job/queue.ts";
import type { JobSpec } from "../../job/spec.ts";
import { type Admission, type Admitted, admit } from "../admission.ts";
import { recordOf, recordOfConsequence, recordOfRule } from "./commit.ts";
import type { Decision } from "./ledger.ts";

/** New jobs, all or none. Throws as `admit`. */
export function decideAdmission(specs: readonly JobSpec[], admission: Admission): Decision<Admitted> {
  const { residents, now } = admission;
  const admitted = admit(specs, admission);
  const changes = replace(admitted.replacements, (id) => residents.waitersOf(id), now);
  return {
    records: [...changes.map(recordOfConsequence), ...admitted.jobs.map((job) => recordOf("enqueued", undefined, job))],
    result: admitted,
  };
}

/** What is to hold for a queue. */
export function decideRule(name: string, before: QueueRule | undefined, change: QueueRuleChange): Decision<QueueRule> {
  const rule = changedRule(before, change);
  return { records: [recordOfRule(name, rule)], result: rule };
}
