/** What one `settle` comes to: pure, on the state as it is with the lock held. */
import { consequences } from "../../job/dependency.ts";
import type { JobEvent, LeaseLost } from "../../job/event.ts";
import type { HookPolicy } from "../../job/hook.ts";
import type { Entry, ProcessingJob } from "../../job/job.ts";
import { type AttemptEnd, claim, finish, type RetryPolicy } from "../../job/lifecycle.ts";
import type { Claimant, Turn } from "../store.ts";
import { type JournalRecord, recordOf, recordOfConsequence } from "./commit.ts";
import { hookRecords } from "./hooks.ts";
import type { Asking } from "./lanes.ts";
import type { Decision } from "./ledger.ts";
import type { QueueState } from "./state.ts";

interface TurnRequest {
  readonly ends: readonly AttemptEnd[];
  readonly claimant: Claimant | undefined;
  /** The sequence number of the first record: a claim's lease is that of its own. */
  readonly seq: number;
  readonly now: number;
  readonly policy: RetryPolicy;
  readonly hooks: HookPolicy | undefined;
}

interface Settled {
  readonly ended: readonly (JobEvent | LeaseLost)[];
  readonly claimed: readonly ProcessingJob[];
}

/** Ends attempts, adds the hooks of those that ended for good, then gives the claimant its jobs. */
export function decideTurn(state: QueueState, request: TurnRequest): Decision<Settled> {
  const { ends, claimant, seq, now, policy, hooks } = request;
  const records: JournalRecord[] = [];
  const latest = new Map<string, Entry>();
  const ended = ends.map((end) => {
    const before = latest.get(end.id) ?? state.job(end.id);
    const change = finish(before, end, { now, policy });
    if (change.event !== "lease-lost") {
      records.push(recordOf(change.event, before, change.job));
      latest.set(end.id, change.job);
    }
    return change;
  });
  for (const consequence of consequences(latest.values(), (id) => state.waitersOf(id), now)) {
    records.push(recordOfConsequence(consequence));
    latest.set(consequence.after.id, consequence.after);
  }
  records.push(...hookRecords(state, latest.values(), { now, policy: hooks }));
  if (!claimant) return { records, result: { ended, claimed: [] } };
  const forgotten = forgottenBy(claimant, state).filter(({ id }) => !latest.has(id));
  const due = state.due({ ...termsOf(claimant, now), limit: claimant.limit - forgotten.length }, latest);
  const claimed = due.map((job) => {
    const running = claim(job, { workerId: claimant.workerId, lease: seq + records.length }, now);
    records.push(recordOf("claimed", job, running));
    return running;
  });
  return { records, result: { ended, claimed: [...forgotten, ...claimed] } };
}

/** What was settled, with the time at which to look again, as the state is afterwards. */
export function turn(state: QueueState, done: Settled, { now, claimant }: Pick<TurnRequest, "now" | "claimant">): Turn {
  const nextDueAt = state.nextDueAt(termsOf(claimant, now));
  const nextScheduleAt = state.nextScheduleAt();
  return {
    ...done,
    ...(nextDueAt === undefined ? {} : { nextDueAt }),
    ...(nextScheduleAt === undefined ? {} : { nextScheduleAt }),
  };
}

/** Whether a claim would come back empty. */
export function isNothingToTake(state: QueueState, claimant: Claimant, now: number): boolean {
  if (claimant.limit < 1) return true;
  const due = state.due({ ...termsOf(claimant, now), limit: 1 });
  return due.length === 0 && forgottenBy(claimant, state).length === 0;
}

function termsOf(claimant: Claimant | undefined, now: number): Pick<Asking, "now" | "served" | "only"> {
  return { now, served: claimant?.queues, only: claimant?.only };
}

/** Claims that count although their worker was told of an error, or of nothing: given to it once more. */
function forgottenBy({ workerId, limit, holds }: Claimant, state: QueueState): ProcessingJob[] {
  if (holds === undefined) return [];
  const found = Array.from(state.processing()).filter((job) => job.worker_id === workerId && !holds.has(job.lease));
  return found.slice(0, Math.max(0, limit));
}
