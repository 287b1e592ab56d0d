import { expect } from "bun:test";
import { cancel, remove, retryDeadLetter } from "../../../src/job/control.ts";
import { isWebhook } from "../../../src/job/hook.ts";
import type { PendingJob } from "../../../src/job/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Contract, claimed, end, FAILURE, ids, SUCCESS, T0 } from "./bench.ts";

export const hooksContract: Contract = {
  "come with the end of a job as jobs of their own, which know how it ended": async (bench) => {
    const { store } = bench;
    await store.setConfig("on_complete", "echo done");
    await store.setConfig("on_dead", "echo dead");
    await store.setConfig("max_retries", 7);
    await store.enqueue([
      { id: "good", command: "true", queue: "q" },
      { id: "bad", command: "false", max_retries: 0 },
    ]);
    const jobs = await claimed(store);
    bench.now = T0 + 5;
    await store.settle(jobs.map((job) => end(job, job.id === "good" ? SUCCESS : FAILURE)));
    const times = { run_at: T0 + 5, created_at: T0 + 5, updated_at: T0 + 5 };
    const fresh = { state: "pending", attempts: 0, max_retries: 7, queue: "hooks", ...times } as const;
    expect(await hooks(store)).toStrictEqual([
      {
        ...{ ...fresh, id: `bad.on_dead.${T0 + 5}`, command: "echo dead" },
        env: {
          ...{ JOB_ID: "bad", JOB_COMMAND: "false", JOB_QUEUE: "default", JOB_STATE: "dead", JOB_ATTEMPTS: "1" },
          JOB_ENDED_AT: String(T0 + 5),
          JOB_ERROR: "exit 1: no such host",
        },
      },
      {
        ...{ ...fresh, id: `good.on_complete.${T0 + 5}`, command: "echo done" },
        env: {
          ...{ JOB_ID: "good", JOB_COMMAND: "true", JOB_QUEUE: "q", JOB_STATE: "completed", JOB_ATTEMPTS: "1" },
          JOB_ENDED_AT: String(T0 + 5),
        },
      },
    ]);
    expect(await (await bench.another()).counts()).toMatchObject({ pending: 2, completed: 1, dead: 1 });
  },

  "come for what has failed, for whatever reason, and for what waited for it": async (bench) => {
    const { store } = bench;
    await store.setConfig("on_dead", "echo dead");
    await store.enqueue([
      { id: "a", command: "true" },
      { id: "b", command: "true", after: ["a"] },
      { id: "c", command: "true", after: ["b"] },
    ]);
    const [job] = await claimed(store);
    if (job) await store.settle([end(job, { kind: "canceled" })]);
    const error = (id: string): string => `job ${id}, which it waited for, did not complete`;
    expect((await hooks(store)).map(({ env }) => env)).toMatchObject([
      { JOB_ID: "a", JOB_STATE: "failed", JOB_ATTEMPTS: "1", JOB_ERROR: "canceled" },
      { JOB_ID: "b", JOB_STATE: "failed", JOB_ATTEMPTS: "0", JOB_ERROR: error("a") },
      { JOB_ID: "c", JOB_STATE: "failed", JOB_ATTEMPTS: "0", JOB_ERROR: error("b") },
    ]);
  },

  "come for what is canceled before it runs and for what waited for that, but not for what is removed": async (
    bench,
  ) => {
    const { store } = bench;
    await store.setConfig("on_dead", "echo dead");
    await store.enqueue([
      { id: "a", command: "true" },
      { id: "b", command: "true", after: ["a"] },
      { id: "c", command: "true" },
      { id: "d", command: "true", after: ["c"] },
    ]);
    await store.alter(["a"], cancel);
    await store.alter(["c"], remove);
    expect((await hooks(store)).map(({ env }) => [env?.JOB_ID, env?.JOB_STATE])).toEqual([
      ["a", "failed"],
      ["b", "failed"],
      ["d", "failed"],
    ]);
  },

  "do not come for a retry, a release, a stale end, or an end of another kind": async (bench) => {
    const { store } = bench;
    await store.setConfig("on_dead", "echo dead");
    const [retried, released, done] = await bench.running("retried", "released", "done");
    await store.settle([end(retried, FAILURE), end(released, { kind: "released" }), end(done, SUCCESS)]);
    await store.settle([end(done, SUCCESS), end(done, { kind: "canceled" })]);
    expect(await hooks(store)).toEqual([]);
  },

  "come once, of two who end the same attempt": async (bench) => {
    await bench.store.setConfig("on_complete", "echo done");
    const [job] = await bench.running("p1");
    const other = await bench.another();
    await Promise.all([bench.store.settle([end(job, SUCCESS)]), other.settle([end(job, SUCCESS)])]);
    expect(await hooks(bench.store)).toHaveLength(1);
  },

  "come again when a dead letter that was put back dies again": async (bench) => {
    const { store } = bench;
    await store.setConfig("on_dead", "echo dead");
    await bench.dead("bad");
    await store.alter(["bad"], retryDeadLetter);
    bench.now = T0 + 1;
    const again = (await claimed(store)).filter(({ id }) => id === "bad");
    await store.settle(again.map((job) => end(job, FAILURE)));
    const came = (await store.list()).filter(({ queue }) => queue === "hooks").map(({ id }) => id);
    expect(came.toSorted()).toEqual([`bad.on_dead.${T0}`, `bad.on_dead.${T0 + 1}`]);
  },

  "tell a server of every end beside, and not again when it will not hear": async (bench) => {
    const { store } = bench;
    const overridden = await bench.another({ webhook_url: "http://localhost/mine" });
    await store.setConfig("on_complete", "echo done");
    const [a, b] = await bench.running("a", "b");
    await overridden.settle([end(a, SUCCESS)]);
    await store.setConfig("webhook_url", "http://localhost/stored");
    await store.settle([end(b, { kind: "canceled" })]);
    const found = await hooks(store);
    expect(ids(found)).toEqual([`a.on_complete.${T0}`, `a.webhook.${T0}`, `b.webhook.${T0}`]);
    expect(found.map(isWebhook)).toEqual([false, true, true]);
    expect(found.map(({ no_retry_on }) => no_retry_on)).toEqual([undefined, [64], [64]]);
    expect(found[2]?.env).toMatchObject({ JOB_ID: "b", JOB_STATE: "failed", JOB_ERROR: "canceled" });
  },

  "have no hooks themselves": async (bench) => {
    const { store } = bench;
    await store.setConfig("on_complete", "echo done");
    await store.setConfig("on_dead", "echo dead");
    const [job] = await bench.running("p1");
    await store.settle([end(job, SUCCESS)]);
    const running = await claimed(store);
    expect(running).toMatchObject([{ queue: "hooks" }]);
    await store.settle(running.map((hook) => end(hook, SUCCESS)));
    expect(await hooks(store)).toEqual([]);
    await store.enqueue([{ id: "own", command: "false", queue: "hooks", max_retries: 0 }]);
    await store.settle((await claimed(store)).map((hook) => end(hook, FAILURE)));
    expect(await hooks(store)).toEqual([]);
  },

  "are those of who ends the job, and of nobody when they are unset or empty": async (bench) => {
    const overridden = await bench.another({ on_complete: "echo mine" });
    await bench.store.setConfig("on_complete", "echo stored");
    await bench.store.setConfig("on_dead", "");
    const [a, b, c, d] = await bench.running("a", "b", "c", "d");
    await overridden.settle([end(a, SUCCESS)]);
    await bench.store.settle([end(b, SUCCESS), end(d, { kind: "canceled" })]);
    await bench.store.setConfig("on_complete", undefined);
    await bench.store.settle([end(c, SUCCESS)]);
    expect((await hooks(bench.store)).map(({ command }) => command)).toEqual(["echo mine", "echo stored"]);
  },

  "have an id of their own for jobs of long ids, and are told only the beginning of long texts": async (bench) => {
    const { store } = bench;
    await store.setConfig("on_complete", "echo done");
    const long = ["a", "b"].map((last) => "é".repeat(120) + last);
    await store.enqueue(long.map((id) => ({ id, command: `echo ${"🦜".repeat(10_001)}` })));
    await store.settle((await claimed(store)).map((job) => end(job, SUCCESS)));
    const found = await hooks(store);
    expect(new Set(found.map(({ env }) => env?.JOB_ID))).toEqual(new Set(long));
    for (const { id, env } of found) {
      expect(id).toMatch(/^[0-9a-f]{32}\.on_complete\.\d+$/);
      expect(env?.JOB_COMMAND).toBe(`echo ${"🦜".repeat(9995)}`);
    }
    expect(new Set(ids(found)).size).toBe(2);
  },
};

/** Those that wait, in the order of their ids. */
async function hooks(store: Store): Promise<PendingJob[]> {
  const pending = (await store.list("pending")) as PendingJob[];
  return pending.filter(({ queue }) => queue === "hooks").toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
