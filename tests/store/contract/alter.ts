import { expect } from "bun:test";
import { closeSync, writeSync } from "node:fs";
import { type Rule, wherePossible } from "../../../src/job/alteration.ts";
import { cancel, remove, removeDeadLetter, retry, retryDeadLetter } from "../../../src/job/control.ts";
import { checkChanges, edit } from "../../../src/job/edit.ts";
import { sorted } from "../../support/sorted.ts";
import { until } from "../../support/until.ts";
import { type Contract, claimed, claimedOne, end, everything, ids, refusal, SUCCESS, specs, T0 } from "./bench.ts";

const TERMS = { priority: 5, env: { A: "1" }, timeout: 1000, retry_on: [75] };

export const alterContract: Contract = {
  "does to each what the rule says, in order, once, and for every handle": async (bench) => {
    await bench.store.enqueue(specs("a", "b", "c"));
    bench.now += 10;
    const done = await bench.store.alter(["c", "a", "c"], cancel);
    expect(done.map(({ event, job }) => `${event} ${job.id}`)).toEqual(["failed c", "failed a"]);
    const common = { state: "failed", attempts: 0, updated_at: T0 + 10, last_error: "canceled" };
    const other = await bench.another();
    expect(await other.list("failed")).toMatchObject([
      { id: "a", ...common },
      { id: "c", ...common },
    ]);
    expect(await other.counts()).toMatchObject({ pending: 1, failed: 2 });
    expect(ids(await claimed(other))).toEqual(["b"]);
  },

  "changes nothing at all when the rule refuses one": async (bench) => {
    await bench.dead("dead");
    const [done, running] = await bench.running("done", "running");
    await bench.store.settle([end(done, SUCCESS)]);
    await bench.store.enqueue(specs("a", "b"));
    const before = await everything(bench.store);
    const refused: [Rule, string, string][] = [
      [cancel, "done", "E_JOB_STATE"],
      [cancel, "dead", "E_JOB_STATE"],
      [cancel, "nope", "E_JOB_NOT_FOUND"],
      [remove, running.id, "E_JOB_STATE"],
      [remove, "nope", "E_JOB_NOT_FOUND"],
      [edit(checkChanges({ priority: 1 })), "done", "E_JOB_STATE"],
    ];
    for (const [rule, id, code] of refused) {
      expect<string>(await refusal(bench.store.alter(["a", id, "b"], rule))).toBe(code);
      expect(await everything(await bench.another())).toStrictEqual(before);
    }
  },

  "leaves out what the rule leaves as it is": async (bench) => {
    const [running] = await bench.running("running");
    await bench.store.enqueue(specs("a"));
    expect(ids((await bench.store.alter(["running", "a"], cancel)).map(({ job }) => job))).toEqual(["a"]);
    expect(await bench.store.get("running")).toStrictEqual(running);
    const before = await everything(bench.store);
    expect(await bench.store.alter(["running", "a", "nope"], wherePossible(cancel))).toEqual([]);
    expect(await bench.store.alter([], cancel)).toEqual([]);
    expect(await everything(bench.store)).toStrictEqual(before);
  },

  "of an empty store makes nothing": async ({ store }) => {
    expect(await store.alter(["nope"], wherePossible(remove))).toEqual([]);
    expect(await refusal(store.alter(["nope"], retry))).toBe("E_JOB_NOT_FOUND");
  },

  "has completed and failed jobs run again, at the end of the queue, with their terms": async (bench) => {
    await bench.store.enqueue([{ id: "done", command: "true", ...TERMS }]);
    await bench.store.settle([end(await claimedOne(bench.store), SUCCESS)]);
    await bench.store.enqueue(specs("failed", "last"));
    await bench.store.alter(["failed"], cancel);
    bench.now += 1000;
    const done = await bench.store.alter(["failed", "done"], retry);
    const again = { state: "pending", attempts: 0, run_at: T0 + 1000, created_at: T0, updated_at: T0 + 1000 };
    expect(done.map(({ job }) => job)).toMatchObject([
      { id: "failed", ...again, last_error: "canceled" },
      { id: "done", ...again, ...TERMS },
    ]);
    const other = await bench.another();
    expect(await other.list()).toStrictEqual([await bench.store.get("last"), ...done.map(({ job }) => job)] as never);
    expect(done[1]?.job).not.toHaveProperty("worker_id");
    // By its priority.
    expect(ids(await claimed(other))).toEqual(["done", "last", "failed"]);
  },

  "forgets a time to be begun by that has passed, and no other": async (bench) => {
    await bench.store.enqueue([
      { id: "early", command: "true", expires_in: 10 },
      { id: "late", command: "true", expires_in: 10_000 },
    ]);
    await bench.store.alter(["early", "late"], cancel);
    bench.now += 10;
    const [early, late] = await bench.store.alter(["early", "late"], retry);
    expect(early?.job).not.toHaveProperty("expires_at");
    expect(late?.job).toHaveProperty("expires_at", T0 + 10_000);
  },

  "edits a job in its place": async (bench) => {
    await bench.store.enqueue([{ id: "a", command: "false", ...TERMS }, ...specs("b")]);
    bench.now += 5;
    const changes = checkChanges({
      ...{ command: "true", max_retries: 9, delay: "1s", expires_in: "1m", cwd: "/tmp" },
      ...{ priority: 0, timeout: null, env: null },
    });
    const [done] = await bench.store.alter(["a"], edit(changes));
    const edited = {
      ...{ id: "a", command: "true", state: "pending", run_at: T0 + 1005, attempts: 0, max_retries: 9 },
      ...{ created_at: T0, updated_at: T0 + 5, cwd: "/tmp", expires_at: T0 + 60_005, retry_on: [75] },
    };
    expect(done).toStrictEqual({ event: "edited", job: edited } as never);
    const other = await bench.another();
    expect(await other.get("a")).toStrictEqual(edited as never);
    expect(ids(await other.list())).toEqual(["a", "b"]);
    expect(await other.settle([], { workerId: "w", limit: 5 })).toMatchObject({ claimed: [{ id: "b" }] });
    bench.now += 1000;
    expect(ids(await claimed(other))).toEqual(["a"]);
  },

  "edits a job's priority before and after it was due": async (bench) => {
    await bench.store.enqueue(specs("a", "b", "c"));
    await bench.store.alter(["c"], edit(checkChanges({ priority: 2 })));
    await bench.store.alter(["b"], edit(checkChanges({ priority: 3 })));
    await bench.store.alter(["b"], edit(checkChanges({ priority: 1 })));
    expect(ids(await claimed(await bench.another()))).toEqual(["c", "b", "a"]);
  },

  "edits a dead letter, which stays where it is in the DLQ": async (bench) => {
    const [a] = await bench.dead("a", "b");
    bench.now += 5;
    const [done] = await bench.store.alter(["a"], edit(checkChanges({ command: "true", max_retries: 1 })));
    expect(done?.job).toStrictEqual({ ...a, command: "true", max_retries: 1 } as never);
    const other = await bench.another();
    expect(await other.get("a")).toStrictEqual(done?.job as never);
    expect(ids(await other.deadLetters())).toEqual(["a", "b"]);
    await bench.close(bench.store);
    const later = await bench.another();
    expect(ids(await later.deadLetters())).toEqual(["a", "b"]);
    expect(await refusal(later.alter(["a"], edit(checkChanges({ run_at: 0 }))))).toBe("E_JOB_STATE");
  },

  "removes jobs and dead letters: their ids are free, and what they printed is no other job's": async (bench) => {
    await bench.dead("dead");
    const [done] = await bench.running("done");
    const log = await bench.store.openLog(done);
    writeSync(log.fd, "hi\n");
    closeSync(log.fd);
    await bench.store.settle([end(done, SUCCESS)]);
    await bench.store.enqueue(specs("waiting", "kept"));
    const removed = await bench.store.alter(["done", "dead", "waiting"], remove);
    expect(removed.map(({ event, job }) => [event, job.id])).toEqual([
      ["removed", "done"],
      ["removed", "dead"],
      ["removed", "waiting"],
    ]);
    const other = await bench.another();
    expect(await everything(other)).toMatchObject({
      jobs: [{ id: "kept" }],
      dead: [],
      counts: { pending: 1, completed: 0, dead: 0 },
    });
    expect(await refusal(other.get("done"))).toBe("E_JOB_NOT_FOUND");
    expect(ids(await other.enqueue(specs("done", "dead", "waiting")))).toEqual(["done", "dead", "waiting"]);
    expect(await other.logs("done")).toEqual([]);
    expect(ids(await claimed(other))).toEqual(["kept", "done", "dead", "waiting"]);
    expect(ids(await bench.store.list())).toEqual(["kept", "done", "dead", "waiting"]);
  },

  "takes only dead letters for dead letters": async (bench) => {
    await bench.dead("a", "b");
    await bench.store.enqueue(specs("p"));
    for (const rule of [retryDeadLetter, removeDeadLetter]) {
      expect(await refusal(bench.store.alter(["a", "p"], rule))).toBe("E_JOB_NOT_FOUND");
    }
    await bench.store.alter(["a"], removeDeadLetter);
    expect(ids(await bench.store.deadLetters())).toEqual(["b"]);
  },

  "fails what waits for a job that is canceled or removed, all the way down": async (bench) => {
    await bench.store.enqueue([
      ...specs("a", "b"),
      { id: "a2", command: "true", after: ["a"] },
      { id: "a3", command: "true", after: ["a2"] },
      { id: "b2", command: "true", after: ["b"] },
      { id: "b3", command: "true", after: ["b2", "b"] },
    ]);
    bench.now += 10;
    expect(ids((await bench.store.alter(["a"], cancel)).map(({ job }) => job))).toEqual(["a"]);
    await bench.store.alter(["b", "b3"], remove);
    const error = (id: string) => `job ${id}, which it waited for, did not complete`;
    const failed = { state: "failed", updated_at: T0 + 10 };
    expect(await (await bench.another()).list()).toMatchObject([
      { id: "a", ...failed, last_error: "canceled" },
      { id: "a2", ...failed, last_error: error("a") },
      { id: "a3", ...failed, last_error: error("a2") },
      { id: "b2", ...failed, last_error: error("b") },
    ]);
    for (const job of await bench.store.list()) expect(job).not.toHaveProperty("waits_for");
  },

  "has a job that is run again wait for those that are, too": async (bench) => {
    await bench.store.enqueue([...specs("a"), { id: "b", command: "true", after: ["a"], priority: 5 }]);
    await bench.store.alter(["a"], cancel);
    expect(await refusal(bench.store.alter(["b"], retry))).toBe("E_JOB_STATE");
    await bench.store.alter(["a", "b"], retry);
    const other = await bench.another();
    expect(await other.list()).toMatchObject([{ id: "a" }, { id: "b", waits_for: ["a"] }]);
    const [a, ...more] = await claimed(other);
    expect([a?.id, more]).toEqual(["a", []]);
    if (a) await other.settle([end(a, SUCCESS)]);
    expect(ids(await claimed(other))).toEqual(["b"]);
  },

  "edits a job that waits for another, which it goes on waiting for, and moves it to another queue": async (bench) => {
    await bench.store.enqueue([...specs("a"), { id: "b", command: "true", after: ["a"] }]);
    await bench.store.setQueue("slow", { concurrency: 1 });
    await bench.store.alter(["b"], edit(checkChanges({ queue: "slow", priority: 9, delay: 0 })));
    await bench.store.alter(["a"], edit(checkChanges({ queue: "new" })));
    const other = await bench.another();
    expect(await other.get("b")).toMatchObject({ queue: "slow", waits_for: ["a"] });
    expect((await other.queues()).filter(({ pending }) => pending > 0).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["new", "slow"]),
    );
    const [a, ...more] = await claimed(other);
    expect([a?.id, a?.queue, more]).toEqual(["a", "new", []]);
    if (a) await other.settle([end(a, SUCCESS)]);
    expect(await claimed(other)).toMatchObject([{ id: "b", queue: "slow" }]);
  },

  "by two handles at once is done by one after the other": async (bench) => {
    const other = await bench.another();
    await bench.store.enqueue(specs("a", "b", "c"));
    const results = await Promise.allSettled([
      bench.store.alter(["a", "b", "c"], remove),
      other.alter(["c", "b", "a"], remove),
    ]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await bench.store.list()).toEqual([]);
    expect(await other.list()).toEqual([]);
  },

  "of a job that another handle claims meanwhile happens before that, or not at all": async (bench) => {
    const other = await bench.another();
    const names = Array.from({ length: 20 }, (_, n) => `p${n}`);
    await bench.store.enqueue(specs(...names));
    const claims = (async () => {
      const running: string[] = [];
      for (let turn = 0; turn < 20; turn++) running.push(...ids(await claimed(other, { limit: 1 })));
      return running;
    })();
    const canceled: string[] = [];
    for (const id of names.toReversed()) {
      canceled.push(...ids((await bench.store.alter([id], cancel)).map(({ job }) => job)));
    }
    expect(sorted([...(await claims), ...canceled])).toEqual(sorted(names));
  },

  "keeps hostile text as it is": async (bench) => {
    const texts = ["\\N", "a\tb\\n\nc", "\\", "'; --", "\u0001\u2028🔁", '{"a":[1]}', "x".repeat(100_000)];
    await bench.store.enqueue(texts.map((_, n) => ({ id: `t${n}`, command: "true" })));
    for (const [n, text] of texts.entries()) {
      await bench.store.alter([`t${n}`], edit(checkChanges({ command: text, env: { A: text.slice(0, 100) } })));
    }
    const other = await bench.another();
    expect((await other.list()).map(({ command, env }) => [command, env?.A])).toEqual(
      texts.map((text) => [text, text.slice(0, 100)]),
    );
  },

  "a worker is asked to end the attempt of a lease, until it has withdrawn": async (bench) => {
    const asked: number[] = [];
    const worker = await bench.store.announce({ kind: "worker", onAsked: (lease) => asked.push(lease) });
    await bench.store.enqueue(specs("a", "b"));
    const [a, b] = await claimed(bench.store, { workerId: worker.id });
    if (!a || !b) throw new Error("nothing was claimed");
    const other = await bench.another();
    // One that got lost does no harm, as whoever asks goes on asking.
    const isAsked = async (lease: number): Promise<boolean> => {
      expect(await other.askToEnd({ ...a, lease })).toBe(true);
      return asked.includes(lease);
    };
    await until(() => isAsked(b.lease), "the worker to be asked");
    expect(asked).not.toContain(a.lease);
    await until(() => isAsked(a.lease), "the worker to be asked once more");
    expect(await other.get("a")).toStrictEqual(a);
    await worker[Symbol.asyncDispose]();
    expect(await other.askToEnd(a)).toBe(true);
  },

  "a dead worker is not asked, and nobody minds": async (bench) => {
    const worker = await bench.store.announce({ kind: "worker", onAsked: () => {} });
    await bench.store.enqueue(specs("a"));
    const [a] = await claimed(bench.store, { workerId: worker.id });
    if (!a) throw new Error("nothing was claimed");
    await bench.harness.kill(bench.store, worker.id);
    expect(await (await bench.another()).askToEnd(a)).toBe(true);
  },
};
