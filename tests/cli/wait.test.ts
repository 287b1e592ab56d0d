import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { WorkerDirector } from "../support/worker-director.ts";

/** Without the time that it took. */
function told({ stdout }: { stdout: string }): string {
  return stdout.replace(/in [\d.]+s/, "in N");
}

test("wait succeeds when all jobs were completed, before it or while it waits", async (home) => {
  using director = new WorkerDirector();
  await home.enqueue({ id: "first", command: "true" }, { id: "second", command: director.command("second") });
  const worker = home.start("worker-start");
  const job = await director.meet("second");
  expect(await home.run("wait", "first")).toMatchObject({ stderr: "", exitCode: 0 });
  const wait = home.start("wait", "second", "first");
  await wait.says("Waiting for second...");
  expect(wait.hasEnded).toBe(false);
  await job.tell({ do: "exit", code: 0 });
  const ended = await wait.end();
  expect([told(ended), ended.exitCode]).toEqual(["2 jobs in N: 2 completed.\n", 0]);
  worker.kill("SIGTERM");
});

test("wait fails with 5 when a job is dead or failed, and says which and why", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue(
    { id: "good", command: "[ $QUEUECTL_ATTEMPT = 2 ]", batch: "b" },
    { id: "bad", command: "echo no luck; exit 9", batch: "b", max_retries: 0 },
    { id: "late", command: "true", batch: "b", expires_in: 1, delay: 5 },
    { id: "other", command: "false", max_retries: 0 },
  );
  await home.drain();
  const ended = await home.run("wait", "--batch", "b");
  expect(ended.stderr).toBe("✗ late: expired before it was begun\n✗ bad: exit 9: no luck\n");
  expect([told(ended), ended.exitCode]).toEqual(["3 jobs in N: 1 completed (1 after a retry), 2 failed.\n", 5]);
});

test("wait ends with 6 once its time has passed, and the jobs go on", async (home) => {
  await home.enqueue({ id: "p1", command: "true" });
  const ended = await home.run("wait", "p1", "--timeout", "10ms");
  expect([told(ended), ended.exitCode]).toEqual(["Timed out. 1 job in N: 0 completed, 1 not ended.\n", 6]);
  expect(await home.entry("p1")).toMatchObject({ state: "pending" });
});

test("wait ends with 130 after ^C, and the jobs go on", async (home) => {
  await home.enqueue({ id: "p1", command: "true" }, { id: "p2", command: "true" });
  const wait = home.start("wait", "--all");
  await wait.says("Waiting for p1, p2...");
  wait.interrupt();
  const ended = await wait.end();
  expect([told(ended), ended.exitCode]).toEqual(["Interrupted. 2 jobs in N: 0 completed, 2 not ended.\n", 130]);
  expect(await home.jobs("--state", "pending")).toHaveLength(2);
});

test("wait for a job or a batch that is not there ends with 3", async (home) => {
  await home.enqueue({ id: "p1", command: "true" });
  expect(await home.run("wait", "p1", "p2")).toEqual({ stdout: "", stderr: "❌ Job p2 not found.\n", exitCode: 3 });
  expect(await home.run("wait", "--batch", "b")).toEqual({
    stdout: "",
    stderr: "❌ There is no job of batch b.\n",
    exitCode: 3,
  });
});

test.each([
  ["", "For what? Give ids, --batch, --queue or --all.\n"],
  ["p1 --all", "For what of these? Give ids, --batch, --queue or --all.\n"],
  ["p1 --timeout 10", 'Expected --timeout to be a duration like 90s or 2h30m, from 1ms to 24d, got "10".\n'],
])("wait is refused where it is not clear for what, or how long: wait %s", async (home, args, sentence) => {
  expect(await home.run("wait", ...args.split(" ").filter(Boolean))).toEqual({
    stdout: "",
    stderr: sentence,
    exitCode: 2,
  });
});

