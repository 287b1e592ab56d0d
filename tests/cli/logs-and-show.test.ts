import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";

test("logs prints what the last attempt printed, or an earlier one, byte for byte", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "twice", command: 'echo "attempt $QUEUECTL_ATTEMPT"; [ $QUEUECTL_ATTEMPT = 2 ]' });
  await home.enqueue({ id: "bytes", command: "printf '\\377\\000\\033[1m\\n'; echo err >&2" });
  await home.drain();
  expect(await home.run("logs", "twice")).toEqual(printed("attempt 2\n"));
  expect(await home.run("logs", "twice", "--attempt", "1")).toEqual(printed("attempt 1\n"));
  expect(await home.run("logs", "twice", "--attempt", "3")).toEqual({
    stdout: "",
    stderr: "Job twice has no attempt 3.\nIts last attempt is 2.\n",
    exitCode: 2,
  });
  await home.shell("queuectl logs bytes > bytes");
  expect(readFileSync(`${home.path}/bytes`).toString("latin1")).toBe("\xff\0\x1b[1m\nerr\n");
});

test("of a log that is larger than log_max its beginning and its end are kept, with what is left out said between", async (home) => {
  await home.obey("config-set", "log_max", "100000");
  await home.enqueue({ id: "long", command: "seq 100001 200000" });
  await home.drain();
  const lines = (await home.obey("logs", "long")).split("\n");
  expect([lines[0], lines.at(-2)]).toEqual(["100001", "200000"]);
  expect(lines.filter((line) => !/^\d{6}$/.test(line))).toEqual([
    ...["", expect.stringMatching(/^… 60\d{4} bytes left out \(log_max\) …$/), "", ""],
  ]);
  expect(await home.obey("logs", "long", "--tail", "1")).toBe("200000\n");
});

test("logs of a job that has not run, or printed nothing, says so beside its empty output", async (home) => {
  await home.enqueue({ id: "silent", command: "true" });
  expect(await home.run("logs", "silent")).toEqual({
    stdout: "",
    stderr: "Job silent has not run yet.\n",
    exitCode: 0,
  });
  await home.drain();
  const stderr = "Attempt 1 of job silent printed nothing.\n";
  expect(await home.run("logs", "silent")).toEqual({ stdout: "", stderr, exitCode: 0 });
});

test("logs -f shows what a running job prints as it comes, and ends with it", async (home) => {
  await home.enqueue({ id: "slow", command: "mkfifo gate; echo begin; cat gate; echo end" });
  const worker = home.start("worker-start");
  await worker.says("Processing job: slow");
  const logs = home.start("logs", "slow", "-f");
  await logs.says("begin\n");
  await home.shell("echo middle > gate");
  expect(await logs.end()).toEqual(printed("begin\nmiddle\nend\n"));
  expect(await home.run("logs", "slow", "--follow")).toEqual(printed("begin\nmiddle\nend\n"));
});

test("logs -f of a job that has not run waits for it, and goes on through its retries until it has ended", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "p1", command: "echo attempt $QUEUECTL_ATTEMPT; [ $QUEUECTL_ATTEMPT = 3 ]" });
  const logs = home.start("logs", "p1", "-f");
  await logs.says("Job p1 has not run yet; what it prints comes here.\n");
  await home.drain();
  expect(await logs.end()).toEqual({
    stdout: "attempt 1\nattempt 2\nattempt 3\n",
    stderr: [
      "Job p1 has not run yet; what it prints comes here.",
      "Attempt 2 of job p1 begins.",
      "Attempt 3 of job p1 begins.",
      "",
    ].join("\n"),
    exitCode: 0,
  });
});

test("logs -f of a job that waits to be run again shows the latest attempt and then the next", async (home) => {
  await home.enqueue({ id: "p1", command: "echo x >> runs; wc -l < runs; false", max_retries: 0 });
  await home.drain();
  await home.obey("dlq-retry", "p1");
  const logs = home.start("logs", "p1", "-f");
  await logs.says("1\n");
  await home.drain();
  expect(await logs.end()).toEqual({ stdout: "1\n2\n", stderr: "Attempt 1 of job p1 begins.\n", exitCode: 0 });
  const document = JSON.parse(await home.obey("logs", "p1", "-f", "--json"));
  expect(document).toMatchObject({ id: "p1", attempt: 1, path: expect.any(String), output: "2\n" });
});

