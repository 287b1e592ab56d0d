/** What `queue.json` says in its head beside its jobs: where the archived jobs are, what holds for queues, and the schedules. */
import type { QueueRules } from "../../job/queue.ts";
import type { Schedule } from "../../job/schedule.ts";
import { type ArchiveRange, archivingOf, isArchiveRange, withRange } from "./archive.ts";
import type { JournalRecord } from "./commit.ts";

export interface Standing {
  readonly archive: readonly ArchiveRange[];
  readonly queues: QueueRules;
  readonly schedules: Schedules;
}

/** By name. */
type Schedules = Readonly<Record<string, Schedule>>;

export const NOTHING_STANDING: Standing = { archive: [], queues: {}, schedules: {} };

/** As it is written; what is empty is left out. */
export function standingHead({ archive, queues, schedules }: Standing): Partial<Standing> {
  return {
    ...(archive.length > 0 ? { archive } : {}),
    ...(Object.keys(queues).length > 0 ? { queues } : {}),
    ...(Object.keys(schedules).length > 0 ? { schedules } : {}),
  };
}

/** What a head says of it, as far as that can be. */
export function standingIn({ archive, queues, schedules }: Partial<Standing>): Standing {
  return {
    archive: Array.isArray(archive) ? archive.filter(isArchiveRange) : [],
    queues: byName(queues),
    schedules: byName(schedules),
  };
}

/** As it is after a record that is about it. */
export function standingAfter(standing: Standing, record: JournalRecord): Standing {
  const { id, to, set } = record;
  if (to === "archive") return { ...standing, archive: withRange(standing.archive, archivingOf(record).range) };
  if (to === "rules") return { ...standing, queues: withEntry(standing.queues, id, set) };
  return { ...standing, schedules: withEntry(standing.schedules, id, set) };
}

/** As `of`, with what stands under that name now; nothing does where that is empty. */
function withEntry<T>(of: Readonly<Record<string, T>>, name: string, entry: object): Readonly<Record<string, T>> {
  const { [name]: _, ...others } = of;
  return Object.keys(entry).length === 0 ? others : { ...others, [name]: entry as T };
}

function byName<T>(value: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> {
  return typeof value === "object" && value !== null ? value : {};
}
