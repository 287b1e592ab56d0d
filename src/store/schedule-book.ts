/** The schedules of a queue. Whoever claims jobs has those fired whose time has come (`Store.settle`). */
import { QueueError } from "../job/errors.ts";
import type { Schedule } from "../job/schedule.ts";

export interface ScheduleBook {
  /** By name. */
  list(): Promise<Schedule[]>;

  /** Adds a schedule, durably; or with `existing: "replace"` in the place of one of its name. Throws `E_SCHEDULE_EXISTS`. */
  add(schedule: Schedule, options?: { readonly existing?: "refuse" | "replace" }): Promise<void>;

  /** Its jobs stay. Throws `E_SCHEDULE_NOT_FOUND`. */
  remove(name: string): Promise<void>;
}

export function byName(schedules: Iterable<Schedule>): Schedule[] {
  return Array.from(schedules).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function scheduleExists(name: string): QueueError {
  return new QueueError("E_SCHEDULE_EXISTS", `A schedule ${name} exists already.`, {
    hint: "To have this one instead: --replace",
  });
}

export function scheduleNotFound(name: string): QueueError {
  return new QueueError("E_SCHEDULE_NOT_FOUND", `Schedule ${name} not found.`, { hint: "See: queuectl schedule-list" });
}
