import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { STORES } from "../support/home.ts";
import { until } from "../support/until.ts";
import { isAlive } from "../support/worker-director.ts";
import { WorkerSandbox } from "../support/worker-sandbox.ts";

describe.each(STORES)("on %s", (store) => {
  let sandbox: WorkerSandbox;

  beforeEach(async () => {
    sandbox = await WorkerSandbox.on(store);
  });
  afterEach(() => sandbox[Symbol.asyncDispose]());

  describe("a worker that is killed in the middle of a job", () => {
    test("has its job taken over: its processes ended, the attempt charged, run again after the backoff", async () => {
      await sandbox.store.setConfig("backoff_base", 0.5);
      sandbox.start("worker-start", "--count", "2");
      await sandbox.workers(2);
      const first = await sandbox.runs("job");
      await first.tell({ do: "fork", name: "grandchild", setsid: true });
      const grandchild = await sandbox.meet("grandchild");
      await grandchild.tell({ do: "ignore", signal: "SIGTERM" });
      const { worker_id } = await sandbox.running("job");
      const worker = (await sandbox.store.present()).find(({ id }) => id === worker_id);
      const killedAt = Date.now();
      process.kill(worker?.pid ?? 0, "SIGKILL");

      const second = await sandbox.meet("job");
      expect([first, grandchild].map(({ hello }) => isAlive(hello.pid))).toEqual([false, false]);
      expect(second.hello.variables.QUEUECTL_ATTEMPT).toBe("2");
      const again = await sandbox.running("job");
      expect(again).toMatchObject({ attempts: 2, last_error: `worker ${worker_id} was killed` });
      expect(again.run_at).toBeGreaterThanOrEqual(killedAt + 500);
      expect(again.processing_started_at).toBeGreaterThanOrEqual(again.run_at);
      await second.tell({ do: "exit", code: 0 });
      await sandbox.completed("job");
      expect(sandbox.director.runs("job")).toBe(2);
    });

    test("is started again, and takes over its own job when it was the only one", async () => {
      await sandbox.store.setConfig("backoff_base", 0);
      const started = sandbox.start("worker-start");
      const [worker] = await sandbox.workers(1);
      await sandbox.runs("job");
      process.kill(worker?.pid ?? 0, "SIGKILL");
      await started.says("died (killed by SIGKILL) → restart in 1s");
      const second = await sandbox.meet("job");
      expect(second.hello.variables).toMatchObject({ QUEUECTL_ATTEMPT: "2" });
      expect(second.hello.variables.QUEUECTL_WORKER_ID).not.toBe(worker?.id);
    });
  });

  test.each(["idle", "full", "busy"])(
    "what a worker that was killed with its supervisor ran is ended by another, %s one",
    async (other) => {
      sandbox.start("worker-start", "--queue", "other");
      await sandbox.workers(1);
      if (other !== "idle") await sandbox.enqueue("first", { queue: "other" });
      const first = other === "idle" ? undefined : await sandbox.meet("first");
      const started = sandbox.start("worker-start", "--queue", "default");
      await sandbox.workers(2);
      if (other === "busy") {
        await sandbox.enqueue("second", { queue: "other" });
        await first?.tell({ do: "exit", code: 0 });
        await sandbox.meet("second");
      }
      const job = await sandbox.runs("job");
      const { worker_id } = await sandbox.running("job");
      const worker = (await sandbox.store.present()).find(({ id }) => id === worker_id);
      process.kill(started.pid, "SIGKILL");
      process.kill(worker?.pid ?? 0, "SIGKILL");
      await until(async () => (await sandbox.state("job")) === "pending", "the job to be pending again");
      expect(isAlive(job.hello.pid)).toBe(false);
      expect(await sandbox.store.get("job")).toMatchObject({
        attempts: 1,
        last_error: `worker ${worker_id} was killed`,
      });
    },
  );

  test("when the supervisor is killed, its workers finish their jobs and leave, the idle one at once", async () => {
    const started = sandbox.start("worker-start", "--count", "2");
    await sandbox.workers(2);
    const job = await sandbox.runs("job");
    await sandbox.enqueue("later", { run_at: Date.now() + 86_400_000 });
    process.kill(started.pid, "SIGKILL");
    await sandbox.workers(1);
    expect(isAlive(job.hello.pid)).toBe(true);
    await job.tell({ do: "exit", code: 0 });
    await sandbox.deserted();
    expect(await sandbox.state("job")).toBe("completed");
  });

  test("a worker outlasts a store that cannot be used for a while, and then settles what it ran", async () => {
    const started = sandbox.start("worker-start");
    const job = await sandbox.runs("job");
    sandbox.hideStore();
    await job.tell({ do: "exit", code: 0 });
    await started.says("cannot use the queue");
    await sandbox.unhideStore();
    await sandbox.completed("job");
    expect(sandbox.director.runs("job")).toBe(1);
  });

  test("a job whose output cannot be written yet is begun later, and not charged for it", async () => {
    await sandbox.enqueue("job");
    mkdirSync(dirname(sandbox.logs), { recursive: true, mode: 0o700 });
    writeFileSync(sandbox.logs, "in the way");
    const started = sandbox.start("worker-start");
    await started.says("cannot use the queue");
    unlinkSync(sandbox.logs);
    const job = await sandbox.meet("job");
    expect(job.hello.variables.QUEUECTL_ATTEMPT).toBe("1");
  });

  describe("leaving", () => {
    test.each([
      ["SIGINT", 130],
      ["SIGTERM", 0],
      ["SIGHUP", 0],
    ] as const)(
      "on a first %s the running job is finished, the next one not begun, and the exit code is %i",
      async (signal, code) => {
        const started = sandbox.start("worker-start");
        const job = await sandbox.runs("job");
        await sandbox.enqueue("next");
        process.kill(started.pid, signal);
        await started.says(`Stopping (${signal})`);
        expect(isAlive(job.hello.pid)).toBe(true);
        await job.tell({ do: "exit", code: 0 });
        expect(await started.end()).toBe(code);
        expect([await sandbox.state("job"), await sandbox.state("next")]).toEqual(["completed", "pending"]);
        expect(sandbox.director.runs("next")).toBe(0);
        await sandbox.deserted();
      },
    );

    test("on a second SIGINT the job is ended and goes back to the queue, its attempt not charged", async () => {
      const started = sandbox.start("worker-start");
      const job = await sandbox.runs("job");
      process.kill(started.pid, "SIGINT");
      await started.says("Stopping (SIGINT): finishing 1 running job");
      process.kill(started.pid, "SIGINT");
      expect(await started.end()).toBe(130);
      expect(isAlive(job.hello.pid)).toBe(false);
      const released = await sandbox.store.get("job");
      expect(released).toMatchObject({ state: "pending", attempts: 0 });
      expect(released).not.toHaveProperty("last_error");
      await sandbox.deserted();
    });

    test("after shutdown_grace the same happens without a second signal", async () => {
      await sandbox.store.setConfig("shutdown_grace", 50);
      const started = sandbox.start("worker-start");
      await sandbox.runs("job");
      process.kill(started.pid, "SIGTERM");
      expect(await started.end()).toBe(0);
      expect(await sandbox.store.get("job")).toMatchObject({ state: "pending", attempts: 0 });
    });

    test.if(process.platform === "linux")("under nohup a hangup changes nothing", async () => {
      const started = sandbox.startIn(["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh"], "worker-start");
      await sandbox.workers(1);
      process.kill(started.pid, "SIGHUP");
      const job = await sandbox.runs("job");
      await job.tell({ do: "exit", code: 0 });
      expect((await sandbox.store.present()).map(({ stopping }) => stopping)).toEqual([false, false]);
    });

    test("a worker that is told to leave by itself finishes its job and is not started again", async () => {
      const started = sandbox.start("worker-start");
      const [worker] = await sandbox.workers(1);
      const job = await sandbox.runs("job");
      process.kill(worker?.pid ?? 0, "SIGTERM");
      await until(
        async () => (await sandbox.store.present()).some(({ stopping }) => stopping),
        "the worker to be stopping",
      );
      await job.tell({ do: "exit", code: 0 });
      expect(await started.end()).toBe(0);
      expect(started.workerPids).toHaveLength(1);
      expect(await sandbox.state("job")).toBe("completed");
    });
  });

  describe("worker-stop", () => {
    test("stops the workers of other terminals once their jobs are done, however many ask at once", async () => {
      const terminals = [sandbox.start("worker-start"), sandbox.start("worker-start")];
      await sandbox.workers(2);
      const jobs = [await sandbox.runs("one"), await sandbox.runs("two")];
      const stops = [sandbox.start("worker-stop"), sandbox.start("worker-stop")];
      for (const stop of stops) await stop.says("Waiting for");
      for (const job of jobs) await job.tell({ do: "exit", code: 0 });
      expect(await Promise.all([...terminals, ...stops].map((one) => one.end()))).toEqual([0, 0, 0, 0]);
      expect([await sandbox.state("one"), await sandbox.state("two")]).toEqual(["completed", "completed"]);
      await sandbox.deserted();
    });

    test("with --now ends their jobs and hands them back", async () => {
      const started = sandbox.start("worker-start");
      const job = await sandbox.runs("job");
      expect(await sandbox.start("worker-stop", "--now").end()).toBe(0);
      expect(await started.end()).toBe(0);
      expect(isAlive(job.hello.pid)).toBe(false);
      expect(await sandbox.store.get("job")).toMatchObject({ state: "pending", attempts: 0 });
    });

    test("reaches workers whose supervisor was killed", async () => {
      const started = sandbox.start("worker-start");
      const job = await sandbox.runs("job");
      process.kill(started.pid, "SIGKILL");
      expect(await sandbox.start("worker-stop", "--now").end()).toBe(0);
      expect(isAlive(job.hello.pid)).toBe(false);
      await sandbox.deserted();
    });

    test("as a job does not wait for the worker that runs it", async () => {
      const started = sandbox.start("worker-start");
      const command = sandbox
        .words("worker-stop")
        .map((word) => `'${word}'`)
        .join(" ");
      await sandbox.store.enqueue([{ id: "job", command }]);
      expect(await started.end()).toBe(0);
      expect(await sandbox.state("job")).toBe("completed");
    });
  });

  describe("--drain", () => {
    test("leaves when the delayed, the retried and the running jobs are done, with exit code 0", async () => {
      await sandbox.store.setConfig("backoff_base", 0.2);
      await sandbox.enqueue("flaky");
      await sandbox.enqueue("delayed", { run_at: Date.now() + 1000 });
      const started = sandbox.start("worker-start", "--count", "2", "--drain");
      await (await sandbox.meet("flaky")).tell({ do: "exit", code: 1 });
      await (await sandbox.meet("flaky")).tell({ do: "exit", code: 0 });
      await (await sandbox.meet("delayed")).tell({ do: "exit", code: 0 });
      expect(await started.end()).toBe(0);
      expect(await sandbox.store.counts()).toMatchObject({ pending: 0, processing: 0, completed: 2, dead: 0 });
    });

    test("waits for the jobs of other workers", async () => {
      sandbox.start("worker-start");
      const job = await sandbox.runs("job");
      const draining = sandbox.start("worker-start", "--drain");
      await sandbox.workers(2);
      await job.tell({ do: "exit", code: 0 });
      expect(await draining.end()).toBe(0);
      expect(await sandbox.state("job")).toBe("completed");
      await sandbox.workers(1);
    });

    test("says by exit code 5 that a job died in that time, and not that one had died before", async () => {
      await sandbox.store.enqueue([{ id: "bad", command: "echo no such thing; exit 3", max_retries: 0 }]);
      expect(await sandbox.start("worker-start", "--drain").end()).toBe(5);
      expect(await sandbox.dead("bad")).toMatchObject({ attempts: 1, error: "exit 3: no such thing" });
      await sandbox.store.enqueue([{ id: "good", command: "true" }]);
      expect(await sandbox.start("worker-start", "--drain").end()).toBe(0);
    });
  });

  test("--detach returns when supervisor and workers run, in no one's terminal, and they can be stopped", async () => {
    const launcher = sandbox.start("worker-start", "--detach", "--count", "2");
    expect(await launcher.end()).toBe(0);
    const present = await sandbox.store.present();
    expect(Object.groupBy(present, ({ kind }) => kind)).toMatchObject({
      supervisor: { length: 1 },
      worker: { length: 2 },
    });
    const job = await sandbox.runs("job");
    await job.tell({ do: "exit", code: 0 });
    expect(await sandbox.start("worker-stop").end()).toBe(0);
    expect(await sandbox.state("job")).toBe("completed");
    await until(() => !present.some(({ pid }) => isAlive(pid)), "all of them to have ended");
  });
});
