/**
 * From a job's being enqueued to the first instruction of its command, with a worker that had nothing to do; and how late
 * a delayed job is started.
 *
 * The command writes into a pipe that this process reads: `echo` is the shell's own, so nothing but the shell has to be
 * started, and one clock measures both ends. The call begins the measurement, and what it takes until the job is durable
 * is in it. A floor is the start of that shell without a queue.
 */
import { type Benchmark, type Finding, interleave, type Measured } from "./benchmark.ts";
import { LinePipe } from "./stage/line-pipe.ts";
import type { Place } from "./stage/place.ts";
import { openQueue } from "./stage/queue.ts";
import { startWorkers } from "./stage/workers.ts";

const SIZES = {
  full: { jobs: 200, delayed: 100 },
  quick: { jobs: 20, delayed: 20 },
} as const;
const AT_MOST_MS = 10;
/** Between two jobs, spread so that they meet the worker in each of the things that it does now and then. */
const PAUSE_MS = { least: 20, spread: 390, step: 151 };
const DELAY_MS = { first: 500, step: 53 };
const LOOK_EVERY_MS = 50;

export const wakeUp: Benchmark = {
  chart: {
    title: "To the first instruction of a job, worker idle",
    panels: [{ name: "ms", kind: "bars", x: "from" }],
  },
  async measure(place) {
    const directory = place.fresh("wake-up");
    await using _workers = await startWorkers(place, directory, ["--count", "1"]);
    const ms = await measureStarts(place, directory);
    const late = await measureDelayed(directory, SIZES[place.effort].delayed);
    return [
      ...rows("bare shell → started", "a bare shell", ms.bare),
      ...rows("enqueue → started", "the call", ms.call, { budget: { atMost: AT_MOST_MS } }),
      { what: "enqueue → started", unit: "ms", samples: ms.call, beside: { name: "bare shell", samples: ms.bare } },
      ...rows("`queuectl enqueue` → started", "the command", ms.command),
      ...rows("run_at → started", "run_at", late),
    ];
  },
};

function rows(what: string, x: string, samples: readonly number[], judged: Pick<Measured, "budget"> = {}): Finding[] {
  const finding = { unit: "ms", samples } as const;
  return [
    { ...finding, ...judged, what, mark: { series: "median", x } },
    { ...finding, what: `${what}, 99th percentile`, quantile: 0.99, mark: { series: "99th percentile", x } },
  ];
}

async function measureStarts(place: Place, directory: string): Promise<Record<"bare" | "call" | "command", number[]>> {
  await using pipe = await LinePipe.open(place);
  const command = `echo > ${pipe.path}`;
  const store = await openQueue(directory);
  let count = 0;
  const time = async (begin: () => unknown): Promise<number> => {
    await Bun.sleep(PAUSE_MS.least + ((count++ * PAUSE_MS.step) % PAUSE_MS.spread));
    const line = pipe.nextLine();
    const start = performance.now();
    const begun = begin();
    await line;
    const ms = performance.now() - start;
    await begun;
    return ms;
  };
  const quiet = { stdin: "ignore", stdout: "ignore", stderr: "inherit" } as const;
  const enqueue = [place.queuectl, "enqueue", JSON.stringify({ command }), "--data-dir", directory];
  const ms = await interleave(SIZES[place.effort].jobs, {
    bare: () => time(() => Bun.spawn(["/bin/sh", "-c", command], quiet).exited),
    call: () => time(() => store.enqueue([{ command }])),
    command: () => time(() => Bun.spawn(enqueue, quiet).exited),
  });
  await store.close();
  return ms;
}

/** By the start that is in each job's record, in ms after its `run_at`. */
async function measureDelayed(directory: string, count: number): Promise<number[]> {
  const store = await openQueue(directory);
  const first = Date.now() + DELAY_MS.first;
  const specs = Array.from({ length: count }, (_, i) => ({
    id: `delayed-${i}`,
    command: "true",
    run_at: first + i * DELAY_MS.step,
  }));
  await store.enqueue(specs);
  for (;;) {
    const done = (await store.list("completed")).filter((job) => job.state === "completed" && /^delayed-/.test(job.id));
    if (done.length === count) {
      await store.close();
      return done.map((job) => (job.state === "completed" ? job.processing_started_at - job.run_at : Number.NaN));
    }
    await Bun.sleep(LOOK_EVERY_MS);
  }
}
