/** What goes from store to store. */
import type { ConfigKey, ConfigValue } from "../config.ts";
import type { CompletedJob, DeadLetter } from "../job/job.ts";
import type { PortableJob } from "../job/portable.ts";
import type { QueueRule } from "../job/queue.ts";
import type { Schedule } from "../job/schedule.ts";

/** One thing of it. */
export type Item = SettingItem | QueueItem | ScheduleItem | EntryItem | { readonly archived: CompletedJob };

export interface SettingItem {
  readonly setting: { readonly key: ConfigKey; readonly value: ConfigValue };
}

/** What holds for a queue; counted among the settings. */
export interface QueueItem {
  readonly queue: QueueRule & { readonly name: string };
}

/** Counted among the settings, too. */
export interface ScheduleItem {
  readonly schedule: Schedule;
}

/** One that has an id. */
export type EntryItem = { readonly job: PortableJob } | { readonly dead_letter: DeadLetter };

/** The job or the dead letter that it is, archived or not. */
export function recordIn(item: Item): PortableJob | DeadLetter | undefined {
  if ("job" in item) return item.job;
  if ("archived" in item) return item.archived;
  return "dead_letter" in item ? item.dead_letter : undefined;
}

/** How many of each kind of item. */
export interface Tally {
  readonly settings: number;
  readonly jobs: number;
  readonly dead_letters: number;
  readonly archived: number;
}

/** What was added, and what was left out because its like is there. */
export interface Restored {
  readonly added: Tally;
  readonly skipped: Tally;
}
