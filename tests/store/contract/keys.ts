import { expect } from "bun:test";
import { wherePossible } from "../../../src/job/alteration.ts";
import { remove, retry } from "../../../src/job/control.ts";
import type { QueueError } from "../../../src/job/errors.ts";
import type { IfExists } from "../../../src/job/key.ts";
import type { JobSpec } from "../../../src/job/spec.ts";
import type { Item } from "../../../src/store/item.ts";
import type { Store } from "../../../src/store/store.ts";
import { requeue } from "../../support/requeue.ts";
import {
  Bench,
  type Contract,
  claimed,
  claimedOne,
  end,
  everything,
  FAILURE,
  ids,
  refused,
  SUCCESS,
  specs,
  T0,
} from "./bench.ts";

function keyed(id: string, if_exists?: IfExists, more: Partial<JobSpec> = {}): JobSpec {
  return { id, command: "true", key: "k", max_retries: 0, ...(if_exists && { if_exists }), ...more };
}

/** The job, and which ones were there instead of those that were left out. */
async function offer(store: Store, ...jobs: JobSpec[]): Promise<{ added: string[]; skipped: string[] }> {
  const skipped: string[] = [];
  const added = await store.enqueue(jobs, { onSkip: (id) => skipped.push(id) });
  return { added: ids(added), skipped };
}

async function refusedUnchanged({ store }: Bench, call: () => Promise<unknown>): Promise<QueueError> {
  const before = await everything(store);
  const error = await refused(call());
  expect(await everything(store)).toStrictEqual(before);
  return error;
}

