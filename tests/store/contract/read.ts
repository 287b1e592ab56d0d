import { expect } from "bun:test";
import { sorted } from "../../support/sorted.ts";
import { type Contract, end, everything, FAILURE, ids, refusal, refused, SUCCESS, specs, T0 } from "./bench.ts";

export const readContract: Contract = {
  "an empty store finds nothing": async ({ store }) => {
    expect(await store.list()).toEqual([]);
    expect(await store.deadLetters()).toEqual([]);
    expect(await store.counts()).toEqual({ pending: 0, processing: 0, completed: 0, archived: 0, failed: 0, dead: 0 });
    expect(await refusal(store.get("p1"))).toBe("E_JOB_NOT_FOUND");
    expect((await refused(store.get("p1"))).message).toContain("p1");
    expect(store.location).not.toBe("");
  },

  "get finds a job of any state and a dead letter, and no other id": async (bench) => {
    const [dead] = await bench.dead("bad1");
    const [completed, processing] = await bench.running("completed", "processing");
    await bench.store.settle([end(completed, SUCCESS)]);
    const [pending] = await bench.store.enqueue(specs("pending"));
    expect(await bench.store.get("bad1")).toStrictEqual(dead as never);
    expect(await bench.store.get("processing")).toStrictEqual(processing);
    expect(await bench.store.get("pending")).toStrictEqual(pending as never);
    expect(await bench.store.get("completed")).toMatchObject({ state: "completed", worker_id: "worker-1" });
    for (const id of ["bad", "Pending", "pending ", ""]) {
      expect(await refusal(bench.store.get(id))).toBe("E_JOB_NOT_FOUND");
    }
  },

  "entries finds all that have one of these ids, and passes over the others": async (bench) => {
    const [dead] = await bench.dead("bad1");
    const [processing] = await bench.running('it\'s "run", {ning}');
    await bench.store.enqueue(specs("pending", "other"));
    const wanted = ["pending", "nope", "bad1", processing?.id ?? "", ""];
    const found = await bench.store.entries(wanted);
    expect(sorted(ids(found))).toEqual(["bad1", processing?.id ?? "", "pending"]);
    expect(found).toContainEqual(dead as never);
    expect(found).toContainEqual(processing as never);
    expect(await bench.store.entries([])).toEqual([]);
  },

  "list gives the jobs in the order they were enqueued, of one state or of all": async (bench) => {
    const [a, b] = await bench.running("a", "b", "c");
    await bench.store.settle([end(b, SUCCESS), end(a, FAILURE)]);
    await bench.store.enqueue([{ id: "d", command: "x", priority: 9 }, ...specs("e")]);
    expect(ids(await bench.store.list())).toEqual(["a", "b", "c", "d", "e"]);
    expect(ids(await bench.store.list("pending"))).toEqual(["a", "d", "e"]);
    expect(ids(await bench.store.list("processing"))).toEqual(["c"]);
    expect(ids(await bench.store.list("completed"))).toEqual(["b"]);
    expect(await bench.store.list("failed")).toEqual([]);
  },

  "list has no limit": async ({ store }) => {
    const names = Array.from({ length: 1500 }, (_, n) => `p${n}`);
    await store.enqueue(specs(...names));
    expect(ids(await store.list())).toEqual(names);
    expect(await store.counts()).toMatchObject({ pending: 1500 });
  },

  "counts counts every state and the dead": async (bench) => {
    await bench.dead("x", "y");
    const [a, b] = await bench.running("a", "b", "c");
    await bench.store.settle([end(a, SUCCESS), end(b, { kind: "released" })]);
    await bench.store.enqueue([{ id: "delayed", command: "x", run_at: T0 + 1 }]);
    const expected = { pending: 2, processing: 1, completed: 1, archived: 0, failed: 0, dead: 2 };
    expect(await bench.store.counts()).toEqual(expected);
    expect(await (await bench.another()).counts()).toEqual(expected);
  },

  "deadLetters gives the oldest first, with all that is known of them": async (bench) => {
    const [z] = await bench.dead("z");
    bench.now = T0 + 1000;
    const [a] = await bench.dead("a");
    const letter = {
      command: "false",
      attempts: 1,
      error: "exit 1: no such host",
      max_retries: 0,
      worker_id: "worker-1",
    };
    expect(await bench.store.deadLetters()).toStrictEqual([
      { id: "z", ...letter, failed_at: T0, created_at: T0, history: z?.history ?? [] },
      { id: "a", ...letter, failed_at: T0 + 1000, created_at: T0 + 1000, history: a?.history ?? [] },
    ]);
  },

  "what was there at the close is there after it, for a handle that was open before and for a new one": async (
    bench,
  ) => {
    const before = await bench.another();
    await bench.dead("bad1");
    const [a] = await bench.running("a", "b");
    await bench.store.settle([end(a, SUCCESS)]);
    await bench.store.enqueue(specs("c"));
    await bench.store.setConfig("max_retries", 5);
    const all = await everything(bench.store);
    await bench.close(bench.store);
    expect(await everything(before)).toStrictEqual(all);
    await bench.close(before);
    const again = await bench.another();
    expect(await everything(again)).toStrictEqual(all);
    expect(ids(await again.enqueue(specs("d")))).toEqual(["d"]);
  },
};
