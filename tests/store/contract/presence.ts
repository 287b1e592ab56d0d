import { expect } from "bun:test";
import { type Contract, claimed, end, ids, specs } from "./bench.ts";

const lostTo = (workerId: string) => ({ kind: "worker-lost", workerId }) as const;

export const presenceContract: Contract = {
  "nobody is there before the first announcement": async ({ store }) => {
    expect(await store.present()).toEqual([]);
    expect(await store.lost()).toEqual([]);
  },

  "a worker and its supervisor are there, for every handle, from their announcement to their withdrawal": async (
    bench,
  ) => {
    const other = await bench.another();
    const supervisor = await bench.store.announce({ kind: "supervisor" });
    const worker = await bench.store.announce({ kind: "worker", supervisor: supervisor.id });
    const alive = { pid: process.pid, reachable: true, stopping: false };
    const present = (await other.present()).toSorted((a, b) => a.id.localeCompare(b.id));
    expect(present).toMatchObject([
      { id: supervisor.id, kind: "supervisor", ...alive },
      { id: worker.id, kind: "worker", supervisor: supervisor.id, ...alive },
    ]);
    expect(present[0]).not.toHaveProperty("supervisor");
    await worker[Symbol.asyncDispose]();
    expect(ids(await other.present())).toEqual([supervisor.id]);
    await supervisor[Symbol.asyncDispose]();
    expect(await other.present()).toEqual([]);
  },

  "a worker tells which queues it serves, if not all": async (bench) => {
    const other = await bench.another();
    for (const queues of [undefined, ["a", "b"], []]) {
      await using worker = await bench.store.announce({ kind: "worker", queues });
      const [present] = await other.present();
      expect([present?.id, present?.queues]).toEqual([worker.id, queues]);
    }
  },

  "the id is the kind and the process": async ({ store }) => {
    await using supervisor = await store.announce({ kind: "supervisor" });
    await using worker = await store.announce({ kind: "worker" });
    expect(supervisor.id).toBe(`supervisor-${process.pid}`);
    expect(worker.id).toBe(`worker-${process.pid}`);
  },

  "a worker that says it is stopping is seen so": async (bench) => {
    await using worker = await bench.store.announce({ kind: "worker" });
    await worker.stopping();
    expect(await (await bench.another()).present()).toMatchObject([{ id: worker.id, stopping: true }]);
  },

  "a killed worker is not there": async (bench) => {
    const worker = await bench.store.announce({ kind: "worker" });
    await bench.harness.kill(bench.store, worker.id);
    expect(await bench.store.present()).toEqual([]);
    expect(await (await bench.another()).present()).toEqual([]);
  },

  "the jobs of a living worker are not lost, whoever asks": async (bench) => {
    await using worker = await bench.store.announce({ kind: "worker" });
    await bench.store.enqueue(specs("p1"));
    await claimed(bench.store, { workerId: worker.id });
    expect(await bench.store.lost()).toEqual([]);
    expect(await (await bench.another()).lost()).toEqual([]);
  },

  "what another worker has begun may be lost, as soon as one has looked": async (bench) => {
    await using worker = await bench.store.announce({ kind: "worker" });
    await bench.store.enqueue(specs("p1", "p2"));
    const other = await bench.another();
    await other.lost(0);
    await claimed(bench.store, { workerId: worker.id });
    await other.lost(0);
    expect([0, 1].map((holding) => other.mayLose(holding))).toEqual([true, true]);
  },

  "the processing jobs of a killed worker are lost, until they are settled, and its other jobs are not": async (
    bench,
  ) => {
    const other = await bench.another();
    const worker = await bench.store.announce({ kind: "worker" });
    await bench.store.enqueue(specs("a", "b", "c", "d"));
    const [a, b, c] = await claimed(bench.store, { workerId: worker.id, limit: 3 });
    if (!a || !b || !c) throw new Error("nothing was claimed");
    await bench.store.settle([end(a, { kind: "exited", code: 0 })]);
    await bench.harness.kill(bench.store, worker.id);
    expect(await other.lost()).toStrictEqual([{ workerId: worker.id, jobs: [b, c] }]);
    await other.settle([end(b, lostTo(worker.id))]);
    expect(await other.lost()).toStrictEqual([{ workerId: worker.id, jobs: [c] }]);
    await other.settle([end(c, lostTo(worker.id))]);
    expect(await other.lost()).toEqual([]);
  },

  "the jobs of a worker that never announced itself, or has withdrawn, are lost": async (bench) => {
    const withdrawn = await bench.store.announce({ kind: "worker" });
    await bench.store.enqueue(specs("a", "b", "c"));
    await claimed(bench.store, { workerId: withdrawn.id, limit: 1 });
    await claimed(bench.store, { workerId: "worker-of-old", limit: 2 });
    await withdrawn[Symbol.asyncDispose]();
    const lost = (await bench.store.lost()).map(({ workerId, jobs }) => [workerId, ids(jobs)]);
    expect(Object.fromEntries(lost)).toEqual({ [withdrawn.id]: ["a"], "worker-of-old": ["b", "c"] });
  },

  "a new worker never takes the id under which jobs of a dead one are still running": async (bench) => {
    const dead = await bench.store.announce({ kind: "worker" });
    await bench.store.enqueue(specs("a", "b"));
    const [a] = await claimed(bench.store, { workerId: dead.id, limit: 1 });
    if (!a) throw new Error("nothing was claimed");
    await bench.harness.kill(bench.store, dead.id);
    await using heir = await bench.store.announce({ kind: "worker" });
    expect(heir.id).not.toBe(dead.id);
    expect(heir.id).toStartWith(`worker-${process.pid}`);
    await claimed(bench.store, { workerId: heir.id, limit: 1 });
    expect(await bench.store.lost()).toStrictEqual([{ workerId: dead.id, jobs: [a] }]);
    expect(ids(await bench.store.present())).toEqual([heir.id]);
  },

  "a new worker never takes the id under which jobs of a withdrawn one are still running": async (bench) => {
    const gone = await bench.store.announce({ kind: "worker" });
    await bench.store.enqueue(specs("a"));
    await claimed(bench.store, { workerId: gone.id });
    await gone[Symbol.asyncDispose]();
    await using heir = await bench.store.announce({ kind: "worker" });
    expect(heir.id).not.toBe(gone.id);
    expect(await bench.store.lost()).toMatchObject([{ workerId: gone.id, jobs: [{ id: "a" }] }]);
  },

  "a dead worker without jobs is forgotten, and its name free again": async (bench) => {
    const dead = await bench.store.announce({ kind: "worker" });
    await bench.harness.kill(bench.store, dead.id);
    expect(await bench.store.lost()).toEqual([]);
    await using heir = await bench.store.announce({ kind: "worker" });
    expect(heir.id).toBe(dead.id);
    expect(ids(await bench.store.present())).toEqual([heir.id]);
  },
};
