import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProcessingJob } from "../../src/job/job.ts";
import { checkJobSpec } from "../../src/job/spec.ts";
import type { OpenLog } from "../../src/store/attempt-log.ts";
import { type RunningCommand, runCommand } from "../../src/worker/run-command.ts";
import { isAlive, WorkerDirector } from "../support/worker-director.ts";
import { processingJob } from "../support/worker-job.ts";

const A_DAY_MS = 86_400_000;

let directory = "";
let logPath = "";
let director: WorkerDirector;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "run-command-"));
  logPath = join(directory, "log");
  director = new WorkerDirector();
});
afterEach(() => {
  director[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

function openLog(name = "log"): OpenLog {
  const path = join(directory, name);
  return { path, fd: openSync(path, "a") };
}

function run(
  command: string,
  {
    killGraceMs = A_DAY_MS,
    maxLogBytes = 0,
    workerEnv = {},
    isSplit = false,
    ...job
  }: Partial<ProcessingJob> & {
    killGraceMs?: number;
    maxLogBytes?: number;
    workerEnv?: object;
    isSplit?: boolean;
  } = {},
): RunningCommand {
  return runCommand(processingJob(command, job), {
    store: { address: { options: [], variables: {} }, mark: { QUEUECTL_DATA_DIR: directory } },
    log: { ...openLog(), ...(isSplit && { stderr: openLog("err") }) },
    env: { ...process.env, ...workerEnv },
    killGraceMs: async () => killGraceMs,
    maxLogBytes: async () => maxLogBytes,
  });
}

describe("output", () => {
  test("of both streams is logged in the order it was written", async () => {
    await run("for i in 1 2 3; do echo out $i; echo err $i >&2; done").outcome;
    expect(readFileSync(logPath, "utf8")).toBe("out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n");
  });

  test("of 3 MiB does not fail the job", async () => {
    expect(await run("head -c 3145728 /dev/zero").outcome).toEqual({ kind: "exited", code: 0 });
    expect(statSync(logPath).size).toBe(3_145_728);
  });

  test("is appended to what the log holds already", async () => {
    await run("echo one").outcome;
    await run("echo two").outcome;
    expect(readFileSync(logPath, "utf8")).toBe("one\ntwo\n");
  });

  test("that was never written leaves no file", async () => {
    await run("true").outcome;
    expect(existsSync(logPath)).toBe(false);
    await run("exit 3").outcome;
    expect(existsSync(logPath)).toBe(false);
  });
});

describe("the streams, each with a log of its own,", () => {
  const files = (): Record<string, string> =>
    Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), "utf8")]));

  test("are kept apart", async () => {
    await run("for i in 1 2 3; do echo out $i; echo err $i >&2; done", { isSplit: true }).outcome;
    expect(files()).toEqual({ log: "out 1\nout 2\nout 3\n", err: "err 1\nerr 2\nerr 3\n" });
  });

  test.each([
    ["echo out", { log: "out\n" }],
    ["echo err >&2", { err: "err\n" }],
    ["true", {}],
    ["echo err >&2; exit 3", { err: "err\n" }],
    ["exit 3", {}],
  ])("leave no file where nothing was written: %j", async (command, left) => {
    await run(command, { isSplit: true }).outcome;
    expect(files()).toEqual(left);
  });

  test("leave none either when the command could not start", async () => {
    expect(await run("true", { isSplit: true, cwd: join(directory, "gone") }).outcome).toMatchObject({
      kind: "could-not-start",
    });
    expect(files()).toEqual({});
  });

  test.each([
    ["echo why >&2; echo bye; exit 3", "why"],
    ["echo bye; exit 3", "bye"],
    ["printf '\\033[1m\\n' >&2; echo bye; exit 3", "bye"],
  ])("tell why by the last line of stderr, else of stdout: %j", async (command, last) => {
    expect(await run(command, { isSplit: true }).outcome).toMatchObject({ code: 3, lastLine: last });
  });

  test("are each cut where they are larger than they may be", async () => {
    await run("head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; echo; echo >&2", {
      ...{ isSplit: true, maxLogBytes: 100_000 },
    }).outcome;
    const { log = "", err = "" } = files();
    expect([log, err].map((text) => text.match(/(\d+) bytes left out/)?.[1])).toEqual(["200001", "100001"]);
    await run("head -c 300000 /dev/zero; echo short >&2", { isSplit: true, maxLogBytes: 100_000 }).outcome;
    expect(files().err).toEndWith("short\n");
  });

  test("have nothing else of the worker open", async () => {
    await run("ls /dev/fd/ | wc -l; ls /dev/fd/ >&2", { isSplit: true }).outcome;
    expect(Number.parseInt(files().log ?? "", 10)).toBe(4);
  });

  test("are not in the way of the delay that a job asks for", async () => {
    const outcome = await run(`echo 9 > "$QUEUECTL_RETRY_AFTER"; exit 75`, { isSplit: true }).outcome;
    expect(outcome).toEqual({ kind: "exited", code: 75, retryAfterMs: 9000 });
    expect(files()).toEqual({});
  });
});