test("logs --tail prints the last lines of what is there, and with -f goes on from there", async (home) => {
  await home.enqueue({ id: "p1", command: "seq 1 5; mkfifo gate; cat gate; seq 6 8" });
  const worker = home.start("worker-start");
  await worker.says("Processing job: p1");
  const logs = home.start("logs", "p1", "-f");
  await logs.says("5\n");
  const late = home.start("logs", "p1", "-f", "--tail", "2");
  await late.says("5\n");
  await home.shell("echo gate > gate");
  expect(await late.end()).toEqual(printed("4\n5\ngate\n6\n7\n8\n"));
  expect(await home.run("logs", "p1", "--tail", "2")).toEqual(printed("7\n8\n"));
  expect(await home.run("logs", "p1", "--tail", "0")).toMatchObject({ stdout: "", exitCode: 0 });
});

test("logs --grep prints the lines that match, and exits with 1 when none does", async (home) => {
  await home.enqueue({ id: "p1", command: "printf 'one\\r\\ntwo \\377\\nthree'" });
  await home.drain();
  expect(await home.run("logs", "p1", "--grep", "^(one|three)$")).toEqual(printed("one\r\nthree"));
  expect(await home.run("logs", "p1", "--grep", "four")).toEqual({ stdout: "", stderr: "", exitCode: 1 });
  await home.shell("queuectl logs p1 -f --grep two > bytes");
  expect(readFileSync(`${home.path}/bytes`).toString("latin1")).toBe("two \xff\n");
  expect(await home.run("logs", "p1", "--grep", "(")).toEqual({
    stdout: "",
    stderr: expect.stringMatching(/^Expected --grep to be a regular expression, got "\(": .+\.\n$/),
    exitCode: 2,
  });
});

test("show tells everything about a job, and where its output is", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "p1", command: "echo hi; [ $QUEUECTL_ATTEMPT = 2 ]", priority: 5 });
  await home.drain();
  const shown = await home.obey("show", "p1");
  const fields = Object.fromEntries(
    shown
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/: (.*)/).slice(0, 2)),
  );
  const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(fields).toEqual({
    id: "p1",
    command: "echo hi; [ $QUEUECTL_ATTEMPT = 2 ]",
    state: "completed",
    run_at: instant,
    attempts: "2",
    max_retries: "3",
    created_at: instant,
    updated_at: instant,
    priority: "5",
    history: expect.stringContaining('"outcome":"exit 1: hi"'),
    processing_started_at: instant,
    worker_id: expect.stringMatching(/^worker-\d+$/),
    "log of attempt 1": expect.stringMatching(new RegExp(`^${home.data}/.*logs/`)),
    "log of attempt 2": expect.stringMatching(new RegExp(`^${home.data}/.*logs/`)),
  });
  expect(readFileSync(fields["log of attempt 2"] ?? "", "utf8")).toBe("hi\n");
});

test("show of a dead letter says where it is and why", async (home) => {
  await home.enqueue({ id: "bad", command: "exit 3", max_retries: 0 });
  await home.drain();
  const shown = await home.obey("show", "bad");
  expect(shown).toContain("\nstate: in the dead letter queue\n");
  expect(shown).toContain("\nerror: exit 3\n");
});

test("show lists what became of each attempt on a terminal, and all of it with --json", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "p1", command: "echo no luck; [ $QUEUECTL_ATTEMPT = 3 ]" });
  await home.drain();
  for (const columns of [80, 160]) {
    const table = (await home.showOnTerminalOf(columns, "show", "p1")).trimEnd().split("\n").slice(-4);
    expect(table.map((line) => line.replaceAll(/worker-\d+/g, "worker-1").replaceAll(/\d+ms|\d\.\ds/g, "1ms"))).toEqual(
      [
        expect.stringMatching(/^ATTEMPT {2}STARTED +TOOK +WORKER +OUTCOME$/),
        expect.stringMatching(/^1 {8}\S.* +1ms +worker-1 +exit 1: no luck$/),
        expect.stringMatching(/^2 {8}\S.* +1ms +worker-1 +exit 1: no luck$/),
        expect.stringMatching(/^3 {8}\S.* +1ms +worker-1 +exit 0$/),
      ],
    );
  }
  const { history } = await home.entry("p1");
  const [started_at, ended_at, lease] = [expect.any(Number), expect.any(Number), expect.any(Number)];
  const worker_id = expect.stringMatching(/^worker-\d+$/);
  expect(history).toEqual(
    [1, 2].map((attempt) => ({ attempt, started_at, ended_at, worker_id, outcome: "exit 1: no luck", lease })),
  );
});

test("show of a dead letter that was put back still tells of the attempts before", async (home) => {
  await home.enqueue({ id: "bad", command: "exit $((QUEUECTL_ATTEMPT + 2))", max_retries: 0 });
  await home.drain();
  await home.obey("dlq-retry", "bad");
  await home.drain();
  const { history } = await home.entry("bad");
  expect(history?.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
    [1, "exit 3"],
    [1, "exit 3"],
  ]);
});