test("a job that is archived counts as completed, before the wait and during it", async (home) => {
  using director = new WorkerDirector();
  await home.obey("config-set", "keep_completed", "0");
  const jobs = ["a", "b"].map((id) => ({ id, command: director.command(id), batch: "x" }));
  await home.enqueue(...jobs, { id: "last", command: director.command("last"), batch: "x" });
  const worker = home.start("worker-start");
  await (await director.meet("a")).tell({ do: "exit", code: 0 });
  const second = await director.meet("b");
  await home.obey("prune");
  expect((await home.jobs("--archived")).map(({ id }) => id)).toEqual(["a"]);
  const waitings: string[][] = [["a"], ["a", "b", "last"], ["--batch", "x"]];
  const waits = waitings.map((args) => home.start("wait", ...args, "--json"));
  await Promise.all(waits.slice(1).map((wait) => wait.says("Waiting for")));
  await second.tell({ do: "exit", code: 0 });
  const third = await director.meet("last");
  await home.obey("prune");
  await third.tell({ do: "exit", code: 0 });
  const ended = await Promise.all(waits.map((wait) => wait.end()));
  expect(ended.map(({ stdout, exitCode }) => [JSON.parse(stdout).completed, exitCode])).toEqual([
    [1, 0],
    [3, 0],
    [3, 0],
  ]);
  worker.kill("SIGTERM");
});

test("wait --all goes on while more is enqueued, and does not ask about what ended before it", async (home) => {
  await home.enqueue({ id: "dead", command: "false", max_retries: 0 });
  await home.drain();
  expect(await home.run("wait", "--all")).toEqual({
    stdout: "There are no jobs to wait for.\n",
    stderr: "",
    exitCode: 0,
  });
  const next = `queuectl enqueue '{"id":"second","command":"exit 4","max_retries":0}'`;
  await home.enqueue({ id: "first", command: next });
  const wait = home.start("wait", "--all");
  await wait.says("Waiting for first...");
  await home.drain();
  const ended = await wait.end();
  expect(ended.stderr).toEndWith("✗ second: exit 4\n");
  expect([told(ended), ended.exitCode]).toEqual(["2 jobs in N: 1 completed, 1 failed.\n", 5]);
});

test("wait --queue is about the jobs of one queue", async (home) => {
  await home.enqueue({ id: "slow", command: "true", queue: "b" }, { id: "quick", command: "true", queue: "a" });
  const wait = home.start("wait", "--queue", "a");
  await wait.says("Waiting for quick...");
  await home.drain("--queue", "a");
  expect(told(await wait.end())).toBe("1 job in N: 1 completed.\n");
  expect(await home.run("wait", "--queue", "a b")).toMatchObject({ exitCode: 2 });
});

test("a dead letter that is put back while others are waited for is waited for again", async (home) => {
  using director = new WorkerDirector();
  await home.enqueue(
    { id: "bad", command: "[ -e mended ]", max_retries: 0 },
    { id: "long", command: director.command("long") },
  );
  const worker = home.start("worker-start");
  const long = await director.meet("long");
  const wait = home.start("wait", "bad", "long");
  await wait.says("Waiting for long...");
  home.write("mended", "");
  await home.obey("dlq-retry", "bad");
  await long.tell({ do: "exit", code: 0 });
  const ended = await wait.end();
  expect([told(ended), ended.exitCode]).toEqual(["2 jobs in N: 2 completed.\n", 0]);
  worker.kill("SIGTERM");
});

test("a job does not wait for itself", async (home) => {
  await home.enqueue({ id: "waits", command: "queuectl wait --all; echo $?; queuectl wait waits; echo $?" });
  await home.drain();
  expect(await home.obey("logs", "waits")).toBe(
    "There are no jobs to wait for.\n0\nJob waits would wait for itself.\n2\n",
  );
});

test("wait --json is one document with what became of each job", async (home) => {
  await home.enqueue({ id: "good", command: "true" }, { id: "bad", command: "exit 3", max_retries: 0 });
  await home.drain();
  const { stdout, stderr, exitCode } = await home.run("wait", "good", "bad", "--json");
  const number = expect.any(Number);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 5 });
  expect(JSON.parse(stdout)).toEqual({
    ...{ how: "all_ended", ms: number, completed: 1, failed: 1, open: 0 },
    jobs: [
      { id: "good", command: "true", state: "completed", attempts: 1, started_at: number, ended_at: number },
      {
        id: "bad",
        command: "exit 3",
        state: "dead",
        attempts: 1,
        error: "exit 3",
        started_at: number,
        ended_at: number,
      },
    ],
  });
});

test("on a terminal wait shows how far the jobs have come", async (home) => {
  await home.enqueue({ id: "dead", command: "false", max_retries: 0 });
  await home.drain();
  await home.enqueue({ id: "p1", command: "true" });
  const shown = await home.watchOnTerminal("wait", "dead", "p1", "--timeout", "50ms");
  expect(shown).toContain(`\r\x1b[K[${"#".repeat(15)}${" ".repeat(15)}] 1 of 2 ended, 0 running, 1 failed\r\x1b[K`);
});
