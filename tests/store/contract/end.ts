import { expect } from "bun:test";
import { requeue } from "../../support/requeue.ts";
import { type Contract, claimed, claimedOne, end, everything, FAILURE, ids, SUCCESS, specs, T0 } from "./bench.ts";

export const endContract: Contract = {
  "is followed by claims in the same call": async (bench) => {
    const [a, b] = await bench.running("a", "b");
    await bench.store.enqueue(specs("c", "d"));
    bench.now = T0 + 50;
    const turn = await bench.store.settle([end(b, SUCCESS), end(a, FAILURE)], { workerId: "worker-1", limit: 1 });
    expect(turn.ended.map((change) => change.event)).toEqual(["completed", "rescheduled"]);
    expect(turn.ended[0]).toMatchObject({ job: { id: "b", state: "completed", updated_at: T0 + 50 } });
    expect(turn.ended[1]).toMatchObject({ job: { id: "a", state: "pending", run_at: T0 + 2050 }, delayMs: 2000 });
    expect(ids(turn.claimed)).toEqual(["c"]);
    expect(turn.nextDueAt).toBeLessThanOrEqual(T0 + 50);
  },

  "is what every handle reads from then on": async (bench) => {
    const other = await bench.another();
    const [job] = await bench.running("p1");
    const { ended } = await other.settle([end(job, SUCCESS)]);
    expect(ended).toStrictEqual([{ event: "completed", job: await bench.store.get("p1") }] as never);
    expect(await bench.store.get("p1")).not.toHaveProperty("lease");
  },

  "may free a job for a claim of the same call, under a new lease": async (bench) => {
    const [job] = await bench.running("p1");
    const turn = await bench.store.settle([end(job, { kind: "released" })], { workerId: "worker-2", limit: 1 });
    expect(turn.ended).toMatchObject([{ event: "released", job: { attempts: 0, state: "pending" } }]);
    expect(turn.claimed).toMatchObject([{ id: "p1", attempts: 1, worker_id: "worker-2" }]);
    expect(turn.claimed[0]?.lease).toBeGreaterThan(job.lease);
    expect(await bench.store.get("p1")).toStrictEqual(turn.claimed[0] as never);
  },

  "under a lease that is not the current one is lost and changes nothing": async (bench) => {
    const [stale] = await bench.running("p1", "p2");
    await bench.store.settle([end(stale, { kind: "worker-lost", workerId: "worker-1" })]);
    const lost = [{ event: "lease-lost" as const, id: "p1", lease: stale.lease }];
    const pending = await everything(bench.store);
    expect((await bench.store.settle([end(stale, SUCCESS)])).ended).toEqual(lost);
    expect(await everything(bench.store)).toStrictEqual(pending);
    bench.now = T0 + 2000;
    await claimed(bench.store, { workerId: "worker-2" });
    const processing = await everything(bench.store);
    for (const outcome of [SUCCESS, FAILURE, { kind: "released" } as const]) {
      expect((await bench.store.settle([end(stale, outcome)])).ended).toEqual(lost);
    }
    expect(await everything(bench.store)).toStrictEqual(processing);
  },

  "of a job that is completed, dead or unknown is lost and changes nothing": async (bench) => {
    await bench.dead("bad1");
    const [job] = await bench.running("p1");
    await bench.store.settle([end(job, SUCCESS)]);
    const before = await everything(bench.store);
    const { ended } = await bench.store.settle([
      { id: "p1", lease: job.lease, outcome: FAILURE },
      { id: "bad1", lease: 1, outcome: SUCCESS },
      { id: "nobody", lease: job.lease, outcome: SUCCESS },
    ]);
    expect(ended.map((change) => change.event)).toEqual(["lease-lost", "lease-lost", "lease-lost"]);
    expect(await everything(bench.store)).toStrictEqual(before);
  },

  "that is lost does not hinder the other ends and claims of the call, which come back in order": async (bench) => {
    const [a, b] = await bench.running("a", "b");
    await bench.store.enqueue(specs("c"));
    const turn = await bench.store.settle(
      [{ id: "a", lease: b.lease, outcome: SUCCESS }, end(b, SUCCESS), end(a, SUCCESS)],
      { workerId: "worker-1", limit: 1 },
    );
    expect(turn.ended.map((change) => change.event)).toEqual(["lease-lost", "completed", "completed"]);
    expect(ids(turn.claimed)).toEqual(["c"]);
  },

  "given twice in one call counts once": async (bench) => {
    const [job] = await bench.running("p1");
    const { ended } = await bench.store.settle([end(job, FAILURE), end(job, SUCCESS)]);
    expect(ended.map((change) => change.event)).toEqual(["rescheduled", "lease-lost"]);
    expect(await bench.store.get("p1")).toMatchObject({ state: "pending", attempts: 1 });
  },

  "given by two handles at once counts once": async (bench) => {
    const other = await bench.another();
    const [job] = await bench.running("p1");
    const turns = await Promise.all([bench.store.settle([end(job, SUCCESS)]), other.settle([end(job, FAILURE)])]);
    const events = turns.flatMap((turn) => turn.ended.map((change) => change.event));
    expect(events).toHaveLength(2);
    expect(events.filter((event) => event === "lease-lost")).toHaveLength(1);
  },

  "by a rescue is charged, by a release is not": async (bench) => {
    const [a, b] = await bench.running("a", "b");
    const { ended } = await bench.store.settle([
      end(a, { kind: "worker-lost", workerId: "worker-1" }),
      end(b, { kind: "released" }),
    ]);
    expect(ended).toMatchObject([
      {
        event: "rescued",
        from: "worker-1",
        delayMs: 2000,
        job: { attempts: 1, last_error: "worker worker-1 was killed" },
      },
      { event: "released", job: { attempts: 0, run_at: T0 } },
    ]);
    const other = await bench.another();
    const jobs = ended.flatMap((change) => ("job" in change ? [change.job] : []));
    expect([await other.get("a"), await other.get("b")]).toStrictEqual(jobs);
  },

  "after max_retries + 1 failures moves the job to the DLQ": async (bench) => {
    await bench.store.enqueue([{ id: "bad1", command: "wrongcmd", max_retries: 3 }]);
    const events: string[] = [];
    for (let attempt = 1; attempt <= 4; attempt++) {
      const job = await claimedOne(bench.store);
      const { ended } = await bench.store.settle([end(job, FAILURE)]);
      events.push(...ended.map((change) => change.event));
      bench.now += 2 ** attempt * 1000;
    }
    expect(events).toEqual(["rescheduled", "rescheduled", "rescheduled", "dead-lettered"]);
    expect(await bench.store.list()).toEqual([]);
    expect(await bench.store.deadLetters()).toMatchObject([{ id: "bad1", attempts: 4, error: "exit 1: no such host" }]);
  },

  "follows the backoff in force at that moment, whoever set it, and this handle's overrides": async (bench) => {
    const other = await bench.another({ backoff_base: 5 });
    const [a, b] = await bench.running("a", "b");
    await other.setConfig("backoff_base", 3);
    expect((await bench.store.settle([end(a, FAILURE)])).ended).toMatchObject([{ delayMs: 3000 }]);
    expect((await other.settle([end(b, FAILURE)])).ended).toMatchObject([{ delayMs: 5000 }]);
  },

  "spreads the backoff by the configured jitter and the given randomness": async (bench) => {
    await bench.store.setConfig("backoff_jitter", 0.5);
    const [a, b] = await bench.running("a", "b");
    bench.roll = 0;
    expect((await bench.store.settle([end(a, FAILURE)])).ended).toMatchObject([{ delayMs: 1000 }]);
    bench.roll = 0.75;
    expect((await bench.store.settle([end(b, FAILURE)])).ended).toMatchObject([{ delayMs: 2500 }]);
  },

  "keeps the terms of a job through every state, whoever asks": async (bench) => {
    const other = await bench.another();
    const said = {
      priority: -3,
      batch: "nightly 4711",
      cwd: "/srv/a b",
      env: { B: "\\n\t'\"é🔁", A: "" },
      timeout: 1500,
      retry_on: [1, "signal"],
      no_retry_on: [64, "timeout"],
    } as const;
    const spec = { id: "p1", command: "x", max_retries: 0, expires_in: 60_000, ...said };
    const terms = { ...said, expires_at: T0 + 60_000 };
    const [pending] = await bench.store.enqueue([spec]);
    expect(pending).toMatchObject(terms);
    expect(await other.list()).toStrictEqual([pending as never]);
    const job = await claimedOne(other);
    expect(job).toMatchObject(terms);
    await bench.store.settle([end(job, FAILURE)]);
    expect(await other.deadLetters()).toMatchObject([terms]);
    const [back] = await requeue(other, ["p1"]);
    expect(back).toMatchObject(terms);
    expect(await bench.store.list()).toStrictEqual([back as never]);
    const again = await claimedOne(other);
    await bench.store.settle([end(again, SUCCESS)]);
    const [completed] = await other.list("completed");
    expect(completed).toMatchObject(terms);
    await other.prune({ keep: 0 });
    expect((await Array.fromAsync(bench.store.archived())).flat()).toStrictEqual([completed as never]);
  },

  "keeps what became of earlier attempts, from the queue to the DLQ, back, and into the archive": async (bench) => {
    const other = await bench.another();
    const lastLine = "\\N\t'\"é🔁\u2028";
    await bench.store.enqueue([{ id: "p1", command: "x", max_retries: 1 }]);
    const first = await claimedOne(bench.store);
    bench.now += 10;
    const { ended } = await bench.store.settle([end(first, { kind: "exited", code: 2, lastLine })]);
    const outcome = `exit 2: ${lastLine}`;
    const history = [
      { attempt: 1, started_at: T0, ended_at: T0 + 10, worker_id: "worker-1", outcome, lease: first.lease },
    ];
    expect(ended).toMatchObject([{ job: { history } }]);
    expect(await other.list()).toMatchObject([{ history }]);
    bench.now += 2000;
    const second = await claimedOne(other, "worker-2");
    expect(second.history).toEqual(history);
    await other.settle([end(second, { kind: "released" })]);
    expect(await bench.store.list()).toMatchObject([{ history }]);
    const third = await claimedOne(other, "worker-2");
    await bench.store.settle([end(third, { kind: "worker-lost", workerId: "worker-2" })]);
    const [dead] = await other.deadLetters();
    expect(dead?.history).toMatchObject([history[0] ?? {}, { attempt: 2, worker_id: "worker-2", lease: third.lease }]);
    const [back] = await requeue(other, ["p1"]);
    expect(back?.history).toEqual(dead?.history);
    expect(await bench.store.list()).toStrictEqual([back as never]);
    await bench.store.settle([end(await claimedOne(other), SUCCESS)]);
    await other.prune({ keep: 0 });
    const [archived] = (await Array.fromAsync(bench.store.archived())).flat();
    expect(archived?.history).toEqual(dead?.history);
  },

  "of a job that is canceled or expired makes it failed, for whoever asks": async (bench) => {
    const other = await bench.another();
    const [a, b] = await bench.running("a", "b");
    const { ended } = await bench.store.settle([end(a, { kind: "canceled" }), end(b, { kind: "expired" })]);
    expect(ended).toMatchObject([
      { event: "failed", job: { id: "a", state: "failed", attempts: 1, last_error: "canceled" } },
      { event: "failed", job: { id: "b", state: "failed", attempts: 0, last_error: "expired before it was begun" } },
    ]);
    expect(await other.list("failed")).toStrictEqual(
      ended.flatMap((change) => ("job" in change ? [change.job] : [])) as never,
    );
    expect(await other.counts()).toMatchObject({ failed: 2, processing: 0, dead: 0 });
    expect((await other.settle([], { workerId: "worker-2", limit: 2 })).claimed).toEqual([]);
  },

  "keeps what the command printed last, whatever it is": async (bench) => {
    const lastLine = '\u001b[31m"quoted"\\\u2028\u0001{"id":"p9",🔁';
    const [job] = await bench.running("p1");
    await bench.store.settle([end(job, { kind: "exited", code: 2, lastLine })]);
    await bench.close(bench.store);
    expect(await (await bench.another()).get("p1")).toMatchObject({ last_error: `exit 2: ${lastLine}` });
  },
};
