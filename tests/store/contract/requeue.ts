import { expect } from "bun:test";
import { requeue } from "../../support/requeue.ts";
import {
  type Contract,
  claimed,
  claimedOne,
  end,
  everything,
  FAILURE,
  ids,
  refusal,
  refused,
  SUCCESS,
  specs,
  T0,
} from "./bench.ts";

export const requeueContract: Contract = {
  "moves a dead letter to the end of the queue, due now, with attempts 0": async (bench) => {
    const [dead] = await bench.dead("bad1");
    await bench.store.enqueue(specs("p1"));
    bench.now = T0 + 500;
    const jobs = await requeue(bench.store, ["bad1"]);
    expect(jobs).toStrictEqual([
      {
        id: "bad1",
        command: "false",
        state: "pending",
        run_at: T0 + 500,
        attempts: 0,
        max_retries: 0,
        created_at: T0,
        updated_at: T0 + 500,
        last_error: "exit 1: no such host",
        history: dead?.history ?? [],
      },
    ]);
    expect(await bench.store.deadLetters()).toEqual([]);
    expect(await bench.store.get("bad1")).toStrictEqual(jobs[0] as never);
    const other = await bench.another();
    expect(ids(await other.list())).toEqual(["p1", "bad1"]);
    expect(ids(await claimed(other))).toEqual(["p1", "bad1"]);
  },

  "returns the jobs in the order they were asked for, which is their order in the queue": async (bench) => {
    await bench.dead("a", "b", "c");
    expect(ids(await requeue(bench.store, ["c", "a"]))).toEqual(["c", "a"]);
    expect(ids(await bench.store.list())).toEqual(["c", "a"]);
    expect(ids(await bench.store.deadLetters())).toEqual(["b"]);
  },

  "of an id that is not in the DLQ is refused and moves none": async (bench) => {
    await bench.dead("bad1", "bad2");
    await bench.store.enqueue(specs("p1"));
    const before = await everything(bench.store);
    for (const missing of ["nope", "p1"]) {
      expect(await refusal(requeue(bench.store, ["bad1", missing, "bad2"]))).toBe("E_JOB_NOT_FOUND");
      expect((await refused(requeue(bench.store, [missing]))).message).toContain(missing);
      expect(await everything(bench.store)).toStrictEqual(before);
    }
  },

  "by two handles at once is done once": async (bench) => {
    const other = await bench.another();
    await bench.dead("bad1");
    const results = await Promise.allSettled([requeue(bench.store, ["bad1"]), requeue(other, ["bad1"])]);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    expect(ids(await bench.store.list())).toEqual(["bad1"]);
  },

  "of nothing moves nothing": async (bench) => {
    await bench.dead("bad1");
    expect(await requeue(bench.store, [])).toEqual([]);
    expect(ids(await bench.store.deadLetters())).toEqual(["bad1"]);
  },

  "leaves the id taken": async (bench) => {
    await bench.dead("bad1");
    await requeue(bench.store, ["bad1"]);
    expect(await refusal(bench.store.enqueue(specs("bad1")))).toBe("E_JOB_EXISTS");
  },

  "lets the job die again, now as the latest of the dead, and be requeued again": async (bench) => {
    const { store } = bench;
    await bench.dead("a", "b");
    for (let round = 0; round < 2; round++) {
      await requeue(store, ["a"]);
      expect((await store.settle([end(await claimedOne(store), FAILURE)])).ended).toMatchObject([
        { event: "dead-lettered", job: { id: "a", attempts: 1 } },
      ]);
      expect(ids(await store.deadLetters())).toEqual(["b", "a"]);
    }
    await requeue(store, ["a"]);
    expect((await store.settle([end(await claimedOne(store), SUCCESS)])).ended).toMatchObject([{ event: "completed" }]);
    expect(await store.get("a")).not.toHaveProperty("last_error");
  },
};