describe("a log that is larger than it may be", () => {
  const LINES = "seq 100001 200000";
  const whole = Array.from({ length: 100_000 }, (_, n) => `${n + 100_001}\n`).join("");

  test.each([["true"], ["exit 3"]])("keeps whole lines of its beginning and its end, after %s", async (ending) => {
    await run(`${LINES}; ${ending}`, { maxLogBytes: 100_000 }).outcome;
    const [head = "", bytes, tail = ""] = readFileSync(logPath, "utf8").split(
      /\n… (\d+) bytes left out \(log_max\) …\n\n/,
    );
    expect(whole.startsWith(head) && head.endsWith("\n")).toBe(true);
    expect(whole.endsWith(tail) && /^\d{6}\n/.test(tail)).toBe(true);
    expect(head.length + Number(bytes) + tail.length).toBe(whole.length);
    expect(head.length + tail.length).toBeLessThanOrEqual(100_000);
    expect(head.length + tail.length).toBeGreaterThan(90_000);
    expect(readdirSync(directory)).toEqual(["log"]);
  });

  test("keeps so many bytes of each where it has no lines", async () => {
    await run("head -c 300000 /dev/zero", { maxLogBytes: 100_000 }).outcome;
    const between = Buffer.byteLength("\n… 200000 bytes left out (log_max) …\n\n");
    expect(statSync(logPath).size).toBe(100_000 + between);
  });

  test.each([
    ["no limit", 0],
    ["one that it does not reach", 700_000],
  ])("with %s stays as it is", async (_, maxLogBytes) => {
    await run(LINES, { maxLogBytes }).outcome;
    expect(readFileSync(logPath, "utf8")).toBe(whole);
  });

  test("is read to its end by whoever has it open", async () => {
    const reader = openSync(logPath, "a+");
    await run(LINES, { maxLogBytes: 100_000 }).outcome;
    expect(readFileSync(reader, "utf8")).toBe(whole);
    closeSync(reader);
    expect(statSync(logPath).size).toBeLessThan(whole.length);
  });

  test("is left alone while what the job left behind may yet print", async () => {
    const { outcome } = run(`${LINES}; ${director.command("left")} & exit 0`, { maxLogBytes: 100_000 });
    const left = await director.meet("left");
    expect(await outcome).toEqual({ kind: "exited", code: 0 });
    await left.tell({ do: "print", text: "still here\n" });
    expect(readFileSync(logPath, "utf8")).toBe(`${whole}still here\n`);
  });
});

describe("the outcome", () => {
  test.each([
    ["exit 0", { kind: "exited", code: 0 }],
    ["exit 3", { kind: "exited", code: 3 }],
    ["kill -KILL $$", { kind: "signaled", signal: "SIGKILL" }],
    ["kill -TERM $$", { kind: "signaled", signal: "SIGTERM" }],
    ["echo fine; echo 'no such thing' >&2; exit 4", { kind: "exited", code: 4, lastLine: "no such thing" }],
    ["echo bye; kill -KILL $$", { kind: "signaled", signal: "SIGKILL", lastLine: "bye" }],
    ["echo all is well", { kind: "exited", code: 0 }],
  ] as const)("of %j", async (command, outcome) => {
    expect(await run(command).outcome).toEqual(outcome);
  });

  test("of a command that the system refuses is that it could not start", async () => {
    const outcome = await run("true", { workerEnv: { BIG: "x".repeat(200_000) } }).outcome;
    expect(outcome).toMatchObject({ kind: "could-not-start", reason: expect.stringContaining("E2BIG") });
    expect(existsSync(logPath)).toBe(false);
  });

  test("of a command with a NUL character, which enqueue refuses, is that it could not start, and not the whole of it", async () => {
    const { kind, reason } = (await run(`: ${"x".repeat(100_000)}\0`).outcome) as { kind: string; reason: string };
    expect(kind).toBe("could-not-start");
    expect(reason).toContain("must be a string without null bytes");
    expect(reason.length).toBeLessThanOrEqual(200);
  });

  test("of a job whose directory is not there is that it could not start, with the directory", async () => {
    const cwd = join(directory, "gone");
    expect(await run("true", { cwd }).outcome).toEqual({
      kind: "could-not-start",
      reason: `its directory ${cwd} is not there`,
    });
  });

  test("of the longest command that enqueue takes is its own", async () => {
    const { command } = checkJobSpec({ command: "exit 7 #".padEnd(131_071, "x") });
    expect(await run(command).outcome).toEqual({ kind: "exited", code: 7 });
    expect(await run(`${command}x`).outcome).toMatchObject({ kind: "could-not-start" });
  });
});

