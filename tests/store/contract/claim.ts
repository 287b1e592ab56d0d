import { expect } from "bun:test";
import { requeue } from "../../support/requeue.ts";
import { type Contract, claimed, claimedOne, end, FAILURE, ids, SUCCESS, specs, T0 } from "./bench.ts";

export const claimContract: Contract = {
  "makes a due job this worker's to run": async ({ store }) => {
    const [pending] = await store.enqueue(specs("p1"));
    const { claimed, ended } = await store.settle([], { workerId: "worker-7", limit: 5 });
    const [job] = claimed;
    expect(ended).toEqual([]);
    expect(claimed).toHaveLength(1);
    expect(job).toStrictEqual({
      ...pending,
      state: "processing",
      attempts: 1,
      processing_started_at: T0,
      worker_id: "worker-7",
      lease: expect.any(Number),
    } as never);
    expect(await store.get("p1")).toStrictEqual(job as never);
  },

  "goes by priority, then by the order of enqueueing": async ({ store }) => {
    await store.enqueue([
      { id: "low", command: "x", priority: -1 },
      { id: "first", command: "x" },
      { id: "second", command: "x", priority: 0 },
      { id: "high-1", command: "x", priority: 10 },
    ]);
    await store.enqueue([
      { id: "third", command: "x" },
      { id: "high-2", command: "x", priority: 10 },
      { id: "highest", command: "x", priority: 1000 },
    ]);
    expect(ids(await claimed(store, { limit: 2 }))).toEqual(["highest", "high-1"]);
    expect(ids(await claimed(store))).toEqual(["high-2", "first", "second", "third", "low"]);
  },

  "goes by the order of enqueueing, not by that of run_at, among jobs that are due": async (bench) => {
    await bench.store.enqueue([
      { id: "a", command: "x", run_at: T0 + 200 },
      { id: "b", command: "x", run_at: T0 + 100 },
      { id: "c", command: "x" },
    ]);
    bench.now = T0 + 300;
    expect(ids(await claimed(bench.store))).toEqual(["a", "b", "c"]);
  },

  "takes no more than the limit, and nothing without a claimant": async ({ store }) => {
    await store.enqueue(specs("a", "b", "c"));
    expect((await store.settle([])).claimed).toEqual([]);
    expect(await claimed(store, { limit: 0 })).toEqual([]);
    expect(ids(await claimed(store, { limit: 2 }))).toEqual(["a", "b"]);
    expect(ids(await claimed(store, { limit: 2 }))).toEqual(["c"]);
    expect(await claimed(store)).toEqual([]);
  },

  "takes the one job that is asked for and no other, when it is due": async (bench) => {
    const { store } = bench;
    await store.enqueue([...specs("a", "b"), { id: "later", command: "x", run_at: T0 + 5000 }]);
    const only = (id: string) => store.settle([], { workerId: "worker-1", limit: 5, only: id });
    expect(await only("later")).toEqual({ ended: [], claimed: [], nextDueAt: T0 + 5000 });
    expect(await only("nope")).toEqual({ ended: [], claimed: [] });
    const turn = await only("b");
    expect(ids(turn.claimed)).toEqual(["b"]);
    expect(turn).not.toHaveProperty("nextDueAt");
    const [b] = turn.claimed;
    if (!b) throw new Error("nothing was claimed");
    await store.setConfig("backoff_base", 0);
    const again = await store.settle([end(b, FAILURE)], { workerId: "worker-1", limit: 1, only: "b" });
    expect(ids(again.claimed)).toEqual(["b"]);
    expect(await store.settle([], { workerId: "worker-1", limit: 0, only: "a" })).toMatchObject({ claimed: [] });
    bench.now = T0 + 5000;
    expect(ids((await only("later")).claimed)).toEqual(["later"]);
    expect(ids(await claimed(store))).toEqual(["a"]);
  },

  "leaves a delayed job until its run_at, whatever its priority": async (bench) => {
    const { store } = bench;
    await store.enqueue([{ id: "later", command: "x", run_at: T0 + 5000, priority: 9 }, ...specs("now")]);
    expect(ids(await claimed(store))).toEqual(["now"]);
    bench.now = T0 + 4999;
    expect(await claimed(store)).toEqual([]);
    bench.now = T0 + 5000;
    expect(ids(await claimed(store))).toEqual(["later"]);
  },

  "says when the earliest of the pending jobs that are left is due": async (bench) => {
    const { store } = bench;
    expect(await store.settle([], { workerId: "worker-1", limit: 1 })).not.toHaveProperty("nextDueAt");
    await store.enqueue([
      { id: "a", command: "x", run_at: T0 + 9000 },
      { id: "b", command: "x", run_at: T0 + 5000, priority: -5 },
      { id: "c", command: "x" },
    ]);
    expect(await store.settle([], { workerId: "worker-1", limit: 1 })).toMatchObject({ nextDueAt: T0 + 5000 });
    bench.now = T0 + 5000;
    expect(await store.settle([], { workerId: "worker-1", limit: 1 })).toMatchObject({ nextDueAt: T0 + 9000 });
    expect(await store.settle([])).toMatchObject({ nextDueAt: T0 + 9000 });
  },

  "says a time that is not in the future while a due job is left": async ({ store }) => {
    await store.enqueue([{ id: "a", command: "x", run_at: T0 - 10 }, ...specs("b", "c")]);
    const turns = [await store.settle([]), await store.settle([], { workerId: "worker-1", limit: 2 })];
    expect(turns.map(({ nextDueAt }) => nextDueAt !== undefined && nextDueAt <= T0)).toEqual([true, true]);
  },

  "counts a job that waits for its retry among the pending that are left, and no other state": async (bench) => {
    const [a, b] = await bench.running("a", "b");
    const turn = await bench.store.settle([end(a, FAILURE), end(b, SUCCESS)], { workerId: "worker-1", limit: 5 });
    expect(turn.claimed).toEqual([]);
    expect(turn.nextDueAt).toBe(T0 + 2000);
  },

  "by two handles at once gives each job to one of them": async (bench) => {
    const other = await bench.another();
    const names = Array.from({ length: 40 }, (_, n) => `p${n}`);
    await bench.store.enqueue(specs(...names));
    const calls = Array.from({ length: 10 }, (_, n) =>
      claimed(n % 2 ? other : bench.store, { limit: 4, workerId: `worker-${n}` }),
    );
    const atOnce = (await Promise.all(calls)).flat();
    // A claim passes over what another one is just looking at.
    const jobs = [...atOnce, ...(await claimed(bench.store, { limit: 40 }))];
    expect(jobs).toHaveLength(40);
    expect(new Set(ids(jobs))).toEqual(new Set(names));
    expect(new Set(jobs.map((job) => job.lease)).size).toBe(40);
  },

  "gives out leases that only grow: over handles, retries, releases and requeues, after closing and reopening": async (
    bench,
  ) => {
    const leases: number[] = [];
    await bench.store.enqueue([{ id: "p1", command: "x", max_retries: 0 }]);
    let store = bench.store;
    for (const outcome of [{ kind: "released" } as const, FAILURE, { kind: "released" } as const, FAILURE, SUCCESS]) {
      const job = await claimedOne(store);
      leases.push(job.lease);
      await store.settle([end(job, outcome)]);
      if (outcome === FAILURE) await requeue(store, ["p1"]);
      const next = await bench.another();
      await bench.close(store);
      store = next;
    }
    await store.enqueue(specs("p2"));
    leases.push(...(await claimed(store)).map((job) => job.lease));
    expect(leases).toHaveLength(6);
    expect(leases).toEqual([...new Set(leases)].sort((a, b) => a - b));
  },

  "is given once more to a worker that does not hold it, and to no other": async (bench) => {
    await bench.store.enqueue(specs("a", "b", "c"));
    const [a, b] = await claimed(bench.store, { workerId: "worker-1", limit: 2 });
    if (!a || !b) throw new Error("nothing was claimed");
    const other = await bench.another();
    const holds = new Set([a.lease]);
    expect(ids(await claimed(other, { workerId: "worker-2", limit: 1, holds }))).toEqual(["c"]);
    expect(await claimed(other, { workerId: "worker-1", limit: 0, holds })).toEqual([]);
    expect(await claimed(other, { workerId: "worker-1", limit: 1, holds })).toEqual([b]);
    expect(await claimed(other, { workerId: "worker-1", limit: 1, holds: new Set([a.lease, b.lease]) })).toEqual([]);
    expect((await bench.store.settle([end(b, SUCCESS)], { workerId: "worker-1", limit: 1, holds })).claimed).toEqual(
      [],
    );
  },

  "keeps the place of a job that is retried or released: it goes before what was enqueued after it": async (bench) => {
    const [a, b] = await bench.running("a", "b");
    await bench.store.enqueue(specs("c", "d"));
    await bench.store.settle([end(b, { kind: "released" }), end(a, FAILURE)]);
    expect(ids(await bench.store.list())).toEqual(["a", "b", "c", "d"]);
    bench.now = T0 + 2000;
    const other = await bench.another();
    expect(ids(await claimed(other, { limit: 3 }))).toEqual(["a", "b", "c"]);
  },
};
