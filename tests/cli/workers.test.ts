import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";
import { until } from "../support/until.ts";
import { isAlive, WorkerDirector } from "../support/worker-director.ts";

test("a job that reads its input gets the end of it", async (home) => {
  await home.enqueue({ id: "reads", command: "cat; read line; echo done" });
  expect((await home.drain()).exitCode).toBe(0);
  expect(await home.run("logs", "reads")).toEqual(printed("done\n"));
});

test("a job that prints 3 MiB completes, and all of it is in its log", async (home) => {
  await home.enqueue({ id: "loud", command: "head -c 3145728 /dev/zero | tr '\\000' x; echo end" });
  expect((await home.drain()).exitCode).toBe(0);
  const { stdout } = await home.run("logs", "loud");
  expect([stdout.length, stdout.slice(-5)]).toEqual([3145728 + 4, "xend\n"]);
});

test("the folder of the logs may be removed at any time", async (home) => {
  await home.enqueue(
    { id: "tidy", command: "find db -name logs -exec rm -r {} +" },
    { id: "next", command: "echo done" },
  );
  expect((await home.drain()).exitCode).toBe(0);
  expect(await home.run("logs", "next")).toEqual(printed("done\n"));
});

test("a job that leaves a child in the background does not hold its worker", async (home) => {
  await home.enqueue({ id: "daemon", command: "sleep 300 & echo $! > child; exit 0" }, { id: "next", command: "true" });
  expect((await home.drain()).exitCode).toBe(0);
  expect(await home.jobs("--state", "completed")).toHaveLength(2);
  expect(isAlive(Number(home.read("child")))).toBe(true);
});

test("what a failing job leaves in the background is ended with it", async (home) => {
  await home.enqueue({ id: "bad", command: "setsid sleep 300 & echo $! > child; exit 1", max_retries: 0 });
  expect((await home.drain()).exitCode).toBe(5);
  await home.deserted();
});

test("a job runs in the folder and environment of worker-start, and is told who it is", async (home) => {
  home.write("elsewhere/file", "");
  await home.enqueue({ id: "p1", command: "pwd; printenv | sort" });
  await home.runIn({ cwd: "elsewhere", env: { COLOUR: "blue" } }, "worker-start", "--drain");
  const [cwd, ...variables] = (await home.obey("logs", "p1")).trimEnd().split("\n");
  expect(cwd).toBe(`${home.path}/elsewhere`);
  expect(variables).toEqual(
    expect.arrayContaining([
      "COLOUR=blue",
      "QUEUECTL_ATTEMPT=1",
      home.url === undefined ? `QUEUECTL_DATA_DIR=${home.data}` : `QUEUECTL_STORE=${home.shownUrl}`,
      "QUEUECTL_JOB_ID=p1",
      expect.stringMatching(/^QUEUECTL_LEASE=\d+$/),
      expect.stringMatching(/^QUEUECTL_WORKER_ID=worker-\d+$/),
    ]),
  );
});

test("a job runs in its own directory with its own variables, and says itself when it is to be tried again", async (home) => {
  home.write("elsewhere/file", "");
  const command = 'pwd; echo "$COLOUR"; [ $QUEUECTL_ATTEMPT = 2 ] || { echo 0.1 > "$QUEUECTL_RETRY_AFTER"; exit 75; }';
  await home.enqueue({ id: "p1", command, cwd: `${home.path}/elsewhere`, env: { COLOUR: "red" }, retry_on: [75] });
  const { stdout } = await home.runIn({ env: { COLOUR: "blue" } }, "worker-start", "--drain");
  expect(stdout).toContain("p1 failed attempt 1 → retry in 0.1s\n");
  expect(await home.obey("logs", "p1")).toBe(`${home.path}/elsewhere\nred\n`);
  expect(await home.entry("p1")).toMatchObject({ state: "completed", attempts: 2 });
});

test("a job that takes too long is ended, and one that fails as its terms say is not retried", async (home) => {
  const slow = "trap 'exit 0' TERM; echo begun; sleep 300 & wait";
  await home.enqueue(
    { id: "slow", command: slow, timeout: "100ms", max_retries: 0 },
    { id: "usage", command: "exit 64", no_retry_on: [64] },
    { id: "other", command: "exit 3", retry_on: [64, "signal"] },
  );
  expect((await home.drain()).exitCode).toBe(5);
  const dead = await home.deadLetters();
  expect(sorted(dead.map(({ id, attempts, error }) => `${id} ${attempts} ${error}`))).toEqual([
    "other 1 exit 3",
    "slow 1 timed out after 100ms: begun",
    "usage 1 exit 64",
  ]);
  await home.deserted();
});

test("a job that nobody could begin in time has failed, unrun and outside of the DLQ", async (home) => {
  await home.enqueue({ id: "late", command: "echo ran > ran", expires_in: 1 });
  await until(async () => Date.now() > ((await home.entry("late")) as { expires_at: number }).expires_at, "its end");
  const { stdout, exitCode } = await home.drain();
  expect(stdout).toContain("late failed for good: expired before it was begun\n");
  expect(exitCode).toBe(0);
  expect(await home.entry("late")).toMatchObject({ state: "failed", attempts: 0 });
  expect(home.read("ran")).toBe("");
  expect(await home.deadLetters()).toEqual([]);
});

