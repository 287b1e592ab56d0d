/** What an enqueue and a requeue come to as records: pure, on the state as it is with the lock held. */
import type { PendingJob } from "../../job/job.ts";
import type { JobSpec } from "../../job/spec.ts";
import { type Admission, admit, readmit } from "../admission.ts";
import { recordOf } from "./commit.ts";
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
