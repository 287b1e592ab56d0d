import { expect } from "bun:test";
import { cancel, remove } from "../../../src/job/control.ts";
import { edit } from "../../../src/job/edit.ts";
import type { Entry } from "../../../src/job/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { requeue } from "../../support/requeue.ts";
import { sorted } from "../../support/sorted.ts";
import { type Bench, type Contract, claimed, end, FAILURE, ids, SUCCESS, specs, T0 } from "./bench.ts";

export const changedEntriesContract: Contract = {
  "of a store that holds nothing nothing has changed, and then what is enqueued": async ({ store }) => {
    using changed = await store.changed();
    expect((await changed.take()).entries).toEqual([]);
    await store.enqueue(specs("p1", "p2"));
    expect(ids((await changed.take()).entries)).toEqual(["p1", "p2"]);
  },

  "each look has the entries that have changed since, as they are now, whoever changed them": async (bench) => {
    const [a] = await bench.running("a", "b", "c", "d");
    const by = await bench.another();
    using changed = await bench.store.changed();
    await by.settle([end(a, FAILURE)]);
    await expectChanged(bench, changed, "a");
    await by.enqueue(specs("new"));
    await claimed(by, { limit: 9 });
    await expectChanged(bench, changed, "new");
    await by.enqueue([{ id: "bad", command: "false", max_retries: 0 }]);
    const [bad] = await claimed(by, { limit: 9 });
    if (bad) await by.settle([end(bad, FAILURE)]);
    await expectChanged(bench, changed, "bad");
    await requeue(by, ["bad"]);
    await expectChanged(bench, changed, "bad");
    await by.alter(["a"], edit({ to: { priority: 5 }, without: [] }));
    await by.alter(["bad"], cancel);
    await expectChanged(bench, changed, "a", "bad");
  },

  "what fails of another's end has changed with it": async (bench) => {
    await bench.store.enqueue([
      { id: "first", command: "x", max_retries: 0 },
      { id: "then", command: "x", after: ["first"] },
    ]);
    const [first] = await claimed(bench.store);
    using changed = await bench.store.changed();
    if (first) await bench.store.settle([end(first, FAILURE)]);
    await expectChanged(bench, changed, "first", "then");
  },

  "what was completed and archived since the last look is there as it was archived": async (bench) => {
    const [old] = await bench.running("old");
    await bench.store.settle([end(old, SUCCESS)]);
    const by = await bench.another();
    using changed = await bench.store.changed();
    await by.enqueue(specs("quick"));
    await by.settle((await claimed(by)).map((job) => end(job, SUCCESS)));
    const completed = await by.get("quick");
    expect(await by.prune({ keep: 0 })).toMatchObject({ archived: 2 });
    await by.enqueue(specs("later"));
    const { entries } = await changed.take();
    expect(entries).toContainEqual(completed);
    expect(ids(entries)).toContain("later");
  },

  "what was removed is gone without a word": async (bench) => {
    await bench.store.enqueue(specs("p1"));
    using changed = await bench.store.changed();
    await bench.store.alter(["p1"], remove);
    expect(ids((await changed.take()).entries)).not.toContain("p1");
  },

  "several may ask, each for itself, and each is told the time": async (bench) => {
    using first = await bench.store.changed();
    await bench.store.enqueue(specs("p1"));
    using second = await bench.store.changed();
    await bench.store.enqueue(specs("p2"));
    bench.now = T0 + 5000;
    const looks = [await first.take(), await second.take()];
    expect(looks.map(({ at }) => at)).toEqual([T0 + 5000, T0 + 5000]);
    expect(ids(looks[0]?.entries ?? [])).toEqual(["p1", "p2"]);
    expect(ids(looks[1]?.entries ?? [])).toContain("p2");
  },
};

/** Others may be among them, but as they are. */
async function expectChanged(
  { store }: Bench,
  changed: Awaited<ReturnType<Store["changed"]>>,
  ...expected: string[]
): Promise<void> {
  const { entries } = await changed.take();
  expect(sorted(ids(entries).filter((id) => expected.includes(id)))).toEqual(sorted(expected));
  const byId = (found: readonly Entry[]) => new Map(found.map((entry) => [entry.id, entry]));
  expect(byId(entries)).toEqual(byId(await store.entries(ids(entries))));
}
