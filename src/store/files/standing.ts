/**
 * What `queue.json` says in its head beside its jobs: where the archived jobs are, what holds for queues, when the latest jobs
 * of those with a rate were begun, and the schedules.
 */
import type { ProcessingJob } from "../../job/job.ts";
import { type QueueRule, type QueueRules, type QueueStatus, queueOf } from "../../job/queue.ts";
import { withBeginning } from "../../job/rate.ts";
import type { Schedule } from "../../job/schedule.ts";
import { type ArchiveRange, archivingOf, isArchiveRange, withRange } from "./archive-range.ts";
import type { JournalRecord } from "./commit.ts";

export interface Standing {
  readonly archive: readonly ArchiveRange[];
  readonly queues: QueueRules;
  readonly begun: Beginnings;
  readonly schedules: Schedules;
}

/** By the name of the queue, in epoch ms, oldest first. */
type Beginnings = Readonly<Record<string, readonly number[]>>;

/** By name. */
type Schedules = Readonly<Record<string, Schedule>>;

export const NOTHING_STANDING: Standing = { archive: [], queues: {}, begun: {}, schedules: {} };

/** As it is written; what is empty is left out. */
export function standingHead({ archive, queues, begun, schedules }: Standing): Partial<Standing> {
  return {
    ...(archive.length > 0 ? { archive } : {}),
    ...(Object.keys(queues).length > 0 ? { queues } : {}),
    ...(Object.keys(begun).length > 0 ? { begun } : {}),
    ...(Object.keys(schedules).length > 0 ? { schedules } : {}),
  };
}

/** What a head says of it, as far as that can be. */
export function standingIn({ archive, queues, begun, schedules }: Partial<Standing>): Standing {
  return {
    archive: Array.isArray(archive) ? archive.filter(isArchiveRange) : [],
    queues: byName(queues),
    begun: byName(begun),
    schedules: byName(schedules),
  };
}

/** As it is after a record that is about it. */
export function standingAfter(standing: Standing, record: JournalRecord): Standing {
  const { id, to, set } = record;
  if (to === "archive") return { ...standing, archive: withRange(standing.archive, archivingOf(record).range) };
  if (to === "rules") return withRule(standing, id, set);
  return { ...standing, schedules: withEntry(standing.schedules, id, set) };
}

/** Every queue that has a rule, or a job that waits or runs. */
export function queueStatuses(counted: Iterable<QueueStatus>, { queues: rules, begun }: Standing): QueueStatus[] {
  const idle = Object.keys(rules).map((name) => [name, { name, pending: 0, waiting: 0, processing: 0 }] as const);
  const counts = Array.from(counted, (one) => [one.name, one] as const);
  return Array.from(new Map([...idle, ...counts]).values())
    .filter(({ name, pending, processing }) => name in rules || pending + processing > 0)
    .map((count) => {
      const rule = rules[count.name];
      return { ...count, ...rule, ...(rule?.rate === undefined ? {} : { begun: begun[count.name] ?? [] }) };
    });
}

/** With the rule that holds now; nothing does where it is empty. */
function withRule(standing: Standing, name: string, rule: QueueRule): Standing {
  const begun = rule.rate === undefined ? withEntry(standing.begun, name, {}) : standing.begun;
  return { ...standing, queues: withEntry(standing.queues, name, rule), begun };
}

/** Once this job has been claimed. */
export function withClaim(standing: Standing, job: ProcessingJob): Standing {
  const queue = queueOf(job);
  const rate = standing.queues[queue]?.rate;
  if (rate === undefined) return standing;
  const begun = withBeginning(rate, standing.begun[queue] ?? [], job.processing_started_at);
  return { ...standing, begun: { ...standing.begun, [queue]: begun } };
}

/** As `of`, with what stands under that name now; nothing does where that is empty. */
function withEntry<T>(of: Readonly<Record<string, T>>, name: string, entry: object): Readonly<Record<string, T>> {
  const { [name]: _, ...others } = of;
  return Object.keys(entry).length === 0 ? others : { ...others, [name]: entry as T };
}

function byName<T>(value: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> {
  return typeof value === "object" && value !== null ? value : {};
}
