/** Schedules, for people. */

import { queueOf } from "../job/queue.ts";
import type { Schedule } from "../job/schedule.ts";
import type { Colours } from "./colours.ts";
import { escapeControls } from "./escape.ts";
import type { View } from "./output.ts";
import { type Column, table } from "./table.ts";
import { iso, relative } from "./time.ts";

/** A table, on a terminal or in a pipe. */
export function scheduleLines(
  { schedules, now }: Extract<View, { view: "schedules" }>,
  { width, colours }: { width: number; colours: Colours },
): Iterable<string> {
  if (schedules.length === 0) return ["No schedules."];
  const columns: Column<Schedule>[] = [
    { title: "NAME", text: ({ name }) => name, flex: { min: 8, max: 40 } },
    { title: "WHEN", text: ({ cron }) => cron },
    { title: "TIME ZONE", text: ({ tz }) => tz, flex: { min: 12, max: 40 } },
    // Of an instant that is past, the job comes with the next worker.
    { title: "NEXT", text: ({ next_at }) => (next_at <= now ? "due" : relative(next_at, now)) },
    ...(schedules.some(({ spec }) => spec.queue !== undefined) ? [QUEUE] : []),
    { title: "COMMAND", text: ({ spec }) => spec.command, flex: { min: 16, max: width } },
  ];
  return table(schedules, columns, { width, paintTitle: colours.bold });
}

const QUEUE: Column<Schedule> = {
  title: "QUEUE",
  text: ({ spec }) => queueOf(spec),
  flex: { min: 8, max: 24 },
};

export function addedLine({ schedule, now }: Extract<View, { view: "schedule-added" }>): string {
  const { name, next_at } = schedule;
  return `⏰ Schedule ${escapeControls(name)}: next at ${iso(next_at)} (${relative(next_at, now)}).`;
}
