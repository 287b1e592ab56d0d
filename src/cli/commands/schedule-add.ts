import { CATCH_UPS, nextInstant, OVERLAPS, parseScheduleName, type Schedule } from "../../job/schedule.ts";
import type { Arguments, Command, Context } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { mistake } from "../mistake.ts";
import { choice } from "../option-values.ts";
import { LINE_OPTION, SPEC_OPTIONS } from "../spec-options.ts";

/** What is different for each of its jobs, or is not said of something that has no end, or has a policy of its own. */
const NOT_OF_A_SCHEDULE = ["id", "delay", "at", "after", "key", "if-exists"];

export const scheduleAdd: Command = {
  name: "schedule-add",
  summary: "Have a command enqueued again and again, at times that a cron expression names",
  details: {
    title: "When",
    lines: [
      "Five fields in one word: minute hour day month weekday. '0 3 * * *' is 03:00",
      "every day, '*/15 9-17 * * MON-FRI' each quarter of an hour in working hours;",
      "@hourly, @daily, @weekly, @monthly and @yearly are such words, too.",
      "Any running worker sees to it; each time gives one job, however many there are.",
      "",
      "--catch-up   one   of the times at which no worker ran, the last is made up for",
      "             none  those are left out",
      "             all   each of them is made up for",
      "--overlap    skip  a time at which its last job is not done is left out",
      "             queue the job is enqueued all the same",
    ],
  },
  arguments: [
    { name: "name", required: true },
    { name: "cron", required: true },
  ],
  takesCommand: true,
  options: [
    LINE_OPTION,
    { name: "tz", value: "zone", summary: "The time zone that is meant, like Europe/Berlin (default: this machine's)" },
    {
      name: "catch-up",
      value: "which",
      offer: { words: CATCH_UPS },
      summary: `What is made up for: ${CATCH_UPS.join(", ")} (default: one)`,
    },
    {
      name: "overlap",
      value: "policy",
      offer: { words: OVERLAPS },
      summary: `While its last job is not done: ${OVERLAPS.join(", ")} (default: skip)`,
    },
    { name: "replace", summary: "Take the place of a schedule of that name" },
    ...SPEC_OPTIONS.filter(({ name }) => !NOT_OF_A_SCHEDULE.includes(name)),
  ],
  examples: [
    "queuectl schedule-add nightly '0 3 * * *' --tz Europe/Berlin -- ./backup.sh",
    "queuectl schedule-add poll '*/5 * * * *' --overlap skip --timeout 4m -c 'curl -fsS example.org | ./import'",
    "queuectl schedule-add nightly @daily --replace --catch-up none -- ./backup.sh",
  ],
  async run(context, args) {
    const schedule = await readSchedule(context, args);
    const existing = args.options.has("replace") ? "replace" : "refuse";
    await (await context.store()).schedules.add(schedule, { existing });
    await context.output.result({ view: "schedule-added", schedule, now: context.now() });
    return EXIT.ok;
  },
};

async function readSchedule(context: Context, args: Arguments): Promise<Schedule> {
  const [name = "", cron = "", surplus] = args.words;
  if (surplus !== undefined) {
    throw mistake("The five fields of the time are one word.", `As in: queuectl schedule-add ${name} '0 3 * * *' -- …`);
  }
  const { readCommand, specOf } = await import("../spec-reader.ts");
  const command = readCommand(args);
  if (command === undefined) {
    throw mistake(
      "Say what is to be run: after --, or as a line after -c.",
      `As in: queuectl schedule-add ${name} @daily -- make`,
    );
  }
  const now = context.now();
  const when = { cron, tz: args.options.get("tz") ?? Intl.DateTimeFormat().resolvedOptions().timeZone };
  return {
    name: parseScheduleName(name),
    ...when,
    spec: specOf(command, args, context),
    catch_up: choice(args, "catch-up", CATCH_UPS) ?? "one",
    overlap: choice(args, "overlap", OVERLAPS) ?? "skip",
    created_at: now,
    next_at: nextInstant(when, now),
  };
}
