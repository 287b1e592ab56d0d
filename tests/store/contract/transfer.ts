import { expect } from "bun:test";
import { QueueError } from "../../../src/job/errors.ts";
import type { CompletedJob, ProcessingJob } from "../../../src/job/job.ts";
import { portableArchived, portableDeadLetter } from "../../../src/job/portable.ts";
import type { Item } from "../../../src/store/item.ts";
import type { Store } from "../../../src/store/store.ts";
import { Bench, type Contract, claimed, end, FAILURE, ids, refusal, SUCCESS, specs, T0 } from "./bench.ts";
import { HOSTILE_IDS } from "./enqueue.ts";

export const transferContract: Contract = {
  "gives away everything, the leases excepted": async (bench) => {
    await fill(bench);
    const items = await dumped(bench.store);
    const [setting, ...entries] = items;
    expect(setting).toEqual({ setting: { key: "max_retries", value: 7 } });
    expect(entries.map((item) => `${Object.keys(item)}:${Object.values(item)[0].id}`)).toEqual([
      ...["job:retried", "job:late", "job:early", "job:running", "job:waiting", "job:urgent"],
      ...["dead_letter:dead-2", "dead_letter:dead-1", "archived:first", "archived:second"],
    ]);
    const [retried, running] = [entries[0], entries[3]];
    expect(retried).toEqual({ job: await bench.store.get("retried") } as Item);
    const { lease: _, ...kept } = { lease: 0, ...(await bench.store.get("running")) };
    expect(running).toEqual({ job: kept } as unknown as Item);
  },

  "another store that took it in holds the same, and gives the same away": async (bench) => {
    await fill(bench);
    const items = await dumped(bench.store);
    await using other = await Bench.open(bench.harness);
    other.now = bench.now;
    const { added, skipped } = await other.store.restore(inBatches(items, 3), { existing: "refuse" });
    expect(added).toEqual({ settings: 1, jobs: 6, dead_letters: 2, archived: 2 });
    expect(skipped).toEqual({ settings: 0, jobs: 0, dead_letters: 0, archived: 0 });
    expect(text(await dumped(other.store))).toBe(text(items));
    expect(await other.store.counts()).toEqual(await bench.store.counts());
    await other.close(other.store);
    const again = await other.another();
    expect(text(await dumped(again))).toBe(text(items));
    expect(await again.counts()).toEqual(await bench.store.counts());
    expect(await again.config()).toMatchObject({ max_retries: 7 });
  },

  "what comes from elsewhere is claimed in the order in which it would have been": async (bench) => {
    await fill(bench);
    await using other = await Bench.open(bench.harness);
    other.now = bench.now;
    await other.store.restore(inBatches(await dumped(bench.store), 2), { existing: "refuse" });
    expect(ids(await claimed(other.store))).toEqual(["urgent", "waiting"]);
    await other.store.enqueue(specs("new"));
    other.now = bench.now + 3_600_000;
    expect(ids(await claimed(other.store))).toEqual(["retried", "new"]);
  },

  "of the completed jobs that came from elsewhere, those leave first that were completed first": async (bench) => {
    await fill(bench);
    await using other = await Bench.open(bench.harness);
    await other.store.restore(inBatches(await dumped(bench.store), 2), { existing: "refuse" });
    await other.store.prune({ keep: 1 });
    expect(ids(await archived(other.store))).toEqual(["first", "second", "early"]);
    const again = await other.another();
    await again.prune({ keep: 0 });
    expect(ids(await archived(again))).toEqual(["first", "second", "early", "late"]);
  },

  "a job that is processing has a lease of its own: no old one ends it, and no other gets it": async (bench) => {
    await fill(bench);
    const before = await bench.store.get("running");
    await using other = await Bench.open(bench.harness);
    await other.store.enqueue(specs("own"));
    const own = await claimed(other.store);
    const items = await dumped(bench.store);
    const more = items.flatMap((item) =>
      "job" in item && item.job.id === "running" ? [item, { job: { ...item.job, id: "also running" } }] : [item],
    );
    await other.store.restore(inBatches(more), { existing: "skip" });
    const running = [await other.store.get("running"), await other.store.get("also running")] as ProcessingJob[];
    const [after] = running;
    if (!after) throw new Error("it is gone");
    expect(after).toEqual({ ...(before as ProcessingJob), lease: after.lease });
    await other.store.enqueue(specs("a", "b", "c"));
    other.now = bench.now + 3_600_000;
    const leases = [...own, ...(await claimed(other.store)), ...running].map(({ lease }) => lease);
    expect(new Set(leases).size).toBe(leases.length);
    const { ended } = await other.store.settle([{ id: "running", lease: -1, outcome: SUCCESS }, end(after, SUCCESS)]);
    expect(ended.map(({ event }) => event)).toEqual(["lease-lost", "completed"]);
  },

  "a job whose worker stayed elsewhere is one that a dead worker left": async (bench) => {
    await fill(bench);
    await using other = await Bench.open(bench.harness);
    await other.store.restore(inBatches(await dumped(bench.store)), { existing: "refuse" });
    expect((await other.store.lost()).map(({ workerId, jobs }) => [workerId, ids(jobs)])).toEqual([
      ["worker-1", ["running"]],
    ]);
  },

  "is refused where there is anything": async (bench) => {
    const items = inBatches([{ job: { ...job("x"), state: "pending" } }]);
    const fillings: ((other: Bench) => Promise<unknown>)[] = [
      (other) => other.store.enqueue(specs("a")),
      (other) => other.dead("a"),
      async (other) => {
        await complete(other, "a");
        await other.store.prune({ keep: 0 });
      },
    ];
    for (const filling of fillings) {
      await using other = await Bench.open(bench.harness);
      await filling(other);
      const before = text(await dumped(other.store));
      expect(await refusal(other.store.restore(items, { existing: "refuse" }))).toBe("E_STORE_NOT_EMPTY");
      expect(text(await dumped(other.store))).toBe(before);
    }
    await bench.store.setConfig("max_retries", 9);
    await bench.store.restore(items, { existing: "refuse" });
    expect(ids(await bench.store.list())).toEqual(["x"]);
  },

  "merged, it leaves out what is there, and a second time everything": async (bench) => {
    await fill(bench);
    const items = await dumped(bench.store);
    await using other = await Bench.open(bench.harness);
    await other.store.enqueue(specs("late", "dead-1"));
    await other.store.setConfig("max_retries", 2);
    const first = await other.store.restore(inBatches(items, 4), { existing: "skip" });
    expect(first).toMatchObject({
      added: { settings: 0, jobs: 5, dead_letters: 1, archived: 2 },
      skipped: { settings: 1, jobs: 1, dead_letters: 1, archived: 0 },
    });
    expect(await other.store.get("late")).toMatchObject({ state: "pending", command: "echo late" });
    expect(await other.store.config()).toMatchObject({ max_retries: 2 });
    const before = text(await dumped(other.store));
    const second = await other.store.restore(inBatches(items, 4), { existing: "skip" });
    expect(second).toMatchObject({ added: { settings: 0, jobs: 0, dead_letters: 0, archived: 0 } });
    expect(second).toMatchObject({ skipped: { settings: 1, jobs: 6, dead_letters: 2, archived: 2 } });
    expect(text(await dumped(other.store))).toBe(before);
  },

  "merged, the later one of two that have the same id is left out, be it in the same batch or not": async (bench) => {
    const twice: Item[] = [
      ...[{ job: job("a") }, { job: job("a") }, { job: job("b") }],
      { dead_letter: { ...letter("a"), error: "x" } },
    ];
    for (const size of [1, 2, 4]) {
      await using other = await Bench.open(bench.harness);
      const { added } = await other.store.restore(inBatches(twice, size), { existing: "skip" });
      expect(added).toMatchObject({ jobs: 2, dead_letters: 0 });
      expect(ids(await other.store.list())).toEqual(["a", "b"]);
    }
  },

  "archived jobs keep their order, whatever the month, and do not touch jobs of the same id": async (bench) => {
    const months = [5, 1, 5, 5, 0, 1];
    const items: Item[] = [
      { job: job("a0") },
      ...months.map((month, n) => ({ archived: completed(`a${n}`, Date.UTC(2026, month, 2)) })),
      { archived: completed("a0", Date.UTC(2026, 5, 2)) },
    ];
    await bench.store.restore(inBatches(items, 4), { existing: "refuse" });
    expect(ids(await archived(bench.store))).toEqual(["a0", "a1", "a2", "a3", "a4", "a5", "a0"]);
    expect(await bench.store.get("a0")).toMatchObject({ state: "pending" });
    const again = await bench.another();
    expect(text(await dumped(again))).toBe(text(items));
    expect(await again.counts()).toMatchObject({ pending: 1, completed: 7, archived: 7 });
  },

  "keeps hostile text as it is": async (bench) => {
    const texts = ["\\N", "\\.", "a\tb\\n\nc\r\n", "\\", "'; --", "\u0001\u007f\u2028🔁", "x".repeat(100_000)];
    const past = { attempt: 1, started_at: T0, ended_at: T0, worker_id: "\\N", lease: 1 };
    const items: Item[] = [
      ...HOSTILE_IDS.map((id, n) => ({ job: { ...job(id), command: texts[n % texts.length] ?? "" } })),
      ...texts.map((error, n) => ({
        dead_letter: portableDeadLetter({ ...letter(`dead ${n}`), error, history: [{ ...past, outcome: error }] }),
      })),
    ];
    await bench.store.restore(inBatches(items, 50), { existing: "refuse" });
    expect(text(await dumped(bench.store))).toBe(text(items));
    const other = await bench.another();
    expect(text(await dumped(other))).toBe(text(items));
  },

  "a reading that fails adds nothing, or leaves a store that a second one completes": async (bench) => {
    await fill(bench);
    const items = await dumped(bench.store);
    await using other = await Bench.open(bench.harness);
    const broken = async function* (): AsyncGenerator<readonly Item[]> {
      yield* inBatches(items.slice(0, 6), 2)();
      throw new QueueError("E_STREAM", "It was cut.");
    };
    expect(await refusal(other.store.restore(broken, { existing: "refuse" }))).toBe("E_STREAM");
    const again = await other.another();
    await again.restore(inBatches(items), { existing: "skip" });
    expect(text(await dumped(again))).toBe(text(items));
  },

  "gives away one moment, whatever happens meanwhile": async (bench) => {
    await fill(bench);
    const before = text(await dumped(bench.store));
    const other = await bench.another();
    const items: Item[] = [];
    await bench.store.dump(async (batch) => {
      await other.enqueue([{ command: "true" }]);
      await other.setConfig("max_retries", items.length + 10);
      items.push(...batch);
      return true;
    });
    expect(text(items)).toBe(before);
  },

  "stops when no more is taken": async (bench) => {
    await fill(bench);
    let batches = 0;
    await bench.store.dump(async () => {
      batches += 1;
      return false;
    });
    expect(batches).toBe(1);
    expect(ids(await bench.store.enqueue(specs("on")))).toEqual(["on"]);
  },
};

