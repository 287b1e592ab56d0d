/** `list` and `dlq-list` on a terminal. */
import { unreachable } from "../job/errors.ts";
import type { DeadLetter, Job } from "../job/job.ts";
import { queueOf } from "../job/queue.ts";
import { type Colours, paintState } from "./colours.ts";
import { type Column, table } from "./table.ts";
import { relative, span } from "./time.ts";
import { count } from "./worker-log.ts";

export interface Look {
  readonly width: number;
  readonly colours: Colours;
  readonly now: number;
}

/** From this width on there is room for what went wrong with some of them. */
const WIDE = 120;

/** The lines of a table of jobs. */
export function jobTable(jobs: readonly Job[], look: Look): Iterable<string> {
  const hasFailed = (job: Job): boolean => job.last_error !== undefined;
  const columns: Column<Job>[] = [
    { title: "ID", text: (job) => job.id, flex: { min: 12, max: 40 } },
    ...(jobs.some(({ queue }) => queue !== undefined) ? [QUEUE] : []),
    { title: "STATE", text: (job) => job.state, paint: (cell, job) => paintState(job.state, cell, look.colours) },
    { title: "ATTEMPTS", text: (job) => `${job.attempts}/${job.max_retries + 1}` },
    { title: "WHEN", text: (job) => when(job, look.now) },
    { title: "COMMAND", text: (job) => job.command, flex: { min: 16, max: look.width } },
  ];
  const isWide = look.width >= WIDE;
  // Of those that have all failed, it is what one wants to know.
  if (isWide ? jobs.some(hasFailed) : jobs.every(hasFailed)) {
    columns.push({
      title: "LAST ERROR",
      text: (job) => job.last_error ?? "",
      flex: { min: isWide ? 32 : 16, max: look.width },
      paint: look.colours.red,
    });
  }
  return table(jobs, columns, { width: look.width, paintTitle: look.colours.bold });
}

const QUEUE: Column<Job> = { title: "QUEUE", text: queueOf, flex: { min: 8, max: 24 } };

/** The lines of a table of dead letters. */
export function deadLetterTable(dead: readonly DeadLetter[], look: Look): Iterable<string> {
  const columns: Column<DeadLetter>[] = [
    { title: "ID", text: (letter) => letter.id, flex: { min: 12, max: 40 } },
    { title: "ATTEMPTS", text: (letter) => String(letter.attempts) },
    { title: "FAILED", text: (letter) => relative(letter.failed_at, look.now) },
    {
      title: "ERROR",
      text: (letter) => letter.error,
      flex: { min: 24, max: look.width },
      paint: look.colours.red,
    },
    { title: "COMMAND", text: (letter) => letter.command, flex: { min: 16, max: look.width } },
  ];
  return table(dead, columns, { width: look.width, paintTitle: look.colours.bold });
}

/** The instant that matters in this state. */
function when(job: Job, now: number): string {
  switch (job.state) {
    case "pending":
      if (job.waits_for) return `after ${count(job.waits_for.length, "job", "jobs")}`;
      return job.run_at <= now ? "due" : relative(job.run_at, now);
    case "processing":
      return `for ${span(Math.max(0, now - job.processing_started_at))}`;
    case "completed":
    case "failed":
      return relative(job.updated_at, now);
    default:
      return unreachable(job);
  }
}
