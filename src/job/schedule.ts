/**
 * Jobs that come by themselves, at the instants of a cron expression. Each instant gives one job, whose id is made of the
 * name and the instant; what has been fired is in `next_at`, which moves on with the very commit that brings the job.
 */
import { QueueError } from "./errors.ts";
import type { Entry, PendingJob } from "./job.ts";
import { isUnfinished } from "./key.ts";
import { enqueue } from "./lifecycle.ts";
import { shown } from "./shown.ts";
import { checkJobSpec, type JobSpec } from "./spec.ts";

/** What becomes of the instants at which nobody was there: none of them is made up for, the latest one, or all. */
export const CATCH_UPS = ["one", "none", "all"] as const;
/** What becomes of an instant while the job of the one before it is pending or processing. */
export const OVERLAPS = ["skip", "queue"] as const;

export interface Schedule {
  readonly name: string;
  /** Minute, hour, day, month, weekday; or a nickname as `@daily`. */
  readonly cron: string;
  /** The time zone in which that is meant, by its IANA name. */
  readonly tz: string;
  /** What each of its jobs is, beside its id and its time. */
  readonly spec: Omit<JobSpec, "id" | "run_at" | "delay" | "after" | "key" | "if_exists">;
  readonly catch_up: (typeof CATCH_UPS)[number];
  readonly overlap: (typeof OVERLAPS)[number];
  readonly created_at: number;
  /** The first instant that has not been fired, in epoch ms. */
  readonly next_at: number;
  /** The job that it gave last. */
  readonly last_id?: string;
}

/** What a schedule comes to at some moment: the jobs that are due by then, and how it goes on. */
export interface Firing {
  readonly schedule: Schedule;
  readonly jobs: readonly PendingJob[];
}

interface Circumstances {
  readonly now: number;
  readonly maxRetries: number;
  readonly holderOf: (id: string) => Entry | undefined;
}

/** Fired within so long of its instant, it was not missed. */
const PUNCTUAL_MS = 60_000;
/** More missed instants are not made up for, even where all are. */
const MOST_AT_ONCE = 1000;
/** The latest of many instants is looked for from so long ago. */
const LOOKS_BACK_MS = [120_000, 7_200_000, 172_800_000, 3_456_000_000, 63_072_000_000];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The name of a schedule, as a person gives it. Throws `E_USAGE`. */
export function parseScheduleName(text: string): string {
  if (NAME.test(text)) return text;
  throw new QueueError("E_USAGE", `${shown(text)} cannot be the name of a schedule.`, {
    hint: "Letters, digits, dots, dashes and underscores; up to 64 of them, the first a letter or a digit.",
  });
}

/** The first instant after `from`. Throws `E_USAGE` for what is no cron expression, no time zone, or never comes. */
export function nextInstant({ cron, tz }: Pick<Schedule, "cron" | "tz">, from: number): number {
  let next: Date | null;
  try {
    next = Bun.cron.parse(cron, from, { tz });
  } catch (cause) {
    const why =
      cause instanceof Error ? cause.message.replace(/^(?:Invalid cron expression|Bun\.cron): /, "") : String(cause);
    throw new QueueError("E_USAGE", `Cannot read ${shown(cron)} in the time zone ${shown(tz)}: ${why}.`, {
      cause,
      hint: "Five fields: minute hour day month weekday, as in '0 3 * * *' for 03:00 every day.",
    });
  }
  if (!next) throw new QueueError("E_USAGE", `${shown(cron)} names a time that never comes.`);
  return next.getTime();
}

/** Whether a value that was read somewhere is a schedule. Throws `E_USAGE` for one whose jobs or times could not be. */
export function isSchedule(value: unknown): value is Schedule {
  if (typeof value !== "object" || value === null) return false;
  const { name, cron, tz, spec, catch_up, overlap, created_at, next_at, last_id } = value as Partial<Schedule>;
  const isShaped =
    [name, cron, tz].every((text) => typeof text === "string") &&
    [created_at, next_at].every((instant) => Number.isSafeInteger(instant)) &&
    CATCH_UPS.some((known) => known === catch_up) &&
    OVERLAPS.some((known) => known === overlap) &&
    (last_id === undefined || typeof last_id === "string");
  if (!isShaped) return false;
  parseScheduleName(name ?? "");
  // Of overlapping jobs its own policy says what becomes.
  if (checkJobSpec(spec).key !== undefined) return false;
  nextInstant(value as Schedule, next_at ?? 0);
  return true;
}

/** The id of the job of an instant: `nightly@2026-01-31T02:00:00Z`. */
export function idAt({ name }: Schedule, instant: number): string {
  return `${name}@${new Date(instant).toISOString().replace(/\.000Z$/, "Z")}`;
}

/** The jobs of all instants up to now that are to be made up for. An id that is taken was fired before. */
export function fire(schedule: Schedule, { now, maxRetries, holderOf }: Circumstances): Firing {
  if (schedule.next_at > now) return { schedule, jobs: [] };
  const jobs: PendingJob[] = [];
  let { last_id } = schedule;
  for (const instant of instantsOf(schedule, now)) {
    const id = idAt(schedule, instant);
    const last = last_id === undefined ? undefined : (jobs.find((job) => job.id === last_id) ?? holderOf(last_id));
    if (schedule.overlap === "skip" && last && isUnfinished(last)) continue;
    if (holderOf(id)) continue;
    jobs.push(enqueue({ ...schedule.spec, id, run_at: instant }, maxRetries, now));
    last_id = id;
  }
  const next_at = nextInstant(schedule, now);
  return { schedule: { ...schedule, next_at, ...(last_id === undefined ? {} : { last_id }) }, jobs };
}

function instantsOf(schedule: Schedule, now: number): number[] {
  if (schedule.catch_up === "all") return instantsFrom(schedule, schedule.next_at, now);
  const latest = latestInstant(schedule, now);
  return schedule.catch_up === "one" || now - latest <= PUNCTUAL_MS ? [latest] : [];
}

/** The latest one up to now; there is one. */
function latestInstant(schedule: Schedule, now: number): number {
  const starts = LOOKS_BACK_MS.map((ms) => now - ms).filter((start) => start > schedule.next_at);
  for (const start of starts) {
    const first = nextInstant(schedule, start);
    if (first <= now) return instantsFrom(schedule, first, now).at(-1) ?? first;
  }
  return instantsFrom(schedule, schedule.next_at, now).at(-1) ?? schedule.next_at;
}

function instantsFrom(schedule: Schedule, first: number, now: number): number[] {
  const instants: number[] = [];
  for (let at = first; at <= now && instants.length < MOST_AT_ONCE; at = nextInstant(schedule, at)) instants.push(at);
  return instants;
}
