import { expect } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { requeue } from "../../support/requeue.ts";
import { until } from "../../support/until.ts";
import { type Bench, type Contract, end, SUCCESS, specs } from "./bench.ts";

export const changesContract: Contract = {
  "wake this handle after another handle's enqueue": wakes(async () => (store) => store.enqueue(specs("new"))),

  "wake this handle after another handle's end of an attempt": wakes(async (bench) => {
    const [job] = await bench.running("p1");
    return (store) => store.settle([end(job, SUCCESS)]);
  }),

  "wake this handle after another handle's claim": wakes(async (bench) => {
    await bench.store.enqueue(specs("p1"));
    return (store) => store.settle([], { workerId: "worker-1", limit: 1 });
  }),

  "wake this handle after another handle's requeue": wakes(async (bench) => {
    await bench.dead("bad1");
    return (store) => requeue(store, ["bad1"]);
  }),

  "wake this handle after another handle's setting": wakes(async () => (store) => store.setConfig("max_retries", 5)),

  "wake this handle after its own commit": async ({ store }) => {
    let woken = 0;
    using _changes = store.changes(() => woken++);
    await store.enqueue(specs("p1"));
    await until(() => woken > 0, "the wake-up after a commit of one's own");
  },

  "wake a handle again and again, also after a third handle has closed": async (bench) => {
    const other = await bench.another();
    let woken = 0;
    using _changes = bench.store.changes(() => woken++);
    for (const id of ["a", "b", "c"]) {
      const before = woken;
      await other.enqueue(specs(id));
      await until(() => woken > before, `the wake-up after job ${id}`);
      await bench.close(await bench.another());
    }
  },

  "wake every subscriber, and none that is disposed": async (bench) => {
    const other = await bench.another();
    const woken = { disposed: 0, first: 0, second: 0 };
    bench.store.changes(() => woken.disposed++)[Symbol.dispose]();
    using _first = bench.store.changes(() => woken.first++);
    using _second = bench.store.changes(() => woken.second++);
    await other.enqueue(specs("p1"));
    await until(() => woken.first > 0 && woken.second > 0, "both wake-ups");
    expect(woken.disposed).toBe(0);
  },
};

/** A check that whatever `prepare` returns, done by another handle, wakes a subscriber, who then reads what was done. */
function wakes(prepare: (bench: Bench) => Promise<(by: Store) => Promise<unknown>>) {
  return async (bench: Bench): Promise<void> => {
    const change = await prepare(bench);
    const other = await bench.another();
    let woken = 0;
    using _changes = bench.store.changes(() => woken++);
    await change(other);
    await until(() => woken > 0, "the wake-up after another handle's commit");
    expect(await bench.store.list()).toStrictEqual(await other.list());
    expect(await bench.store.config()).toStrictEqual(await other.config());
  };
}