test("a job that reads its input gets the end of it", async () => {
  expect(await run("cat").outcome).toEqual({ kind: "exited", code: 0 });
  const { outcome } = run(director.command("reader"));
  const reader = await director.meet("reader");
  expect(await reader.tell({ do: "read-stdin" })).toBe("");
  await reader.tell({ do: "exit", code: 0 });
  await outcome;
});

test("a job is told which attempt it is", async () => {
  const { outcome } = run(director.command("asker"), { id: "a/b", attempts: 2, lease: 47, worker_id: "worker-9" });
  const asker = await director.meet("asker");
  expect(asker.hello.variables).toMatchObject({
    QUEUECTL_JOB_ID: "a/b",
    QUEUECTL_ATTEMPT: "2",
    QUEUECTL_LEASE: "47",
    QUEUECTL_WORKER_ID: "worker-9",
    QUEUECTL_DATA_DIR: directory,
  });
  await asker.tell({ do: "exit", code: 0 });
  await outcome;
});

test("a job runs in its own directory, with its own variables over those of the worker, under those of the queue", async () => {
  const env = { A: "of the job", QUEUECTL_JOB_ID: "somebody else" };
  const workerEnv = { A: "of the worker", B: "of the worker" };
  await run('pwd; echo "$A, $B, $QUEUECTL_JOB_ID"', { id: "p1", cwd: "/usr", env, workerEnv }).outcome;
  expect(readFileSync(logPath, "utf8")).toBe("/usr\nof the job, of the worker, p1\n");
});

describe("the time limit of a job", () => {
  test("ends all of its processes once it has passed, and is the outcome with what was printed last", async () => {
    const { outcome } = run(`echo so far; ${director.command("slow")}`, { timeout: 100 });
    const slow = await director.meet("slow");
    expect(await outcome).toEqual({ kind: "timed-out", afterMs: 100, lastLine: "so far" });
    expect(isAlive(slow.hello.pid)).toBe(false);
  });

  test("also of one that ignores TERM, after the grace, and of one that takes TERM for a reason to succeed", async () => {
    const stubborn = run(`trap '' TERM; sleep 100 & sleep 100`, { timeout: 50, killGraceMs: 50 });
    expect(await stubborn.outcome).toEqual({ kind: "timed-out", afterMs: 50 });
    const polite = run(`trap 'exit 0' TERM; sleep 100 & wait`, { timeout: 50 });
    expect(await polite.outcome).toEqual({ kind: "timed-out", afterMs: 50 });
  });

  test("is nothing to a job that keeps it", async () => {
    expect(await run("exit 3", { timeout: 60_000 }).outcome).toEqual({ kind: "exited", code: 3 });
  });
});

