import { expect } from "bun:test";
import { closeSync, existsSync, writeSync } from "node:fs";
import { appendFile, readFile, realpath, rm } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import type { ProcessingJob } from "../../../src/job/job.ts";
import type { AttemptLog } from "../../../src/store/attempt-log.ts";
import type { Store } from "../../../src/store/store.ts";
import { requeue } from "../../support/requeue.ts";
import { type Bench, type Contract, claimed, claimedOne, end, FAILURE, SUCCESS } from "./bench.ts";
import { HOSTILE_IDS } from "./enqueue.ts";

export const logContract: Contract = {
  "of a job that never ran are none": async ({ store }) => {
    await store.enqueue([{ id: "p1", command: "x" }]);
    expect(await store.logs("p1")).toEqual([]);
  },

  "are files, there as soon as something is written": async (bench) => {
    const [job] = await bench.running("p1");
    const path = await openedLog(bench, job);
    expect(isAbsolute(path)).toBe(true);
    await appendFile(path, "hi\n");
    expect(await (await bench.another()).logs("p1")).toMatchObject([{ attempt: 1, path }]);
    expect(await readFile(path, "utf8")).toBe("hi\n");
  },

  "come one an attempt, the oldest first, also beyond the ninth": async (bench) => {
    await bench.store.enqueue([{ id: "p1", command: "x", max_retries: 20 }]);
    const written: { attempt: number; path: string }[] = [];
    for (let attempt = 1; attempt <= 12; attempt++) {
      written.push({ attempt, path: await attemptOf("p1", { bench, text: `attempt ${attempt}\n` }) });
    }
    expect(await bench.store.logs("p1")).toMatchObject(written);
    for (const { attempt, path } of written) expect(await readFile(path, "utf8")).toBe(`attempt ${attempt}\n`);
  },

  "are two an attempt, stdout and then stderr, while split_logs is true, whether its claim ends another or not": async (
    bench,
  ) => {
    const { store } = bench;
    const names = ["a", "b", "c", "d", "e"];
    await store.enqueue(names.map((id) => ({ id, command: "x" })));
    const opened: string[][] = [];
    let running: ProcessingJob[] = [];
    for (const [split_logs, ends] of [
      [undefined, false],
      [true, true],
      [true, false],
      [false, true],
      [true, false],
    ] as const) {
      await (await bench.another()).setConfig("split_logs", split_logs);
      const ended = ends ? running.map((job) => end(job, SUCCESS)) : [];
      running = [...(await store.settle(ended, { workerId: "worker-1", limit: 1 })).claimed];
      for (const job of running) opened.push(await openedLogs(bench, job));
    }
    expect(opened.map(({ length }) => length)).toEqual([1, 2, 2, 1, 2]);
    const paths = opened.flat();
    expect(new Set(paths).size).toBe(8);
    for (const path of paths) await appendFile(path, "hi\n");
    const other = await bench.another();
    const logs = (await Promise.all(names.map((id) => other.logs(id)))).flat();
    expect(logs.map(({ path }) => path)).toEqual(paths);
    const split = ["stdout", "stderr"] as const;
    expect(logs.map(({ stream }) => stream)).toEqual([undefined, ...split, ...split, undefined, ...split]);
  },

  "of one stream alone still say which it is, also beside other attempts": async (bench) => {
    await bench.store.setConfig("split_logs", true);
    await bench.store.enqueue([{ id: "p1", command: "x" }]);
    const written: AttemptLog[] = [];
    for (const stream of ["stdout", "stderr"] as const) {
      const job = await claimedOne(bench.store);
      const [stdout = "", stderr = ""] = await openedLogs(bench, job);
      const [kept, empty] = stream === "stdout" ? [stdout, stderr] : [stderr, stdout];
      await appendFile(kept, "hi\n");
      await rm(empty, { force: true });
      await bench.store.settle([end(job, FAILURE)]);
      bench.now += 86_400_000;
      written.push({ attempt: job.attempts, lease: job.lease, stream, path: kept });
    }
    const logs = await (await bench.another()).logs("p1");
    expect(logs.filter(({ path }) => existsSync(path))).toEqual(written);
  },

  "split for one process alone are so by what it says itself": async (bench) => {
    await bench.store.enqueue([{ id: "p1", command: "x" }]);
    const overridden = await bench.another({ split_logs: true });
    expect(await openedLogs({ ...bench, store: overridden }, await claimedOne(overridden))).toHaveLength(2);
  },

  "of a supervisor is a file that is appended to, and none of a job": async ({ store }) => {
    for (const text of ["one\n", "two\n"]) {
      const { path, fd } = await store.openSupervisorLog();
      writeSync(fd, text);
      closeSync(fd);
      expect(await readFile(path, "utf8")).toEndWith(text);
    }
    expect(await store.logs("supervisor")).toEqual([]);
  },

  "are still there when the job is completed, dead, and requeued": async (bench) => {
    const [completed] = await bench.running("p1");
    const path = await openedLog(bench, completed);
    await appendFile(path, "hi\n");
    await bench.store.settle([end(completed, SUCCESS)]);
    expect(await bench.store.logs("p1")).toMatchObject([{ attempt: 1, path }]);
    await bench.store.enqueue([{ id: "bad1", command: "x", max_retries: 0 }]);
    const dead = { attempt: 1, path: await attemptOf("bad1", { bench, text: "no such host\n" }) };
    expect(await bench.store.get("bad1")).toHaveProperty("failed_at");
    expect(await bench.store.logs("bad1")).toMatchObject([dead]);
    await requeue(bench.store, ["bad1"]);
    expect(await bench.store.logs("bad1")).toMatchObject([dead]);
  },

  "keep apart the attempts that carry the same number after a release or a requeue": async (bench) => {
    const [released] = await bench.running("p1");
    const first = await openedLog(bench, released);
    await appendFile(first, "0");
    await bench.store.settle([end(released, { kind: "released" })]);
    const again = await claimedOne(bench.store);
    const second = await openedLog(bench, again);
    await appendFile(second, "1");
    expect(await bench.store.logs("p1")).toMatchObject([
      { attempt: 1, path: first },
      { attempt: 1, path: second },
    ]);
    await bench.store.settle([end(again, SUCCESS)]);
    await bench.store.enqueue([{ id: "bad1", command: "x", max_retries: 1 }]);
    const paths = [await attemptOf("bad1", { bench, text: "1" }), await attemptOf("bad1", { bench, text: "2" })];
    await requeue(bench.store, ["bad1"]);
    paths.push(await attemptOf("bad1", { bench, text: "3" }));
    expect((await bench.store.logs("bad1")).map((log) => log.attempt)).toEqual([1, 2, 1]);
    expect((await bench.store.logs("bad1")).map((log) => log.path)).toEqual(paths);
    const { history } = await bench.store.get("bad1");
    expect((await bench.store.logs("bad1")).map((log) => log.lease)).toEqual(history?.map(({ lease }) => lease) ?? []);
    expect(await Promise.all(paths.map((path) => readFile(path, "utf8")))).toEqual(["1", "2", "3"]);
  },

  "of hostile ids stay in their directory and apart, also where a file system ignores case and accents' spelling":
    async (bench) => {
      await bench.store.enqueue(HOSTILE_IDS.map((id) => ({ id, command: "x" })));
      const paths = new Map<string, string>();
      for (const job of await claimed(bench.store)) {
        const path = await openedLog(bench, job);
        await appendFile(path, job.id);
        await expectInside(bench, path);
        paths.set(job.id, path);
      }
      const folded = [...paths.values()].map((path) => path.normalize("NFC").toLowerCase());
      expect(new Set(folded).size).toBe(HOSTILE_IDS.length);
      await expectOwnLogs(await bench.another(), paths);
    },
};

