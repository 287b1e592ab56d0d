/** From `kill -9` of a worker to its job being pending again: with another worker idle, and with nobody there. */
import type { ProcessingJob } from "../src/job/job.ts";
import type { Store } from "../src/store/store.ts";
import type { Benchmark } from "./benchmark.ts";
import { openQueue } from "./queue.ts";

const KILLS = 100;
const KILLS_WITH_NOBODY_THERE = 20;
const LOOK_EVERY_MS = 2;

export const rescue: Benchmark = async (place) => {
  const watched = await measure(place.queuectl, place.fresh("rescue"), { kills: KILLS, idle: 1 });
  const alone = await measure(place.queuectl, place.fresh("rescue"), { kills: KILLS_WITH_NOBODY_THERE, idle: 0 });
  const budget = { atMost: 1000 };
  return [
    { what: `rescue, another worker idle, ${KILLS} kills`, unit: "ms", samples: watched, budget },
    { what: "the same, 99th percentile", unit: "ms", samples: watched, quantile: 0.99, budget },
    { what: "rescue at the next start, start included", unit: "ms", samples: alone, budget },
  ];
};

async function measure(
  queuectl: string,
  directory: string,
  { kills, idle }: { kills: number; idle: number },
): Promise<number[]> {
  const store = await openQueue(directory);
  // No job is run a second time: it would be in the way of the next one.
  await store.setConfig("backoff_base", 1000);
  const workers = new Map<number, Bun.Subprocess>();
  const start = (): void => {
    const worker = Bun.spawn([queuectl, "__worker", "--data-dir", directory], { stdin: "ignore", stdout: "ignore" });
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
