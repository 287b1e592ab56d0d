import { expect } from "bun:test";
import { EVERY_QUEUE } from "../../../src/job/queue.ts";
import type { Store } from "../../../src/store/store.ts";
import { until } from "../../support/until.ts";
import { type Contract, claimed, end, FAILURE, ids, SUCCESS, specs, T0 } from "./bench.ts";

/** Enqueues jobs with these ids, each in the queue that stands before the dash of its id. */
async function add(store: Store, ...names: string[]): Promise<void> {
  await store.enqueue(names.map((id) => ({ id, command: "true", queue: id.split("-")[0] ?? "" })));
}

export const queuesContract: Contract = {
  "are named by their jobs, and whoever names none is in the default one": async ({ store }) => {
    await add(store, "deploy-1", "deploy-2");
    const [plain] = await store.enqueue(specs("p1"));
    expect(plain).not.toHaveProperty("queue");
    expect((await store.list()).map(({ queue }) => queue)).toEqual(["deploy", "deploy", undefined]);
    await claimed(store, { limit: 1 });
    const queues = await store.queues();
    expect(queues.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: "default", pending: 1, waiting: 0, processing: 0 },
      { name: "deploy", pending: 1, waiting: 0, processing: 1 },
    ]);
  },

  "are one queue as to priority and order, as long as nothing else holds for them": async ({ store }) => {
    await store.enqueue([
      { id: "a", command: "true", queue: "x" },
      { id: "b", command: "true" },
      { id: "c", command: "true", queue: "y", priority: 1 },
      { id: "d", command: "true", queue: "x", priority: 1 },
      { id: "e", command: "true" },
    ]);
    expect(ids(await claimed(store, { limit: 4 }))).toEqual(["c", "d", "a", "b"]);
    expect(ids(await claimed(store))).toEqual(["e"]);
  },

  "that are limited have no more jobs claimed than may run, and the others are not held up": async ({ store }) => {
    expect(await store.setQueue("deploy", { concurrency: 2 })).toEqual({ concurrency: 2 });
    await add(store, "deploy-1", "deploy-2", "deploy-3", "deploy-4", "default-1");
    const first = await store.settle([], { workerId: "worker-1", limit: 10 });
    expect(ids(first.claimed)).toEqual(["deploy-1", "deploy-2", "default-1"]);
    expect(first).not.toHaveProperty("nextDueAt");
    const [a, b] = first.claimed;
    if (!a || !b) throw new Error("nothing was claimed");
    const second = await store.settle([end(a, SUCCESS)], { workerId: "worker-1", limit: 10 });
    expect(ids(second.claimed)).toEqual(["deploy-3"]);
    await store.setQueue("deploy", { concurrency: 1 });
    const third = await store.settle([end(b, SUCCESS)], { workerId: "worker-1", limit: 10 });
    expect(third.claimed).toEqual([]);
    await store.setQueue("deploy", { concurrency: null });
    expect(ids(await claimed(store))).toEqual(["deploy-4"]);
  },

  "with a rate have no more jobs begun in any time than it says, by whatever handle, and tell when the next may be":
    async (bench) => {
      const { store } = bench;
      expect(await store.setQueue("deploy", { rate: "2/m" })).toEqual({ rate: "2/m" });
      await add(store, "deploy-1", "deploy-2", "deploy-3", "deploy-4", "deploy-5", "default-1");
      const other = await bench.another();
      expect(ids(await claimed(store, { limit: 1 }))).toEqual(["deploy-1"]);
      bench.now = T0 + 20_000;
      const turn = await other.settle([], { workerId: "worker-2", limit: 10 });
      expect(ids(turn.claimed)).toEqual(["deploy-2", "default-1"]);
      expect(turn.nextDueAt).toBe(T0 + 60_000);
      const [job] = turn.claimed;
      if (!job) throw new Error("nothing was claimed");
      bench.now = T0 + 59_999;
      const full = await store.settle([end(job, SUCCESS)], { workerId: "worker-1", limit: 10 });
      expect(full).toMatchObject({ claimed: [], nextDueAt: T0 + 60_000 });
      await bench.close(other);
      bench.now = T0 + 60_000;
      const again = await bench.another();
      const next = await again.settle([], { workerId: "worker-1", limit: 10 });
      expect(ids(next.claimed)).toEqual(["deploy-3"]);
      expect(next.nextDueAt).toBe(T0 + 80_000);
      expect(await again.queues()).toContainEqual({
        ...{ name: "deploy", pending: 2, waiting: 0, processing: 2, rate: "2/m" },
        begun: [T0 + 20_000, T0 + 60_000],
      });
      await store.setQueue("deploy", { rate: null });
      expect(ids(await claimed(again))).toEqual(["deploy-4", "deploy-5"]);
    },

  "with a rate count each attempt, those that are given back too": async (bench) => {
    const { store } = bench;
    await store.setQueue("deploy", { rate: "2/s", concurrency: 1 });
    await add(store, "deploy-1");
    const [first] = await claimed(store);
    if (!first) throw new Error("nothing was claimed");
    const { claimed: again } = await store.settle([end(first, { kind: "released" })], {
      workerId: "worker-1",
      limit: 1,
    });
    const [second] = again;
    if (!second) throw new Error("nothing was claimed");
    const turn = await store.settle([end(second, { kind: "released" })], { workerId: "worker-1", limit: 1 });
    expect(turn).toMatchObject({ claimed: [], nextDueAt: T0 + 1000 });
    bench.now = T0 + 1000;
    expect(ids(await claimed(store))).toEqual(["deploy-1"]);
  },

  "with a rate tell who asks for one job alone when that may be begun": async (bench) => {
    const { store } = bench;
    await store.setQueue("deploy", { rate: "1/s" });
    await add(store, "deploy-1", "deploy-2", "deploy-3");
    await claimed(store);
    const alone = { workerId: "worker-2", limit: 1, only: "deploy-3" };
    expect(await store.settle([], alone)).toMatchObject({ claimed: [], nextDueAt: T0 + 1000 });
    bench.now = T0 + 1000;
    expect(ids((await store.settle([], alone)).claimed)).toEqual(["deploy-3"]);
    expect(await claimed(store)).toEqual([]);
  },

  "with a rate are not exceeded by many that claim at once": async (bench) => {
    const handles = [bench.store, await bench.another()];
    await bench.store.setQueue("deploy", { rate: "7/m" });
    await add(bench.store, ...Array.from({ length: 40 }, (_, n) => `deploy-${n}`));
    const claim = (n: number) => handles[n % 2]?.settle([], { workerId: `worker-${n}`, limit: 2 });
    const turns = await Promise.all(Array.from({ length: 20 }, (_, n) => claim(n)));
    expect(turns.flatMap((turn) => turn?.claimed ?? [])).toHaveLength(7);
    await bench.store.setQueue("deploy", { rate: "8/m" });
    expect(await claimed(bench.store)).toHaveLength(1);
    await bench.store.setQueue("deploy", { rate: "3/m" });
    bench.now = T0 + 59_999;
    expect(await claimed(bench.store)).toHaveLength(0);
    bench.now = T0 + 60_000;
    expect(await claimed(bench.store)).toHaveLength(3);
  },

  "with a rate are not held up by a clock that was set back": async (bench) => {
    const { store } = bench;
    await store.setQueue("deploy", { rate: "1/s" });
    await add(store, "deploy-1", "deploy-2", "deploy-3");
    bench.now = T0 + 3_600_000;
    await claimed(store);
    bench.now = T0;
    expect(ids(await claimed(store))).toEqual(["deploy-2"]);
    expect(await claimed(store)).toEqual([]);
    bench.now = T0 + 1000;
    expect(ids(await claimed(store))).toEqual(["deploy-3"]);
  },

  "that are limited have their job run again in the turn in which it failed": async (bench) => {
    const { store } = bench;
    await store.setQueue("deploy", { concurrency: 1 });
    await store.setConfig("backoff_base", 0);
    await add(store, "deploy-1");
    const [job] = await claimed(store);
    if (!job) throw new Error("nothing was claimed");
    const turn = await store.settle([end(job, FAILURE)], { workerId: "worker-1", limit: 1 });
    expect(turn.claimed).toMatchObject([{ id: "deploy-1", attempts: 2 }]);
  },

  "that are limited stay so, however many ask at once": async (bench) => {
    const handles = [bench.store, await bench.another(), await bench.another()];
    await bench.store.setQueue("deploy", { concurrency: 3 });
    await add(bench.store, ...Array.from({ length: 20 }, (_, i) => `deploy-${i}`));
    const ask = async (round: number): Promise<void> => {
      const turns = await Promise.all(
        handles.map((handle, i) => handle.settle([], { workerId: `worker-${i}`, limit: 2 })),
      );
      const running = await bench.store.list("processing");
      expect(running.length).toBe(3);
      const ended = turns.flatMap(({ claimed }) => claimed).map((job) => end(job, SUCCESS));
      expect(ended.length).toBe(3);
      await bench.store.settle(ended);
      expect(await bench.store.counts()).toMatchObject({ completed: 3 * (round + 1), processing: 0 });
    };
    for (const round of [0, 1, 2]) await ask(round);
  },

  "hold for whoever asks for one job alone, too": async ({ store }) => {
    await store.setQueue("deploy", { concurrency: 1 });
    await add(store, "deploy-1", "deploy-2");
    const only = (id: string) => store.settle([], { workerId: "worker-1", limit: 1, only: id });
    const [first] = (await only("deploy-2")).claimed;
    if (!first) throw new Error("nothing was claimed");
    expect(await only("deploy-1")).toEqual({ ended: [], claimed: [] });
    await store.settle([end(first, SUCCESS)]);
    await store.setQueue("deploy", { paused: true });
    expect(await only("deploy-1")).toEqual({ ended: [], claimed: [] });
    await store.setQueue("deploy", { paused: false });
    await store.setQueue(EVERY_QUEUE, { paused: true });
    expect(await only("deploy-1")).toEqual({ ended: [], claimed: [] });
    await store.setQueue(EVERY_QUEUE, { paused: false });
    const other = await store.settle([], { workerId: "worker-1", limit: 1, queues: ["x"], only: "deploy-1" });
    expect(other).toEqual({ ended: [], claimed: [] });
    expect(ids((await only("deploy-1")).claimed)).toEqual(["deploy-1"]);
  },

  "are served by whoever names them, and by no other": async ({ store }) => {
    await add(store, "a-1", "b-1", "c-1", "default-1");
    await store.enqueue([{ id: "later", command: "true", queue: "a", run_at: T0 + 500 }]);
    const turn = await store.settle([], { workerId: "worker-1", limit: 10, queues: ["a", "c", "nobody"] });
    expect(ids(turn.claimed)).toEqual(["a-1", "c-1"]);
    expect(turn.nextDueAt).toBe(T0 + 500);
    const rest = await store.settle([], { workerId: "worker-2", limit: 10, queues: ["default"] });
    expect(ids(rest.claimed)).toEqual(["default-1"]);
    expect(rest).not.toHaveProperty("nextDueAt");
    expect(ids(await claimed(store))).toEqual(["b-1"]);
  },

  "that are paused are left alone until they go on, also what comes due meanwhile": async (bench) => {
    const { store } = bench;
    await add(store, "deploy-1", "default-1");
    await store.enqueue([{ id: "later", command: "true", queue: "deploy", run_at: T0 + 500 }]);
    expect(await store.setQueue("deploy", { paused: true })).toEqual({ paused: true });
    const turn = await store.settle([], { workerId: "worker-1", limit: 10 });
    expect(ids(turn.claimed)).toEqual(["default-1"]);
    expect(turn).not.toHaveProperty("nextDueAt");
    bench.now = T0 + 1000;
    expect(await claimed(store)).toEqual([]);
    expect(await store.queues()).toContainEqual({
      name: "deploy",
      pending: 2,
      waiting: 0,
      processing: 0,
      paused: true,
    });
    expect(await store.setQueue("deploy", { paused: false })).toEqual({});
    expect(ids(await claimed(store))).toEqual(["deploy-1", "later"]);
  },

  "are all paused at once, those that are not there yet as well, and each by itself stays so": async ({ store }) => {
    await add(store, "a-1", "default-1");
    await store.setQueue("a", { paused: true, concurrency: 5 });
    await store.setQueue(EVERY_QUEUE, { paused: true });
    await add(store, "new-1");
    const turn = await store.settle([], { workerId: "worker-1", limit: 10 });
    expect(turn).toEqual({ ended: [], claimed: [] });
    await store.setQueue(EVERY_QUEUE, { paused: false });
    expect(ids(await claimed(store))).toEqual(["default-1", "new-1"]);
    expect(await store.setQueue("a", { paused: false })).toEqual({ concurrency: 5 });
    expect(ids(await claimed(store))).toEqual(["a-1"]);
  },

  "let a job that runs end and come back, also when they are paused": async ({ store }) => {
    await add(store, "deploy-1");
    const [job] = await claimed(store);
    if (!job) throw new Error("nothing was claimed");
    await store.setQueue("deploy", { paused: true });
    const turn = await store.settle([end(job, { kind: "released" })], { workerId: "worker-1", limit: 1 });
    expect(turn.ended).toMatchObject([{ event: "released", job: { queue: "deploy" } }]);
    expect(turn.claimed).toEqual([]);
  },

  "keep what holds for them when everybody has left, and give it away with everything else": async (bench) => {
    await bench.store.setQueue("deploy", { concurrency: 1 });
    await bench.store.setQueue("build", { paused: true });
    await bench.store.setQueue("build", { concurrency: 7 });
    await bench.store.setQueue("gone", { concurrency: 1 });
    await bench.store.setQueue("gone", { concurrency: null });
    await bench.close(bench.store);
    const store = await bench.another();
    const rules = (await store.queues()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(rules).toEqual([
      { name: "build", pending: 0, waiting: 0, processing: 0, concurrency: 7, paused: true },
      { name: "deploy", pending: 0, waiting: 0, processing: 0, concurrency: 1 },
    ]);
    const items: unknown[] = [];
    await store.dump(async (batch) => {
      items.push(...batch);
      return true;
    });
    expect(items).toEqual([
      { queue: { name: "build", concurrency: 7, paused: true } },
      { queue: { name: "deploy", concurrency: 1 } },
    ]);
  },

  "wake who waits for work when something else holds for them": async (bench) => {
    const other = await bench.another();
    let woken = 0;
    using _ = other.changes(() => {
      woken += 1;
    }, "work");
    // A store may take a moment until it listens.
    await until(async () => {
      await bench.store.setQueue("deploy", { paused: true });
      return woken > 0;
    }, "the wake-up");
    expect(await other.queues()).toMatchObject([{ name: "deploy", paused: true }]);
  },
};