/** A store with something of each kind; the jobs that were enqueued first were not completed first. */
async function fill(bench: Bench): Promise<void> {
  await bench.store.setConfig("max_retries", 7);
  await complete(bench, "first", "second");
  await bench.store.prune({ keep: 0 });
  await bench.dead("dead-2");
  bench.now += 10;
  await bench.dead("dead-1");
  const [retried, late, early] = await bench.running("retried", "late", "early", "running");
  await bench.store.settle([end(retried, FAILURE)]);
  bench.now += 10;
  await bench.store.settle([end(early, SUCCESS)]);
  bench.now += 10;
  await bench.store.settle([end(late, SUCCESS)]);
  await bench.store.enqueue([...specs("waiting"), { id: "urgent", command: "true", priority: 5, max_retries: 0 }]);
}

async function complete(bench: Bench, ...names: string[]): Promise<void> {
  await bench.store.enqueue(specs(...names));
  for (const running of await claimed(bench.store)) {
    bench.now += 1;
    await bench.store.settle([end(running, SUCCESS)]);
  }
}

async function dumped(store: Store): Promise<Item[]> {
  const items: Item[] = [];
  await store.dump(async (batch) => {
    items.push(...batch);
    return true;
  });
  return items;
}

/** As it would be written down. */
function text(items: readonly Item[]): string {
  return items.map((item) => JSON.stringify(item)).join("\n");
}

function inBatches(items: readonly Item[], size = 1000): () => AsyncGenerator<readonly Item[]> {
  return async function* () {
    for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
  };
}

async function archived(store: Store): Promise<{ id: string }[]> {
  return (await Array.fromAsync(store.archived())).flat();
}

function job(id: string) {
  const common = { id, command: "true", state: "pending" as const, run_at: T0, attempts: 0, max_retries: 3 };
  return { ...common, created_at: T0, updated_at: T0 };
}

function completed(id: string, at: number): CompletedJob {
  const run = { state: "completed" as const, attempts: 1, updated_at: at, processing_started_at: at };
  return portableArchived({ ...job(id), ...run, worker_id: "worker-1" });
}

function letter(id: string) {
  return { id, command: "false", attempts: 1, error: "exit 1", failed_at: T0, max_retries: 0, created_at: T0 };
}
