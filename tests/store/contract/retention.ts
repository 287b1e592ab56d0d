import { expect } from "bun:test";
import type { CompletedJob } from "../../../src/job/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Bench, type Contract, end, FAILURE, ids, SUCCESS, specs, T0 } from "./bench.ts";

export const retentionContract: Contract = {
  "moves the completed jobs into the archive, but for the latest": async (bench) => {
    await complete(bench, "c", "a", "b");
    expect(await bench.store.prune({ keep: 1 })).toMatchObject({ archived: 2 });
    expect(ids(await bench.store.list())).toEqual(["b"]);
    expect(ids(await archived(bench.store))).toEqual(["c", "a"]);
  },

  "keeps as many as the settings say": async (bench) => {
    await complete(bench, "a", "b", "c");
    expect(await bench.store.prune()).toMatchObject({ archived: 0 });
    await bench.store.setConfig("keep_completed", 2);
    expect(await bench.store.prune()).toMatchObject({ archived: 1 });
    expect(ids(await archived(bench.store))).toEqual(["a"]);
  },

  "leaves whatever is not completed": async (bench) => {
    await bench.dead("dead");
    await bench.running("running");
    await bench.store.enqueue(specs("pending"));
    await bench.store.prune({ keep: 0 });
    expect(await bench.store.counts()).toMatchObject({ pending: 1, processing: 1, dead: 1, completed: 0, archived: 0 });
  },

  "archives a job as it was, and counts it as completed": async (bench) => {
    await complete(bench, "a");
    const job = await bench.store.get("a");
    await bench.store.prune({ keep: 0 });
    expect(await archived(bench.store)).toEqual([job as CompletedJob]);
    expect(await bench.store.counts()).toMatchObject({ completed: 1, archived: 1 });
    expect(await (await bench.another()).counts()).toMatchObject({ completed: 1, archived: 1 });
  },

  "frees the id of an archived job": async (bench) => {
    await complete(bench, "a");
    await bench.store.prune({ keep: 0 });
    await complete(bench, "a");
    await bench.store.prune({ keep: 0 });
    expect(ids(await archived(bench.store))).toEqual(["a", "a"]);
    expect(await bench.store.counts()).toMatchObject({ completed: 2 });
  },

  "only says what it would do, when asked": async (bench) => {
    await complete(bench, "a", "b");
    expect(await bench.store.prune({ keep: 0, dryRun: true })).toMatchObject({ archived: 2 });
    expect(ids(await bench.store.list())).toEqual(["a", "b"]);
    expect(await archived(bench.store)).toEqual([]);
  },

  "is there after a close": async (bench) => {
    await complete(bench, "a", "b");
    await bench.store.prune({ keep: 1 });
    await bench.close(bench.store);
    const again = await bench.another();
    expect(ids(await archived(again))).toEqual(["a"]);
    expect(ids(await again.list())).toEqual(["b"]);
  },

  "takes more jobs than one batch": async (bench) => {
    const names = Array.from({ length: 6000 }, (_, number) => `job-${number}`);
    await bench.store.enqueue(specs(...names));
    const { claimed } = await bench.store.settle([], { workerId: "worker-1", limit: names.length });
    await bench.store.settle(claimed.map((job) => end(job, SUCCESS)));
    expect(await bench.store.prune({ keep: 10 })).toMatchObject({ archived: 5990 });
    expect(ids(await archived(bench.store))).toEqual(names.slice(0, 5990));
    expect(await bench.store.counts()).toMatchObject({ completed: 6000, archived: 5990 });
  },

  "does not count a job that failed": async (bench) => {
    const [job] = await bench.running("a");
    await bench.store.settle([end(job, FAILURE)]);
    expect(await bench.store.prune({ keep: 0 })).toMatchObject({ archived: 0 });
  },
};

/** One after the other, each a second later than the one before. */
async function complete(bench: Bench, ...names: string[]): Promise<void> {
  for (const name of names) {
    bench.now = Math.max(bench.now, T0) + 1000;
    const [job] = await bench.running(name);
    if (job) await bench.store.settle([end(job, SUCCESS)]);
  }
}

async function archived(store: Store): Promise<CompletedJob[]> {
  const jobs: CompletedJob[] = [];
  for await (const batch of store.archived()) jobs.push(...batch);
  return jobs;
}