/** The path of an attempt's log that has just been opened. */
async function openedLog({ store }: Bench, job: ProcessingJob): Promise<string> {
  const { path, fd } = await store.openLog(job);
  closeSync(fd);
  return path;
}

/** The same of both of its streams, or of each. */
async function openedLogs({ store }: Pick<Bench, "store">, job: ProcessingJob): Promise<string[]> {
  const { path, fd, stderr } = await store.openLog(job);
  const files = [{ path, fd }, ...(stderr ? [stderr] : [])];
  for (const file of files) closeSync(file.fd);
  return files.map((file) => file.path);
}

/** Runs one failing attempt of the only due job, prints `text` to its log, and returns the log's path. */
async function attemptOf(id: string, { bench, text }: { bench: Bench; text: string }): Promise<string> {
  const job = await claimedOne(bench.store);
  expect(job.id).toBe(id);
  const path = await openedLog(bench, job);
  await appendFile(path, text);
  await bench.store.settle([end(job, FAILURE)]);
  bench.now += 86_400_000;
  return path;
}

async function expectInside(bench: Bench, path: string): Promise<void> {
  const inside = relative(await realpath(bench.harness.logDirectory(bench.store)), await realpath(path));
  expect(inside).not.toStartWith("..");
  expect(inside).not.toBe("");
}

async function expectOwnLogs(store: Store, paths: ReadonlyMap<string, string>): Promise<void> {
  for (const [id, path] of paths) {
    expect(await store.logs(id)).toMatchObject([{ attempt: 1, path }]);
    expect(await readFile(path, "utf8")).toBe(id);
  }
}
