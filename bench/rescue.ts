/** From `kill -9` of a worker to its job being pending again: with another worker idle, and with nobody there. */
import type { ProcessingJob } from "../src/job/job.ts";
import type { Store } from "../src/store/store.ts";
import type { Benchmark } from "./benchmark.ts";
import type { Place } from "./stage/place.ts";
import { openQueue } from "./stage/queue.ts";

const SIZES = {
  full: { kills: 100, killsWithNobodyThere: 20 },
  quick: { kills: 10, killsWithNobodyThere: 5 },
} as const;
const LOOK_EVERY_MS = 2;
const BUDGET_MS = 1000;

export const rescue: Benchmark = {
  chart: {
    title: "From kill -9 of a worker to its job pending again",
    panels: [{ name: "ms", kind: "bars", x: "who sees to it" }],
  },
  async measure(place) {
    const { kills, killsWithNobodyThere } = SIZES[place.effort];
    const watched = await measure(place, { kills, idle: 1 });
    const alone = await measure(place, { kills: killsWithNobodyThere, idle: 0 });
    const finding = (what: string, samples: readonly number[], { x, quantile }: { x: string; quantile?: number }) => ({
      what,
      unit: "ms" as const,
      samples,
      ...(quantile === undefined ? {} : { quantile }),
      budget: { atMost: BUDGET_MS },
      mark: { series: "queuectl", x },
    });
    return [
      finding(`another worker idle, ${kills} kills`, watched, { x: "another, idle" }),
      finding("the same, 99th percentile", watched, { x: "another, 99th percentile", quantile: 0.99 }),
      finding("at the next start, start included", alone, { x: "who starts next" }),
    ];
  },
};

async function measure(place: Place, { kills, idle }: { kills: number; idle: number }): Promise<number[]> {
  const directory = place.fresh("rescue");
  const store = await openQueue(directory);
  // No job is run a second time: it would be in the way of the next one.
  await store.setConfig("backoff_base", 1000);
  const workers = new Map<number, Bun.Subprocess>();
  const start = (): void => {
    const command = [place.queuectl, "__worker", "--data-dir", directory];
    const worker = place.adopt(Bun.spawn(command, { stdin: "ignore", stdout: "ignore" }), "SIGQUIT");
    workers.set(worker.pid, worker);
  };
  const samples: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    while (workers.size < 1 + idle) start();
    await store.enqueue([{ id: `job-${kill}`, command: "sleep 60", max_retries: 1 }]);
    const holder = await holderOf(store, `job-${kill}`);
    const began = performance.now();
    workers.get(holder)?.kill("SIGKILL");
    workers.delete(holder);
    if (idle === 0) start();
    await isPending(store, `job-${kill}`);
    samples.push(performance.now() - began);
  }
  for (const worker of workers.values()) worker.kill("SIGQUIT");
  await Promise.all(Array.from(workers.values(), ({ exited }) => exited));
  await store.close();
  return samples;
}

/** The pid of the worker that runs it. */
async function holderOf(store: Store, id: string): Promise<number> {
  for (;;) {
    const entry = await store.get(id);
    const { worker_id } = entry as ProcessingJob;
    if ("state" in entry && entry.state === "processing") return Number(worker_id.split("-")[1]);
    await Bun.sleep(LOOK_EVERY_MS);
  }
}

async function isPending(store: Store, id: string): Promise<void> {
  for (;;) {
    const entry = await store.get(id);
    if ("state" in entry && entry.state === "pending") return;
    await Bun.sleep(LOOK_EVERY_MS);
  }
}