describe("the delay that a job asks for", () => {
  const asking = (text: string): string => `printf '%b' '${text}' > "$QUEUECTL_RETRY_AFTER"; exit 75`;

  test.each([
    ["90", 90_000],
    ["0.25\\n", 250],
    ["0", 0],
  ])("is that of its file: %j", async (text, retryAfterMs) => {
    expect(await run(asking(text)).outcome).toEqual({ kind: "exited", code: 75, retryAfterMs });
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each(["", "soon", "-1", "1e3", "9".repeat(12), "1".repeat(200)])("is none if that says %j", async (text) => {
    expect(await run(asking(text)).outcome).toEqual({ kind: "exited", code: 75 });
    expect(readdirSync(directory)).toEqual([]);
  });

  test("is nothing to a job that succeeds, and leaves no file", async () => {
    expect(await run(`echo 5 > "$QUEUECTL_RETRY_AFTER"`).outcome).toEqual({ kind: "exited", code: 0 });
    expect(readdirSync(directory)).toEqual([]);
  });

  test("is none if the file is something else", async () => {
    const outcome = await run(`ln -s /etc/passwd "$QUEUECTL_RETRY_AFTER"; exit 75`).outcome;
    expect(outcome).toEqual({ kind: "exited", code: 75 });
    expect(readdirSync(directory)).toEqual([]);
  });
});

test("a job has nothing open but its three streams", async () => {
  await run("ls /dev/fd/ | wc -l; ls /dev/fd/").outcome;
  // The fourth is the directory that ls reads; macOS lists it too.
  expect(Number.parseInt(readFileSync(logPath, "utf8"), 10)).toBe(4);
});

describe("after a success", () => {
  test("a background child neither holds the attempt nor is ended, and may go on printing", async () => {
    const { outcome } = run(director.command("parent"));
    const parent = await director.meet("parent");
    await parent.tell({ do: "fork", name: "child" });
    const child = await director.meet("child");
    await parent.tell({ do: "exit", code: 0 });
    expect(await outcome).toEqual({ kind: "exited", code: 0 });
    await child.tell({ do: "print", text: "still here\n" });
    expect(readFileSync(logPath, "utf8")).toBe("still here\n");
  });
});

describe("after a failure", () => {
  test.each([
    ["in its process group", {}],
    ["in a session of their own", { setsid: true }],
    ["in its process group without the attempt's variables", { unset: ["QUEUECTL_LEASE"] }],
  ])("its processes %s are gone before the outcome is known", async (_, options) => {
    const { outcome } = run(director.command("parent"));
    const parent = await director.meet("parent");
    await parent.tell({ do: "fork", name: "child", ...options });
    const child = await director.meet("child");
    await parent.tell({ do: "print", text: "giving up\n" });
    await parent.tell({ do: "exit", code: 1 });
    expect(await outcome).toEqual({ kind: "exited", code: 1, lastLine: "giving up" });
    expect(isAlive(child.hello.pid)).toBe(false);
  });

  test("those that ignore TERM are killed after the grace", async () => {
    const { outcome } = run(director.command("parent"), { killGraceMs: 20 });
    const parent = await director.meet("parent");
    await parent.tell({ do: "fork", name: "child", setsid: true });
    const child = await director.meet("child");
    await child.tell({ do: "ignore", signal: "SIGTERM" });
    await parent.tell({ do: "exit", code: 1 });
    expect(await outcome).toEqual({ kind: "exited", code: 1 });
    expect(isAlive(child.hello.pid)).toBe(false);
  });

  test("a process that unset its lease and left the session goes on", async () => {
    const { outcome } = run(director.command("parent"), { killGraceMs: 0 });
    const parent = await director.meet("parent");
    await parent.tell({ do: "fork", name: "daemon", setsid: true, unset: ["QUEUECTL_LEASE"] });
    const daemon = await director.meet("daemon");
    await parent.tell({ do: "exit", code: 1 });
    await outcome;
    expect(isAlive(daemon.hello.pid)).toBe(true);
  });
});

describe("a job that is ended", () => {
  test("ends by TERM, with all of its processes, and is released", async () => {
    const running = run(director.command("parent"));
    const parent = await director.meet("parent");
    await parent.tell({ do: "fork", name: "child", setsid: true });
    const child = await director.meet("child");
    running.end({ kind: "released" });
    expect(await running.outcome).toEqual({ kind: "released" });
    expect([parent, child].map(({ hello }) => isAlive(hello.pid))).toEqual([false, false]);
  });

  test("is killed after the grace when it ignores TERM", async () => {
    const running = run(director.command("stubborn"), { killGraceMs: 20 });
    const stubborn = await director.meet("stubborn");
    await stubborn.tell({ do: "ignore", signal: "SIGTERM" });
    running.end({ kind: "released" });
    expect(await running.outcome).toEqual({ kind: "released" });
    expect(isAlive(stubborn.hello.pid)).toBe(false);
  });

  test("keeps its own outcome when its shell had ended before, and only its leftovers were being ended", async () => {
    const running: RunningCommand = runCommand(processingJob("exit 5"), {
      store: { address: { options: [], variables: {} }, mark: { QUEUECTL_DATA_DIR: directory } },
      log: openLog(),
      env: process.env,
      maxLogBytes: async () => 0,
      killGraceMs: async () => {
        running.end({ kind: "released" });
        return 0;
      },
    });
    expect(await running.outcome).toEqual({ kind: "exited", code: 5 });
    running.end({ kind: "released" });
  });
});
