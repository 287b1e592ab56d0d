/** What people have done to jobs and dead letters by hand, as records of one commit. */
import { type Alteration, alterationsOf, lostBy, type Rule } from "../../job/alteration.ts";
import { consequences } from "../../job/dependency.ts";
import type { HookPolicy } from "../../job/hook.ts";
import type { Entry, PendingJob } from "../../job/job.ts";
import { idTaken } from "../admission.ts";
import { remove } from "../local/durable.ts";
import type { LogDirectory } from "../local/log-directory.ts";
import { type JournalRecord, recordOf, recordOfConsequence, removalOf } from "./commit.ts";
import { hookRecords } from "./hooks.ts";
import type { Decision, Ledger } from "./ledger.ts";
import type { QueueState } from "./state.ts";

interface Parts {
  readonly ledger: Ledger;
  readonly logs: LogDirectory;
  readonly now: () => number;
  readonly hooks: () => HookPolicy | undefined;
}

/** Throws as `Store.alter`, and `E_JOB_EXISTS` of an id that a job and a dead letter have: to change both would be wrong. */
export async function alter(parts: Parts, ids: readonly string[], rule: Rule): Promise<Alteration[]> {
  const { ledger, logs, now } = parts;
  const hooks = parts.hooks();
  const decide = (state: QueueState) => decideAlterations(state, { ids, rule, now: now(), hooks });
  // Refused, or found to be nothing, before a directory is made for it and without the lock.
  const { records, result } = decide(ledger.state());
  if (records.length === 0) return [];
  // Looked for before they are removed: from then on another job of the same id may have logs.
  const paths = logs.pathsOf(result.filter(({ event }) => event === "removed").map(({ job }) => job.id));
  const done = await ledger.commit(decide, { durable: true });
  for (const path of paths) remove(path);
  return done;
}

function decideAlterations(
  state: QueueState,
  { ids, rule, now, hooks }: { ids: readonly string[]; rule: Rule; now: number; hooks: HookPolicy | undefined },
): Decision<Alteration[]> {
  const entryOf = (id: string): Entry | undefined => onlyEntry(state, id, ids);
  const result = alterationsOf(ids, rule, { now, entryOf, keyHolder: (key) => state.keyHolder(key) });
  const altered = new Set(result.map(({ job }) => job.id));
  const waitersOf = (id: string): PendingJob[] => state.waitersOf(id).filter((waiter) => !altered.has(waiter.id));
  const failing = consequences(lostBy(result, now), waitersOf, now);
  const failed = [
    ...result.filter(({ event }) => event === "failed").map(({ job }) => job),
    ...failing.map(({ after }) => after),
  ];
  const records = [
    ...result.map((alteration) => recordFor(alteration, state)),
    ...failing.map(recordOfConsequence),
    ...hookRecords(state, failed, { now, policy: hooks }),
  ];
  return { records, result };
}

/** Queues of the original tool may have a job and a dead letter of one id. */
function onlyEntry(state: QueueState, id: string, ids: readonly string[]): Entry | undefined {
  const job = state.job(id);
  if (job && state.deadLetter(id)) throw idTaken(id, job, ids.indexOf(id));
  return state.entry(id);
}

function recordFor({ event, job }: Alteration, state: QueueState): JournalRecord {
  if (event === "removed") return removalOf(job.id);
  // Put into the queue whole, a job that is there goes to its end.
  return recordOf(event, event === "requeued" ? undefined : state.entry(job.id), job);
}