export const keysContract: Contract = {
  "are kept with the job, also through the DLQ": async ({ store }) => {
    const [job] = await store.enqueue([keyed("a", "replace")]);
    expect(job).toMatchObject({ id: "a", key: "k" });
    expect(job).not.toHaveProperty("if_exists");
    await store.settle([end(await claimedOne(store), FAILURE)]);
    expect(await store.get("a")).toMatchObject({ key: "k", attempts: 1 });
    expect(await requeue(store, ["a"])).toMatchObject([{ key: "k" }]);
  },

  "have a second job refused, or left out, while the first is pending or processing": async (bench) => {
    const other = await bench.another();
    await bench.store.enqueue([keyed("a")]);
    for (const state of ["pending", "processing"]) {
      const error = await refusedUnchanged(bench, () => other.enqueue([...specs("x"), keyed("b")]));
      expect(error.code).toBe("E_JOB_EXISTS");
      expect(error.index).toBe(1);
      if (other.location !== "memory")
        expect(error.message).toBe(`The key "k" of job "b" is taken by job "a" (${state}).`);
      expect(await offer(other, keyed("b", "skip"))).toEqual({ added: [], skipped: ["a"] });
      if (state === "pending") await claimedOne(bench.store);
    }
  },

  "are free again when their job has ended, however it did": async (bench) => {
    const { store } = bench;
    await store.enqueue([keyed("a")]);
    await store.settle([end(await claimedOne(store), SUCCESS)]);
    await store.enqueue([keyed("b")]);
    await store.settle([end(await claimedOne(store), FAILURE)]);
    await store.enqueue([keyed("c")]);
    await store.settle([end(await claimedOne(store), { kind: "canceled" })]);
    await store.enqueue([...specs("before"), keyed("d", "fail", { after: ["before"] })]);
    await store.settle([end(await claimedOne(store), { kind: "canceled" })]);
    expect(await store.get("d")).toMatchObject({ state: "failed", key: "k" });
    expect(await offer(await bench.another(), keyed("e"))).toEqual({ added: ["e"], skipped: [] });
  },

  "stay taken while their job is retried or was put back by its worker": async (bench) => {
    const { store } = bench;
    await store.enqueue([keyed("a", "fail", { max_retries: 1 })]);
    for (const outcome of [{ kind: "released" }, FAILURE] as const) {
      await store.settle([end(await claimedOne(store), outcome)]);
      expect((await refusedUnchanged(bench, () => store.enqueue([keyed("b")]))).code).toBe("E_JOB_EXISTS");
    }
  },

  "may be taken over from a pending job, which has failed then": async (bench) => {
    const { store } = bench;
    await store.enqueue([keyed("a"), ...specs("x")]);
    bench.now = T0 + 5;
    expect(await offer(await bench.another(), keyed("b", "replace"))).toEqual({ added: ["b"], skipped: [] });
    expect(await store.get("a")).toMatchObject({
      state: "failed",
      key: "k",
      last_error: "replaced by job b",
      updated_at: T0 + 5,
    });
    expect(await store.counts()).toMatchObject({ pending: 2, failed: 1 });
    expect(ids(await claimed(store))).toEqual(["x", "b"]);
    const error = await refusedUnchanged(bench, () => store.enqueue([keyed("c", "replace")]));
    expect(error.code).toBe("E_JOB_EXISTS");
  },

  "have those that waited for a job wait for the one that took its place": async (bench) => {
    const { store } = bench;
    await store.enqueue([
      keyed("a"),
      keyed("l", "fail", { key: "l" }),
      { id: "next", command: "true", after: ["a", "l"] },
      { id: "last", command: "true", after: ["next"] },
    ]);
    bench.now = T0 + 5;
    await store.enqueue([keyed("b", "replace"), keyed("m", "replace", { key: "l" })]);
    expect(await store.get("next")).toMatchObject({ after: ["a", "l"], waits_for: ["b", "m"], updated_at: T0 + 5 });
    expect(await store.get("last")).toMatchObject({ waits_for: ["next"], updated_at: T0 });
    const [b, m] = await claimed(await bench.another());
    if (!b || !m) throw new Error("nothing was claimed");
    expect(ids(await claimed(store))).toEqual([]);
    await store.settle([end(b, SUCCESS), end(m, SUCCESS)]);
    expect(ids(await claimed(store))).toEqual(["next"]);
  },

  "cannot be taken over by a job that waits for those that would wait for it": async (bench) => {
    const { store } = bench;
    await store.enqueue([
      keyed("a"),
      { id: "next", command: "true", after: ["a"] },
      { id: "last", command: "true", after: ["next"] },
    ]);
    for (const waitsFor of ["next", "last"]) {
      const call = () => store.enqueue([...specs("x"), keyed("b", "replace", { after: [waitsFor] })]);
      expect(await refusedUnchanged(bench, call)).toMatchObject({ code: "E_USAGE", index: 1 });
    }
    const call = () => store.enqueue([keyed("b", "replace", { after: ["a"] })]);
    expect(await refusedUnchanged(bench, call)).toMatchObject({ code: "E_JOB_STATE", index: 0 });
  },

  "of jobs of one call count, too: the first stays, or the last one that takes its place": async (bench) => {
    const { store } = bench;
    const error = await refusedUnchanged(bench, () => store.enqueue([keyed("a"), keyed("b")]));
    expect(error).toMatchObject({ code: "E_JOB_EXISTS", index: 1 });
    expect(await offer(store, keyed("a"), keyed("b", "skip"))).toEqual({ added: ["a"], skipped: ["a"] });
    const three = [keyed("c", "replace"), keyed("d", "replace"), keyed("e", "skip"), keyed("f", "replace")];
    expect(await offer(store, ...three)).toEqual({ added: ["f"], skipped: ["d"] });
    expect(await store.get("a")).toMatchObject({ last_error: "replaced by job f" });
    expect(ids(await store.list())).toEqual(["a", "f"]);
  },

  "come after ids: a job that is there already has no quarrel with itself": async (bench) => {
    const { store } = bench;
    await store.enqueue([keyed("a")]);
    const call = () => store.enqueue([keyed("a", "replace")]);
    expect((await refusedUnchanged(bench, call)).code).toBe("E_JOB_EXISTS");
    expect(await store.enqueue([keyed("a"), keyed("b")], { existing: "skip" })).toEqual([]);
  },

  "keep a dead letter in the DLQ, and a job that has ended as it is, while another has its key": async (bench) => {
    const { store } = bench;
    for (const id of ["a", "b"]) {
      await store.enqueue([keyed(id)]);
      await store.settle([end(await claimedOne(store), FAILURE)]);
    }
    const both = await refusedUnchanged(bench, () => requeue(store, ["a", "b"]));
    expect(both).toMatchObject({
      code: "E_JOB_EXISTS",
      message: 'The key "k" of job "b" is taken by job "a" (pending).',
    });
    await store.enqueue([keyed("c")]);
    expect((await refusedUnchanged(bench, () => requeue(store, ["a"]))).code).toBe("E_JOB_EXISTS");
    await store.settle([end(await claimedOne(store), SUCCESS)]);
    expect(ids(await requeue(store, ["a"]))).toEqual(["a"]);
    expect((await refusedUnchanged(bench, () => store.alter(["c"], retry))).code).toBe("E_JOB_EXISTS");
    expect(await store.alter(["c"], wherePossible(retry))).toEqual([]);
    await store.alter(["a"], remove);
    expect(await store.alter(["c"], retry)).toMatchObject([{ event: "requeued", job: { id: "c", key: "k" } }]);
  },

  "are given to one of many that come at once": async (bench) => {
    const handles = [bench.store, await bench.another()];
    for (const if_exists of ["skip", "fail"] as const) {
      const key = `of-${if_exists}`;
      const calls = Array.from({ length: 20 }, (_, n) =>
        handles[n % 2]?.enqueue([keyed(`${key}-${n}`, if_exists, { key })]),
      );
      const results = await Promise.allSettled(calls);
      const added = results.flatMap((result) => (result.status === "fulfilled" ? (result.value ?? []) : []));
      expect(added).toHaveLength(1);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(if_exists === "skip" ? 20 : 1);
    }
    expect(await bench.store.list()).toHaveLength(2);
  },

  "go from one to the next of many that come at once, and one is left": async (bench) => {
    const handles = [bench.store, await bench.another()];
    await bench.store.enqueue([keyed("a"), { id: "next", command: "true", after: ["a"] }]);
    await Promise.all(Array.from({ length: 20 }, (_, n) => handles[n % 2]?.enqueue([keyed(`b${n}`, "replace")])));
    const left = (await bench.store.list("pending")).filter(({ key }) => key === "k");
    expect(left).toHaveLength(1);
    expect(await bench.store.get("next")).toMatchObject({ waits_for: ids(left) });
    expect(await bench.store.counts()).toMatchObject({ pending: 2, failed: 20 });
  },

  "move with their jobs, and keep out another unfinished job that has one of them": async (bench) => {
    const { store } = bench;
    await store.enqueue([keyed("a")]);
    await store.settle([end(await claimedOne(store), FAILURE)]);
    await store.enqueue([keyed("b")]);
    const items: Item[] = [];
    await store.dump(async (batch) => {
      items.push(...batch);
      return true;
    });
    const bring = async function* () {
      yield items;
    };
    await using empty = await Bench.open(bench.harness);
    await empty.store.restore(bring, { existing: "refuse" });
    expect((await refused(empty.store.enqueue([keyed("c")]))).code).toBe("E_JOB_EXISTS");
    await using taken = await Bench.open(bench.harness);
    await taken.store.enqueue([keyed("c")]);
    const call = () => taken.store.restore(bring, { existing: "skip" });
    expect((await refusedUnchanged(taken, call)).message).toBe('The key "k" of job "b" is taken by job "c".');
  },
};
