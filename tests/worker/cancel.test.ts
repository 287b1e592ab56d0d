/** Jobs that are canceled while they run, by whoever, and whoever dies meanwhile. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endJobs } from "../../src/worker/cancel.ts";
import { processesWith } from "../../src/worker/survivors.ts";
import { STORES } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";
import { until } from "../support/until.ts";
import { type Actor, isAlive } from "../support/worker-director.ts";
import { WorkerSandbox } from "../support/worker-sandbox.ts";

const A_DAY_MS = 86_400_000;
const CANCELED = { state: "failed", attempts: 1, last_error: "canceled" };

describe.each(STORES)("on %s", (store) => {
  let sandbox: WorkerSandbox;

  beforeEach(async () => {
    sandbox = await WorkerSandbox.on(store);
  });
  afterEach(() => sandbox[Symbol.asyncDispose]());

  /** A job that runs and does not heed TERM. */
  async function stubborn(id: string): Promise<Actor> {
    const job = await sandbox.runs(id);
    await job.tell({ do: "ignore", signal: "SIGTERM" });
    return job;
  }

  async function killWorkerOf(id: string): Promise<void> {
    const { worker_id } = await sandbox.running(id);
    const worker = (await sandbox.store.present()).find((one) => one.id === worker_id);
    process.kill(worker?.pid ?? 0, "SIGKILL");
  }

  test("all processes of it are gone, whatever they ignore and wherever they moved, and it is not retried", async () => {
    await sandbox.store.setConfig("kill_grace", 50);
    const started = sandbox.start("worker-start");
    const job = await stubborn("job");
    await job.tell({ do: "fork", name: "child", setsid: true });
    const child = await sandbox.meet("child");
    await child.tell({ do: "ignore", signal: "SIGTERM" });
    expect(await sandbox.start("cancel", "job").end()).toBe(0);
    expect([job, child].map(({ hello }) => isAlive(hello.pid))).toEqual([false, false]);
    expect(await sandbox.store.get("job")).toMatchObject(CANCELED);
    expect(await sandbox.store.counts()).toMatchObject({ pending: 0, processing: 0, failed: 1, dead: 0 });
    await started.says("job failed for good: canceled");
    // The worker goes on with the next.
    await (await sandbox.runs("next")).tell({ do: "exit", code: 0 });
    await sandbox.completed("next");
  });

  test("the shell of the issue leaves nothing running", async () => {
    await sandbox.store.setConfig("kill_grace", 50);
    sandbox.start("worker-start");
    await sandbox.store.enqueue([{ id: "job", command: `trap "" TERM; sleep 100 & sleep 100` }]);
    const mark = { ...sandbox.store.mark, QUEUECTL_JOB_ID: "job" };
    await until(() => processesWith(mark).length === 3, "the shell and what it started");
    expect(await sandbox.start("cancel", "job").end()).toBe(0);
    expect(processesWith(mark)).toEqual([]);
    expect(await sandbox.store.get("job")).toMatchObject(CANCELED);
  });

  test("a job that ends well when it is asked to is canceled all the same", async () => {
    sandbox.start("worker-start");
    await sandbox.store.enqueue([{ id: "job", command: "trap 'exit 0' TERM; while :; do sleep 0.01; done" }]);
    await sandbox.running("job");
    expect(await sandbox.start("cancel", "job").end()).toBe(0);
    expect(await sandbox.store.get("job")).toMatchObject(CANCELED);
  });

  test("one of several jobs of a worker is ended, and the others run on", async () => {
    sandbox.start("worker-start", "--concurrency", "3");
    const jobs = [await sandbox.runs("a"), await sandbox.runs("b"), await sandbox.runs("c")];
    expect(await sandbox.start("cancel", "b").end()).toBe(0);
    expect(jobs.map(({ hello }) => isAlive(hello.pid))).toEqual([true, false, true]);
    expect([await sandbox.state("a"), await sandbox.state("c")]).toEqual(["processing", "processing"]);
  });

  test("those that match a pattern, or run, are ended, and no others", async () => {
    sandbox.start("worker-start", "--concurrency", "3");
    const jobs = [await sandbox.runs("a1"), await sandbox.runs("a2"), await sandbox.runs("b")];
    await sandbox.enqueue("a-late", { delay: A_DAY_MS });
    expect(await sandbox.start("cancel", "--match", "a?", "--yes").end()).toBe(0);
    expect(jobs.map(({ hello }) => isAlive(hello.pid))).toEqual([false, false, true]);
    expect(await sandbox.start("cancel", "--state", "processing", "-y").end()).toBe(0);
    expect(jobs.map(({ hello }) => isAlive(hello.pid))).toEqual([false, false, false]);
    expect(await sandbox.state("a-late")).toBe("pending");
  });

  test("several at once, running and waiting, by several who cancel: each is canceled once, and all are told so", async () => {
    await sandbox.store.setConfig("kill_grace", 50);
    sandbox.start("worker-start", "--concurrency", "2");
    await stubborn("a");
    await stubborn("b");
    await sandbox.enqueue("c");
    const terminals = [1, 2, 3].map(() => sandbox.start("cancel", "a", "b", "c"));
    expect(await Promise.all(terminals.map((terminal) => terminal.end()))).toEqual([0, 0, 0]);
    for (const { log } of terminals) for (const id of ["a", "b", "c"]) expect(log).toContain(`Job ${id} canceled.\n`);
    expect(await sandbox.store.counts()).toMatchObject({ pending: 0, processing: 0, failed: 3 });
    expect(["a", "b", "c"].map((id) => sandbox.director.runs(id))).toEqual([1, 1, 0]);
  });

  test("a worker that is killed before it has ended it, with nobody left: what it left is ended here", async () => {
    await sandbox.store.setConfig("kill_grace", A_DAY_MS);
    const started = sandbox.start("worker-start");
    const job = await stubborn("job");
    const canceling = sandbox.start("cancel", "job");
    await canceling.says("Waiting for job to end...");
    process.kill(started.pid, "SIGKILL");
    await killWorkerOf("job");
    expect(await canceling.end()).toBe(0);
    expect(isAlive(job.hello.pid)).toBe(false);
    expect(await sandbox.store.get("job")).toMatchObject(CANCELED);
  });

  test("a worker that is killed before it has ended it, with another left: in the end it is canceled", async () => {
    await sandbox.store.setConfig("kill_grace", A_DAY_MS);
    await sandbox.store.setConfig("backoff_base", 0);
    sandbox.start("worker-start", "--count", "2");
    await sandbox.workers(2);
    const job = await stubborn("job");
    const canceling = sandbox.start("cancel", "job");
    await canceling.says("Waiting for job to end...");
    await killWorkerOf("job");
    expect(await canceling.end()).toBe(0);
    expect(isAlive(job.hello.pid)).toBe(false);
    expect(await sandbox.store.get("job")).toMatchObject({ state: "failed", last_error: "canceled" });
    expect(await sandbox.store.counts()).toMatchObject({ pending: 0, processing: 0, failed: 1, dead: 0 });
  });

  test("whoever cancels is killed in the middle: the worker ends the job, and doing it again does no harm", async () => {
    await sandbox.store.setConfig("kill_grace", 1000);
    sandbox.start("worker-start");
    const job = await stubborn("job");
    const canceling = sandbox.start("cancel", "job");
    await canceling.says("Waiting for job to end...");
    process.kill(canceling.pid, "SIGKILL");
    await until(async () => (await sandbox.state("job")) === "failed", "the job to be ended");
    expect(isAlive(job.hello.pid)).toBe(false);
    expect(await sandbox.store.get("job")).toMatchObject(CANCELED);
    expect(await sandbox.start("cancel", "job").end()).toBe(0);
  });

  test("jobs that end by themselves just then have one end or the other, and it is told which", async () => {
    sandbox.start("worker-start", "--concurrency", "4");
    await sandbox.workers(1);
    const names = Array.from({ length: 40 }, (_, n) => `p${n}`);
    await sandbox.store.enqueue(names.map((id, n) => ({ id, command: n % 2 ? "true" : "exit 1", max_retries: n % 3 })));
    const entries = await sandbox.store.list();
    const report = await endJobs(sandbox.store, entries, () => {});
    const told = [...report.canceled, ...report.ended];
    expect(sorted(told.map(({ id }) => id))).toEqual(sorted(names));
    for (const entry of told) expect(await sandbox.store.get(entry.id)).toStrictEqual(entry);
    expect(await sandbox.store.counts()).toMatchObject({ pending: 0, processing: 0, failed: report.canceled.length });
  });

  test("a worker that has been asked to leave still ends the job that it finishes", async () => {
    const started = sandbox.start("worker-start");
    const job = await sandbox.runs("job");
    process.kill(started.pid, "SIGTERM");
    await started.says("Stopping (SIGTERM): finishing 1 running job");
    expect(await sandbox.start("cancel", "job").end()).toBe(0);
    expect(isAlive(job.hello.pid)).toBe(false);
    expect(await started.end()).toBe(0);
    expect(await sandbox.store.get("job")).toMatchObject(CANCELED);
    await sandbox.deserted();
  });

  test("a job that cancels itself is canceled", async () => {
    sandbox.start("worker-start");
    const words = sandbox.words("cancel", "job").map((word) => `'${word}'`);
    await sandbox.store.enqueue([{ id: "job", command: `${words.join(" ")}; sleep 100` }]);
    await until(async () => (await sandbox.state("job")) === "failed", "the job to be canceled");
    expect(await sandbox.store.get("job")).toMatchObject(CANCELED);
  });

  test("--drain does not wait for what is canceled, and it is no death", async () => {
    await sandbox.enqueue("waiting", { delay: A_DAY_MS });
    const started = sandbox.start("worker-start", "--drain");
    await sandbox.runs("running");
    expect(await sandbox.start("cancel", "running", "waiting").end()).toBe(0);
    expect(await started.end()).toBe(0);
  });

  test("a request of old does nothing to the next attempt", async () => {
    await sandbox.store.setConfig("backoff_base", 0);
    sandbox.start("worker-start", "--concurrency", "2");
    const first = await sandbox.runs("job");
    const attempt = await sandbox.running("job");
    await first.tell({ do: "exit", code: 1 });
    const second = await sandbox.meet("job");
    await sandbox.runs("other");
    for (let times = 0; times < 3; times++) expect(await sandbox.store.askToEnd(attempt)).toBe(true);
    // Heard after those.
    expect(await sandbox.start("cancel", "other").end()).toBe(0);
    expect(isAlive(second.hello.pid)).toBe(true);
    await second.tell({ do: "exit", code: 0 });
    await sandbox.completed("job");
  });
});

