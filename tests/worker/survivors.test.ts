import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../src/worker/run-command.ts";
import { type AttemptMark, endSurvivors, findSurvivors } from "../../src/worker/survivors.ts";
import { type Actor, isAlive, WorkerDirector } from "../support/worker-director.ts";
import { processingJob } from "../support/worker-job.ts";

const AT_ONCE = AbortSignal.abort();

let directory = "";
let director: WorkerDirector;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "survivors-"));
  director = new WorkerDirector();
});
afterEach(() => {
  director[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

function mark(fields: Partial<AttemptMark> = {}): AttemptMark {
  return { store: { QUEUECTL_DATA_DIR: directory }, workerId: "worker-1", lease: 7, ...fields };
}

/** An obedient job of that attempt, as a worker would start it. */
async function start(name: string, { store, workerId, lease }: AttemptMark): Promise<Actor> {
  runCommand(processingJob(director.command(name), { worker_id: workerId, lease }), {
    store: { address: { options: [], variables: {} }, mark: store },
    log: { path: join(directory, name), fd: openSync(join(directory, name), "a") },
    env: process.env,
    killGraceMs: async () => 0,
    maxLogBytes: async () => 0,
  });
  return director.meet(name);
}

test("the processes of an attempt are found by its lease, its worker and its store together", async () => {
  const actor = await start("mine", mark());
  await start("other-lease", mark({ lease: 77 }));
  await start("other-worker", mark({ workerId: "worker-11" }));
  await start("other-store", mark({ store: { QUEUECTL_DATA_DIR: `${directory}/other` } }));
  expect(findSurvivors(mark())).toEqual([actor.hello.pid]);
});

test("an attempt without processes has no survivors", async () => {
  expect(findSurvivors(mark())).toEqual([]);
  expect(await endSurvivors(mark(), { grace: AT_ONCE })).toEqual({ count: 0, left: 0 });
});

test("ending survivors ends all generations, in whatever session and deaf to TERM, and nobody else", async () => {
  const parent = await start("parent", mark());
  await parent.tell({ do: "fork", name: "child", setsid: true });
  const child = await director.meet("child");
  await child.tell({ do: "fork", name: "grandchild", setsid: true });
  const grandchild = await director.meet("grandchild");
  await grandchild.tell({ do: "ignore", signal: "SIGTERM" });
  const bystander = await start("bystander", mark({ lease: 8 }));

  expect(await endSurvivors(mark(), { grace: AT_ONCE })).toEqual({ count: 3, left: 0 });
  expect([parent, child, grandchild].map(({ hello }) => isAlive(hello.pid))).toEqual([false, false, false]);
  expect(isAlive(bystander.hello.pid)).toBe(true);
});

test("without an end to patience or grace, a process that ignores TERM is waited for", async () => {
  const actor = await start("deaf", mark());
  await actor.tell({ do: "ignore", signal: "SIGTERM" });
  const impatient = await endSurvivors(mark(), {
    grace: new AbortController().signal,
    patience: AbortSignal.timeout(20),
  });
  expect(impatient).toEqual({ count: 1, left: 1 });
  expect(isAlive(actor.hello.pid)).toBe(true);
});
