import { didYouMean } from "../../job/closest.ts";
import { HAPPENINGS, type Happening, type Recorded } from "../../job/happening.ts";
import { JOB_STATES } from "../../job/job.ts";
import { parseQueueName, queueOf } from "../../job/queue.ts";
import { shown } from "../../job/shown.ts";
import { safeJson } from "../../output/escape.ts";
import type { Store } from "../../store/store.ts";
import { ANY_ID, type Arguments, type Command } from "../command.ts";
import { events as eventsOf } from "../event-stream.ts";
import { EXIT } from "../exit-code.ts";
import { matchFilter } from "../job-filter.ts";
import { mistake } from "../mistake.ts";
import { MOMENTS, parseMoment } from "../moment.ts";
import { wholeNumber } from "../option-values.ts";
import { ABOUT_ID, MATCH, select } from "../selection.ts";

const MOST = 1_000_000_000;
const LINES_A_WRITE = 1000;

export const events: Command = {
  name: "events",
  summary: "Print what happened to jobs, one JSON a line; -f goes on with what happens",
  details: {
    title: "Events",
    lines: [
      "enqueued, claimed (an attempt begins), completed, rescheduled (it failed and",
      "is retried), rescued (its worker died), dead-lettered, failed (canceled,",
      "expired, or it waited in vain), released (its worker was stopped),",
      "requeued (by hand).",
      "They are told by what is known of the jobs in the queue and in the DLQ: of",
      "each its latest 20 attempts that failed. What leaves no trace there only -f",
      "sees: attempts that were released, and completed ones of a job that was run",
      "again. That a job was edited or removed is not told.",
      ABOUT_ID,
    ],
  },
  arguments: [{ name: "id", required: false, many: true, offer: ANY_ID }],
  options: [
    { name: "follow", short: "f", summary: "Go on with what happens from now on, until ^C" },
    {
      name: "tail",
      value: "n",
      summary: "Of what has happened only the last n events; with -f 0 is for new ones only",
    },
    { name: "since", value: "time", summary: "Only what happened since then: 1h, 2026-01-31T09:00:00Z" },
    { name: "event", value: "names", offer: { words: HAPPENINGS }, summary: "Only these events: completed,failed" },
    { name: "queue", value: "name", offer: { names: "queues" }, summary: "Only of jobs of this queue" },
    { name: "batch", value: "batch", summary: "Only of jobs of this batch" },
    { ...MATCH, summary: "Only of jobs whose id or command is like this: build-*" },
    { name: "archived", summary: "Also of completed jobs that have left the queue for the archive" },
  ],
  examples: [
    "queuectl events p1",
    "queuectl events --since 1h --event dead-lettered,failed",
    "queuectl events -f | jq --unbuffered -r '[.event, .id] | join(\" \")'",
    "queuectl events -f --tail 0 --event dead-lettered >> dead.jsonl",
  ],
  async run({ store, output, now }, args) {
    const { options } = args;
    const tail = wholeNumber(args, "tail", { min: 0, max: MOST });
    const isWanted = happeningFilter(args, now());
    const isOfJobs = jobFilter(args);
    const opened = await store();
    const isNamed = await idFilter(opened, args);
    const isMeant = (entry: Recorded): boolean => isNamed(entry) && isOfJobs(entry);
    const ways = { follow: options.has("follow"), archived: options.has("archived"), tail };
    for await (const happenings of eventsOf(opened, { ...ways, isMeant, isWanted, now })) {
      for (let at = 0; at < happenings.length; at += LINES_A_WRITE) {
        const lines = happenings.slice(at, at + LINES_A_WRITE).map((one) => `${safeJson(one)}\n`);
        if (!output.data(lines.join(""))) return EXIT.ok;
      }
    }
    return EXIT.ok;
  },
};

function happeningFilter({ options }: Arguments, now: number): (one: Happening) => boolean {
  const names = options.get("event")?.split(",").map(happeningNamed);
  const since = options.get("since");
  const from = since === undefined ? 0 : momentOf(since, now);
  return ({ event, at }) => at >= from && (names?.includes(event) ?? true);
}

function happeningNamed(name: string): Happening["event"] {
  const found = HAPPENINGS.find((one) => one === name);
  if (found) return found;
  throw mistake(
    `Expected --event to be some of ${HAPPENINGS.join(", ")}, got ${shown(name)}.`,
    didYouMean(name, HAPPENINGS),
  );
}

/** What lies ahead has not happened: a bare duration goes back. */
function momentOf(text: string, now: number): number {
  const moment = parseMoment(text, now) ?? parseMoment(`${text} ago`, now);
  if (moment !== undefined) return moment;
  throw mistake(`Expected --since to be a time, like 1h, ${MOMENTS}, got ${shown(text)}.`);
}

function jobFilter({ options }: Arguments): (entry: Recorded) => boolean {
  const queue = options.get("queue");
  const name = queue === undefined ? undefined : parseQueueName(queue);
  const batch = options.get("batch");
  const match = options.get("match");
  const matches = match === undefined ? undefined : matchFilter(match);
  return (entry) =>
    (name === undefined || queueOf(entry) === name) &&
    (batch === undefined || entry.batch === batch) &&
    (matches?.(entry) ?? true);
}

async function idFilter(store: Store, args: Arguments): Promise<(entry: Recorded) => boolean> {
  if (args.words.length === 0) return () => true;
  const { entries } = await select(store, args, JOB_STATES);
  const ids = new Set(entries.map(({ id }) => id));
  return ({ id }) => ids.has(id);
}
