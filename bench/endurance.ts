/**
 * A queue that jobs go through for a long time: some processes add, as fast as they are taken, and one takes and ends them,
 * running nothing. Does it slow down as it fills with jobs that are done, and how much does the disk write for each?
 * That is what the kernel counts as written to the device, in whole pages: a page that is synced twice is written twice.
 * What was asked of the system, to the byte, is told beside it.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { absent, type Benchmark, type Finding } from "./benchmark.ts";
import { Clerk } from "./stage/clerk.ts";
import type { Place } from "./stage/place.ts";
import { HAS_PROC, WITHOUT_PROC, written } from "./stage/proc.ts";
import { queueOf } from "./stage/queue.ts";
import { short } from "./stage/words.ts";

const SIZES = { full: { jobs: 1_000_000 }, quick: { jobs: 40_000 } } as const;
const PRODUCERS = 4;
const ADDED_AT_ONCE = 100;
/** Whoever adds waits while there are more of them pending, so that all go on adding to the end. */
const BACKLOG = 2000;
const LIMIT = 64;
const PARTS = 10;
/** A job may cost so many times more at the end than at the beginning. */
const FLAT = 1.3;
const AT_MOST_KIB = 4;

export const endurance: Benchmark = {
  chart: {
    title: `Jobs taken and ended while ${PRODUCERS} processes add`,
    panels: [{ name: "jobs/s", kind: "lines", x: "of all jobs" }],
  },
  async measure(place) {
    const { jobs } = SIZES[place.effort];
    using queue = await queueOf(place, {});
    const { doneMs, writes } = await goThrough(place, queue.directory, jobs);
    const rates = doneMs.map((ms, part) => jobs / PARTS / ((ms - (doneMs[part - 1] ?? 0)) / 1000));
    const finding = (rate: number, part: number): Finding => ({
      what: `the ${part + 1}${["st", "nd", "rd"][part] ?? "th"} tenth of ${short(jobs)} jobs`,
      unit: "/s",
      samples: [rate],
      mark: { series: "queuectl", x: `${((part + 1) * 100) / PARTS} %` },
    });
    const first = { name: "the 1st tenth", samples: rates.slice(0, 1) };
    const last = { what: "the last tenth", unit: "/s", samples: rates.slice(-1), beside: first } as const;
    const kibAJob = (bytes: number): number[] => [bytes / 1024 / jobs];
    const disk: Finding[] = writes
      ? [
          {
            what: "written by the disk, a job",
            unit: "KiB",
            samples: kibAJob(writes.toDisk),
            budget: { atMost: AT_MOST_KIB },
          },
          { what: "asked of the system, a job", unit: "KiB", samples: kibAJob(writes.asked) },
        ]
      : [absent("written by the disk, a job", WITHOUT_PROC)];
    const used = sizeOf(queue.directory);
    return [
      ...rates.map(finding),
      { ...last, budget: { atLeast: 1 / FLAT } },
      ...disk,
      { what: "on the disk at the end", unit: "MiB", samples: [used / 1024 / 1024] },
      { what: "on the disk at the end, a job", unit: "KiB", samples: kibAJob(used) },
    ];
  },
};

/** When each part was done, and in bytes what all of these processes wrote for it, where there is a way to know. */
async function goThrough(
  place: Place,
  directory: string,
  jobs: number,
): Promise<{ doneMs: number[]; writes: ReturnType<typeof written> | undefined }> {
  await using consumer = Clerk.start(place, directory);
  await using stack = new AsyncDisposableStack();
  const producers = Array.from({ length: PRODUCERS }, () => stack.use(Clerk.start(place, directory)));
  const order = { count: jobs / PRODUCERS, batch: ADDED_AT_ONCE, backlog: BACKLOG };
  const [doneMs] = await Promise.all([
    consumer.ask("consume", jobs, { limit: LIMIT, parts: PARTS }),
    ...producers.map((producer, i) => producer.ask("produce", { ...order, name: `producer-${i}` })),
  ]);
  if (!HAS_PROC) return { doneMs, writes: undefined };
  const each = [consumer, ...producers].map(({ pid }) => written(pid));
  const sum = (of: "asked" | "toDisk"): number => each.reduce((total, one) => total + one[of], 0);
  return { doneMs, writes: { asked: sum("asked"), toDisk: sum("toDisk") } };
}

function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true })
    .map((name) => statSync(join(directory, String(name))))
    .reduce((total, { size }) => total + size, 0);
}