describe("in files", () => {
  test("a worker on another host cannot be asked: that is told, and the job goes on", async () => {
    await using sandbox = await WorkerSandbox.on("files");
    await sandbox.enqueue("job");
    await sandbox.store.settle([], { workerId: "worker-far", limit: 1 });
    // No process has such a pid.
    const far = { id: "worker-far", kind: "worker", pid: 2 ** 22 + 1, start: "0", host: "far", boot: "b", pidns: "p" };
    const path = join(sandbox.store.location, "workers", "worker-far.json");
    writeFileSync(path, JSON.stringify({ ...far, started_at: 0 }), { mode: 0o600 });
    mkdirSync(`${path}.lock`, { mode: 0o700 });
    const canceling = sandbox.start("cancel", "job");
    expect(await canceling.end()).toBe(1);
    expect(canceling.log).toContain("Job job goes on: its worker worker-far cannot be asked from here.");
    expect(await sandbox.state("job")).toBe("processing");
  });

  test("no request is left lying, neither to a worker that leaves nor to one that is not there", async () => {
    await using sandbox = await WorkerSandbox.on("files");
    const requests = (): string[] => readdirSync(workers).filter((name) => name.endsWith(".end"));
    const workers = join(sandbox.store.location, "workers");
    await sandbox.enqueue("early", { delay: A_DAY_MS });
    writeFileSync(join(workers, "worker-of-old.1.end"), "");
    const started = sandbox.start("worker-start");
    const [worker] = await sandbox.workers(1);
    await until(() => requests().length === 0, "the request of old to be removed");
    writeFileSync(join(workers, `${worker?.id}.99.end`), "");
    expect(await sandbox.start("worker-stop").end()).toBe(0);
    await started.end();
    expect(requests()).toEqual([]);
  });
});