test("a job gets nothing of what steers queuectl itself, and its own queuectl is not steered by it", async (home) => {
  await home.enqueue({ id: "p1", command: "printenv; queuectl config-get max_retries" });
  const env = { QUEUECTL_MAX_RETRIES: "9", QUEUECTL_TOKEN: "of-the-worker", MY_QUEUECTL_X: "mine" };
  await home.runIn({ env }, "worker-start", "--drain");
  const printed = await home.obey("logs", "p1");
  expect(printed).not.toContain("of-the-worker");
  expect(printed).not.toContain("BUN_JSC_");
  expect(printed).toContain("MY_QUEUECTL_X=mine\n");
  expect(printed).toEndWith("\n3\n");
  const own = printed.split("\n").filter((line) => line.startsWith("QUEUECTL_"));
  expect(own.map((line) => line.split("=")[0]).sort()).toEqual([
    "QUEUECTL_ATTEMPT",
    ...(home.store === "files" ? ["QUEUECTL_DATA_DIR"] : []),
    "QUEUECTL_JOB_ID",
    "QUEUECTL_LEASE",
    ...(home.store === "PostgreSQL" ? ["QUEUECTL_QUEUE"] : []),
    "QUEUECTL_RETRY_AFTER",
    ...(home.store === "PostgreSQL" ? ["QUEUECTL_STORE"] : []),
    "QUEUECTL_WORKER_ID",
  ]);
});

test("jobs run by priority, then in the order they were enqueued", async (home) => {
  const command = "echo $QUEUECTL_JOB_ID >> ran";
  await home.enqueue(
    { id: "low", command, priority: -1 },
    { id: "first", command },
    { id: "second", command, priority: 0 },
    { id: "urgent", command, priority: 10 },
  );
  await home.drain();
  expect(home.lines("ran")).toEqual(["urgent", "first", "second", "low"]);
});

test("a delayed job does not start before its time, and others need not wait for it", async (home) => {
  const worker = home.start("worker-start");
  await worker.says("Worker 1 started");
  await home.enqueue({ id: "delayed", command: "true", run_at: Date.now() + 500, priority: 1 });
  await home.enqueue({ id: "now", command: "true" });
  await worker.says("Job succeeded: now");
  await worker.says("Job succeeded: delayed");
  const job = await home.entry("delayed");
  if (!("state" in job) || job.state !== "completed") throw new Error("it is not completed");
  expect(job.processing_started_at).toBeGreaterThanOrEqual(job.run_at);
});

test("workers of two terminals share one queue, are counted together and stopped together", async (home) => {
  using director = new WorkerDirector();
  const terminals = [home.start("worker-start"), home.start("worker-start")];
  await home.enqueue({ id: "a", command: director.command("a") }, { id: "b", command: director.command("b") });
  const jobs = [await director.meet("a"), await director.meet("b")];
  await Promise.all(terminals.map((terminal) => terminal.says("Processing job: ")));
  expect(await home.obey("status")).toBe(
    "📊 Queue Status:\n{ activeWorkers: 2, pending: 0, processing: 2, completed: 0, failed: 0 }\n",
  );
  const stop = home.start("worker-stop");
  await stop.says("Waiting for");
  for (const job of jobs) await job.tell({ do: "exit", code: 0 });
  expect(await stop.end()).toMatchObject({ stdout: "Stopped 2 workers.\n", exitCode: 0 });
  for (const terminal of terminals) expect((await terminal.end()).exitCode).toBe(0);
  await home.deserted();
  expect(await home.jobs("--state", "completed")).toHaveLength(2);
});

test("--drain leaves with 0 when all is done, and with 5 when a job died in that time", async (home) => {
  expect(await home.drain()).toMatchObject({ stderr: "", exitCode: 0 });
  await home.enqueue({ id: "bad", command: "false", max_retries: 0 }, { id: "good", command: "true" });
  expect((await home.drain()).exitCode).toBe(5);
  expect((await home.drain()).exitCode).toBe(0);
});

test("--drain waits for retries and for delayed jobs", async (home) => {
  await home.obey("config-set", "backoff_base", "0.3");
  await home.enqueue(
    { id: "flaky", command: "[ $QUEUECTL_ATTEMPT = 2 ]" },
    { id: "delayed", command: "true", run_at: Date.now() + 600 },
  );
  expect((await home.drain("--count", "2")).exitCode).toBe(0);
  expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(["flaky", "delayed"]);
});

test("--detach with --drain tells how many workers it started, also of those that have left already", async (home) => {
  await home.enqueue({ id: "p1", command: "true" });
  const { stdout, exitCode } = await home.run("worker-start", "--detach", "--drain", "--count", "3");
  expect(exitCode).toBe(0);
  expect(stdout).toStartWith("Starting 3 worker processes...\n");
  const seen = stdout.match(/started with PID/g)?.length ?? 0;
  const unseen = Number(/^(\d+) workers? ha(?:s|ve) left already/m.exec(stdout)?.[1] ?? 0);
  expect(seen + unseen).toBe(3);
  await home.deserted();
});

test("--detach comes back when the workers run, which then have no terminal and can be stopped", async (home) => {
  const ended = await home.run("worker-start", "--detach", "--count", "2");
  expect(ended).toMatchObject({ stderr: "", exitCode: 0 });
  expect(ended.stdout.replaceAll(/\d+\b/g, "N").split("\n").slice(0, 3)).toEqual([
    "Starting N worker processes...",
    "Worker N started with PID: N",
    "Worker N started with PID: N",
  ]);
  const log = /^Running in the background; log: (.*)$/m.exec(ended.stdout)?.[1] ?? "";
  expect(await home.obey("status")).toContain("{ activeWorkers: 2,");
  await home.enqueue({ id: "p1", command: "echo hi" });
  await home.has(log.slice(home.path.length), 5);
  expect(await home.run("worker-stop")).toMatchObject({ stdout: "Stopped 2 workers.\n", exitCode: 0 });
  await home.deserted();
  expect(home.read(log.slice(home.path.length))).toContain("Job succeeded: p1");
  if (home.store === "files") expect(readdirSync(`${home.data}/workers`)).toEqual([]);
});
