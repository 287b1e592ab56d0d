/** What schedules whose time has come give, as records of one commit. */
import { fire } from "../../job/schedule.ts";
import { type JournalRecord, recordOf, recordOfSchedule } from "./commit.ts";
import type { QueueState } from "./state.ts";

export function firing(state: QueueState, at: { now: number; maxRetries: number }): JournalRecord[] {
  const due = Object.values(state.standing.schedules).filter(({ next_at }) => next_at <= at.now);
  return due.flatMap((before) => {
    const { schedule, jobs } = fire(before, { ...at, holderOf: (id) => state.entry(id) });
    return [...jobs.map((job) => recordOf("enqueued", undefined, job)), recordOfSchedule(schedule.name, schedule)];
  });
}
