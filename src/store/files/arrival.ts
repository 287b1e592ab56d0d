/** What an enqueue, a requeue and a queue's rule come to as records: pure, on the state as it is with the lock held. */
import type { PendingJob } from "../../job/job.ts";
import { replace } from "../../job/key.ts";
import { changedRule, type QueueRule, type QueueRuleChange } from "../../job/queue.ts";
import type { JobSpec } from "../../job/spec.ts";
import { type Admission, type Admitted, admit, readmit } from "../admission.ts";
import { recordOf, recordOfRule } from "./commit.ts";
import type { Decision } from "./ledger.ts";
import type { QueueState } from "./state.ts";

/** New jobs, all or none. Throws as `admit`. */
export function decideAdmission(specs: readonly JobSpec[], admission: Admission): Decision<Admitted> {
  const { residents, now } = admission;
  const admitted = admit(specs, admission);
  const changes = replace(admitted.replacements, (id) => residents.waitersOf(id), now);
  const changed = changes.map(({ before, after }) =>
    recordOf(after.state === "failed" ? "failed" : "waited", before, after),
  );
  return {
    records: [...changed, ...admitted.jobs.map((job) => recordOf("enqueued", undefined, job))],
    result: admitted,
  };
}

/** Dead letters as jobs again, all or none. Throws as `readmit`. */
export function decideReadmission(ids: readonly string[], state: QueueState, now: number): Decision<PendingJob[]> {
  const back = readmit(ids, {
    deadLetter: (id) => state.deadLetter(id),
    job: (id) => state.job(id),
    keyHolder: (key) => state.keyHolder(key),
    now,
  });
  return { records: back.map(({ dead, job }) => recordOf("requeued", dead, job)), result: back.map(({ job }) => job) };
}

/** What is to hold for a queue. */
export function decideRule(name: string, before: QueueRule | undefined, change: QueueRuleChange): Decision<QueueRule> {
  const rule = changedRule(before, change);
  return { records: [recordOfRule(name, rule)], result: rule };
}
