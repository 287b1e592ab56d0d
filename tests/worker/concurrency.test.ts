/** One worker that runs several jobs at a time. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { STORES } from "../support/home.ts";
import { type Actor, isAlive } from "../support/worker-director.ts";
import { type Started, WorkerSandbox } from "../support/worker-sandbox.ts";

describe.each(STORES)("on %s", (store) => {
  let sandbox: WorkerSandbox;
  let started: Started;

  beforeEach(async () => {
    sandbox = await WorkerSandbox.on(store);
  });
  afterEach(() => sandbox[Symbol.asyncDispose]());

  /** Starts a worker with two slots, and two jobs in them. */
  async function twoJobs(...options: string[]): Promise<[Actor, Actor]> {
    await sandbox.enqueue("a");
    await sandbox.enqueue("b");
    started = sandbox.start("worker-start", "--concurrency", "2", ...options);
    return [await sandbox.meet("a"), await sandbox.meet("b")];
  }

  async function ends(actor: Actor, code = 0): Promise<void> {
    await actor.tell({ do: "exit", code });
  }

  async function states(...ids: string[]): Promise<string[]> {
    return Promise.all(ids.map((id) => sandbox.state(id)));
  }

  test("as many run side by side as it has slots, and the next begins as soon as one has ended", async () => {
    const [a, b] = await twoJobs();
    await sandbox.enqueue("c");
    expect(sandbox.director.runs("c")).toBe(0);
    await ends(b);
    const c = await sandbox.meet("c");
    expect(await states("a", "b", "c")).toEqual(["processing", "completed", "processing"]);
    expect(isAlive(a.hello.pid)).toBe(true);
    await ends(c);
    await sandbox.completed("c");
    await ends(a);
    await sandbox.completed("a");
  });

  test("a job that is enqueued while another runs begins at once in the free slot", async () => {
    await sandbox.store.setConfig("worker_idle_delay", 3_600_000);
    const [a, b] = await twoJobs();
    await ends(b);
    await sandbox.completed("b");
    await sandbox.enqueue("late");
    await ends(await sandbox.meet("late"));
    await ends(a);
  });

  test("--drain leaves when the last of them has ended", async () => {
    const [a, b] = await twoJobs("--drain");
    await ends(a);
    await sandbox.completed("a");
    expect(isAlive(started.pid)).toBe(true);
    await ends(b);
    expect(await started.end()).toBe(0);
    expect(await states("a", "b")).toEqual(["completed", "completed"]);
  });

  test("asked to leave, it finishes all of them and begins no other", async () => {
    const [a, b] = await twoJobs();
    await sandbox.enqueue("next");
    process.kill(started.pid, "SIGTERM");
    await started.says("Stopping (SIGTERM): finishing 2 running jobs");
    await ends(a);
    await sandbox.completed("a");
    await ends(b);
    expect(await started.end()).toBe(0);
    expect(await states("a", "b", "next")).toEqual(["completed", "completed", "pending"]);
  });

  test("told to leave now, it ends all of them and hands them back, not charged", async () => {
    const [a, b] = await twoJobs();
    process.kill(started.pid, "SIGQUIT");
    expect(await started.end()).toBe(0);
    expect([a, b].map(({ hello }) => isAlive(hello.pid))).toEqual([false, false]);
    for (const id of ["a", "b"]) expect(await sandbox.store.get(id)).toMatchObject({ state: "pending", attempts: 0 });
  });

  test("when it is killed, all of its jobs are taken over, each with its processes ended", async () => {
    await sandbox.store.setConfig("backoff_base", 0);
    const earlier = await twoJobs();
    const [worker] = await sandbox.workers(1);
    process.kill(worker?.pid ?? 0, "SIGKILL");
    const again = [await sandbox.meet("a"), await sandbox.meet("b")];
    expect(earlier.map(({ hello }) => isAlive(hello.pid))).toEqual([false, false]);
    expect(again.map(({ hello }) => hello.variables.QUEUECTL_ATTEMPT)).toEqual(["2", "2"]);
  });

  test("what ends while the store cannot be used is settled when it can be, each once", async () => {
    const [a, b] = await twoJobs();
    sandbox.hideStore();
    await ends(a);
    await started.says("cannot use the queue");
    await ends(b);
    await sandbox.unhideStore();
    await sandbox.completed("a", "b");
    expect([sandbox.director.runs("a"), sandbox.director.runs("b")]).toEqual([1, 1]);
  });
});
