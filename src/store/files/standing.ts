/** What `queue.json` says in its head beside its jobs: where the archived jobs are, what holds for queues, and the schedules. */
import type { QueueRules } from "../../job/queue.ts";
import type { Schedule } from "../../job/schedule.ts";
import { type ArchiveRange, isArchiveRange } from "./archive.ts";

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

function byName<T>(value: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> {
  return typeof value === "object" && value !== null ? value : {};
}
