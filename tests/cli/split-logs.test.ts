/** The two streams of a job, each with a log of its own. */
import { expect } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "../support/both-stores.ts";
import { type Home, printed } from "../support/home.ts";
import { until } from "../support/until.ts";

const BOTH = "echo out 1; echo err 1 >&2; echo out 2; echo err 2 >&2";

/** A home where they are split, with jobs that have been run. */
async function ran(home: Home, ...jobs: readonly object[]): Promise<void> {
  await home.obey("config-set", "split-logs", "true");
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue(...jobs);
  await home.drain();
}

/** The names of all logs. */
function logFiles(home: Home): string[] {
  const directory = [home.data, ...readdirSync(home.data).map((name) => join(home.data, name))]
    .map((path) => join(path, "logs"))
    .find((path) => existsSync(path));
  return directory === undefined ? [] : readdirSync(directory).toSorted();
}

test("logs prints what went to each stream there, or only one of them, on stdout", async (home) => {
  await ran(home, { id: "p1", command: BOTH });
  expect(await home.run("logs", "p1")).toEqual({ stdout: "out 1\nout 2\n", stderr: "err 1\nerr 2\n", exitCode: 0 });
  expect(await home.run("logs", "p1", "--stdout")).toEqual(printed("out 1\nout 2\n"));
  expect(await home.run("logs", "p1", "--stderr")).toEqual(printed("err 1\nerr 2\n"));
  expect(await home.run("logs", "p1", "--tail", "1")).toEqual({ stdout: "out 2\n", stderr: "err 2\n", exitCode: 0 });
  expect(await home.run("logs", "p1", "--stderr", "--tail", "1")).toEqual(printed("err 2\n"));
  expect(await home.run("logs", "p1", "--grep", "1$")).toEqual({ stdout: "out 1\n", stderr: "err 1\n", exitCode: 0 });
  expect(await home.run("logs", "p1", "--grep", "err")).toEqual({ stdout: "", stderr: "err 1\nerr 2\n", exitCode: 0 });
  expect(await home.run("logs", "p1", "--grep", "err", "--stdout")).toMatchObject({ stdout: "", exitCode: 1 });
});

test("logs --json tells of each stream", async (home) => {
  await ran(home, { id: "p1", command: BOTH });
  const document = JSON.parse(await home.obey("logs", "p1", "--json"));
  const [out, err] = [expect.stringMatching(/\.out$/), expect.stringMatching(/\.err$/)];
  const stderr = { path: err, output: "err 1\nerr 2\n" };
  expect(document).toEqual({ id: "p1", attempt: 1, path: out, output: "out 1\nout 2\n", stderr });
  expect(JSON.parse(await home.obey("logs", "p1", "--json", "--stderr"))).toEqual({
    ...{ id: "p1", attempt: 1, stream: "stderr" },
    ...stderr,
  });
});

test("a stream that nothing was written to has no file, which is said", async (home) => {
  await ran(
    home,
    { id: "out", command: "echo hi" },
    { id: "err", command: "echo hi >&2" },
    { id: "none", command: ":" },
  );
  expect(logFiles(home)).toEqual([expect.stringMatching(/^err-.*\.err$/), expect.stringMatching(/^out-.*\.out$/)]);
  expect(await home.run("logs", "out")).toEqual(printed("hi\n"));
  expect(await home.run("logs", "err")).toEqual({ stdout: "", stderr: "hi\n", exitCode: 0 });
  for (const [id, stream] of [
    ["out", "stderr"],
    ["err", "stdout"],
    ["none", "stderr"],
  ] as const) {
    const stderr = `Attempt 1 of job ${id} printed nothing to ${stream}.\n`;
    expect(await home.run("logs", id, `--${stream}`)).toEqual({ stdout: "", stderr, exitCode: 0 });
  }
});

test("one stream of an attempt that was not split is refused, with what to set", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({
    id: "p1",
    command: `${BOTH}; [ $QUEUECTL_ATTEMPT = 2 ] || queuectl config-set split_logs true > /dev/null; [ $QUEUECTL_ATTEMPT = 2 ]`,
  });
  await home.drain();
  const refusal = {
    stdout: "",
    stderr:
      "Attempt 1 of job p1 has stdout and stderr in one log.\n" +
      "To have a log for each, from the next attempt on: queuectl config-set split_logs true\n",
    exitCode: 2,
  };
  for (const options of [["--stderr"], ["--stdout"], ["--stderr", "-f"], ["--stdout", "--json"]]) {
    const { stderr, ...rest } = await home.run("logs", "p1", "--attempt", "1", ...options);
    expect(rest).toEqual({ stdout: "", exitCode: 2 });
    if (!options.includes("--json")) expect(stderr).toBe(refusal.stderr);
  }
  expect(await home.run("logs", "p1", "--attempt", "1")).toEqual(printed("out 1\nerr 1\nout 2\nerr 2\n"));
  expect(await home.run("logs", "p1", "--stderr")).toEqual(printed("err 1\nerr 2\n"));
  expect(await home.run("logs", "p1", "--stderr", "--stdout")).toEqual({
    stdout: "",
    stderr: "Expected --stdout or --stderr, got both.\nWithout either, both are printed.\n",
    exitCode: 2,
  });
});

test("logs -f shows what comes on each stream as it comes, through retries", async (home) => {
  await home.obey("config-set", "split_logs", "true");
  await home.obey("config-set", "backoff_base", "0");
  const command = "echo out $QUEUECTL_ATTEMPT; echo err $QUEUECTL_ATTEMPT >&2; cat gate; [ $QUEUECTL_ATTEMPT = 2 ]";
  await home.shell("mkfifo gate");
  await home.enqueue({ id: "p1", command });
  const both = home.start("logs", "p1", "-f");
  const errors = home.start("logs", "p1", "-f", "--stderr");
  for (const following of [both, errors]) await following.says("Job p1 has not run yet; what it prints comes here.\n");
  home.start("worker-start");
  for (const attempt of [1, 2]) {
    await both.says(`out ${attempt}\n`);
    for (const following of [both, errors]) await following.says(`err ${attempt}\n`);
    await home.shell("echo gate > gate");
  }
  const told = "Job p1 has not run yet; what it prints comes here.\n";
  const next = "Attempt 2 of job p1 begins.\n";
  expect(await both.end()).toEqual({
    stdout: "out 1\ngate\nout 2\ngate\n",
    stderr: `${told}err 1\n${next}err 2\n`,
    exitCode: 0,
  });
  expect(await errors.end()).toEqual({ stdout: "err 1\nerr 2\n", stderr: `${told}${next}`, exitCode: 0 });
});

test("logs -f of one stream ends with the sentence when an attempt begins that is not split", async (home) => {
  await home.enqueue({ id: "p1", command: "echo hi; sleep 300" });
  const following = home.start("logs", "p1", "-f", "--stdout");
  await following.says("Job p1 has not run yet");
  home.start("worker-start");
  const { stdout, stderr, exitCode } = await following.end();
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
  expect(stderr).toContain("\nAttempt 1 of job p1 has stdout and stderr in one log.\n");
});

test("exec passes each stream on as it comes", async (home) => {
  await home.obey("config-set", "split_logs", "true");
  await home.shell("mkfifo gate");
  const running = home.start(
    "exec",
    "--max-retries",
    "0",
    "-c",
    "echo out; echo err >&2; cat gate; echo end >&2; exit 3",
  );
  await running.says("out\n");
  await running.says("err\n");
  await home.shell("echo gate > gate");
  expect(await running.end()).toEqual({ stdout: "out\ngate\n", stderr: "err\nend\n", exitCode: 3 });
});

test("QUEUECTL_SPLIT_LOGS splits them for the jobs of one worker", async (home) => {
  await home.enqueue({ id: "p1", command: BOTH });
  await home.runIn({ env: { QUEUECTL_SPLIT_LOGS: "true" } }, "worker-start", "--drain");
  expect(await home.run("logs", "p1", "--stderr")).toEqual(printed("err 1\nerr 2\n"));
});

test("a running worker follows the setting, from the next attempt on", async (home) => {
  const worker = home.start("worker-start");
  for (const [id, split_logs] of [
    ["a", undefined],
    ["b", "true"],
    ["c", "false"],
  ] as const) {
    if (split_logs) await home.obey("config-set", "split_logs", split_logs);
    await home.enqueue({ id, command: BOTH });
    await worker.says(`Job succeeded: ${id}`);
  }
  const endings = logFiles(home).map((name) => `${name[0]}.${name.split(".").at(-1)}`);
  expect(endings).toEqual(["a.log", "b.err", "b.out", "c.log"]);
});

test("show names both files, and the last line of an error is that of stderr", async (home) => {
  await ran(home, { id: "p1", command: `${BOTH}; echo bye; exit 3`, max_retries: 0 });
  const shown = await home.obey("show", "p1");
  expect(shown).toMatch(/\nstdout of attempt 1: \/.*\.out\nstderr of attempt 1: \/.*\.err\n/);
  expect(shown).toContain("\nerror: exit 3: err 2\n");
  const { logs } = JSON.parse(await home.obey("show", "p1", "--json"));
  expect(logs.map(({ stream }: { stream: string }) => stream)).toEqual(["stdout", "stderr"]);
});

test("log_max holds for each stream", async (home) => {
  await home.obey("config-set", "log_max", "100000");
  await ran(home, { id: "p1", command: "seq 100001 200000; echo short >&2" });
  const { stdout, stderr } = await home.run("logs", "p1");
  expect(stdout).toMatch(/^100001\n[\d\n]+\n… 60\d{4} bytes left out \(log_max\) …\n\n[\d\n]+\n200000\n$/);
  expect(stderr).toBe("short\n");
});

test("remove and prune take both files away", async (home) => {
  await ran(home, { id: "p1", command: BOTH }, { id: "p2", command: BOTH }, { id: "p3", command: BOTH });
  expect(logFiles(home)).toHaveLength(6);
  await home.obey("remove", "p1", "--yes");
  expect(logFiles(home)).toHaveLength(4);
  await home.obey("config-set", "keep_logs", "0");
  const pruned = JSON.parse(await home.obey("prune", "--keep", "1", "--json"));
  expect(pruned).toEqual({ archived: 1, logs: 2, bytes: 24, dry_run: false });
  expect(logFiles(home)).toEqual([expect.stringMatching(/^p3-.*\.err$/), expect.stringMatching(/^p3-.*\.out$/)]);
  expect(await home.run("doctor")).toMatchObject({ exitCode: 0 });
});

test("what an attempt wrote to each stream is there after its worker was killed, and the next has its own", async (home) => {
  await home.obey("config-set", "split_logs", "true");
  await home.obey("config-set", "backoff_base", "0");
  const command = "echo out $QUEUECTL_ATTEMPT; echo err $QUEUECTL_ATTEMPT >&2; [ $QUEUECTL_ATTEMPT = 2 ] || sleep 300";
  await home.enqueue({ id: "p1", command });
  const terminal = home.start("worker-start", "--count", "2");
  await until(async () => (await home.run("logs", "p1")).stderr === "err 1\n", "the first attempt to print");
  const entry = await home.entry("p1");
  process.kill(Number("worker_id" in entry && entry.worker_id?.replace("worker-", "")), "SIGKILL");
  await terminal.says("Job succeeded: p1");
  for (const attempt of ["1", "2"]) {
    const all = { stdout: `out ${attempt}\n`, stderr: `err ${attempt}\n`, exitCode: 0 };
    expect(await home.run("logs", "p1", "--attempt", attempt)).toEqual(all);
  }
  expect(logFiles(home).map((name) => name.split(".").slice(1).join("."))).toEqual([
    expect.stringMatching(/^1\.\d+\.err$/),
    expect.stringMatching(/^1\.\d+\.out$/),
    expect.stringMatching(/^2\.\d+\.err$/),
    expect.stringMatching(/^2\.\d+\.out$/),
  ]);
});

test("what went to stderr and cannot be written there is an error", async (home) => {
  await ran(home, { id: "p1", command: BOTH });
  const { stdout, exitCode } = await home.shell("queuectl logs p1 2> /dev/full");
  expect({ stdout, exitCode }).toEqual({ stdout: "out 1\nout 2\n", exitCode: 1 });
});

test("a JUnit report has what went to stderr by itself", async (home) => {
  home.write("jobs.jsonl", JSON.stringify({ id: "bad", command: `${BOTH}; exit 3`, max_retries: 0 }));
  // A run has a queue of its own, with the default settings.
  const env = { QUEUECTL_SPLIT_LOGS: "true" };
  const { stderr, exitCode } = await home.runIn({ env }, "run", "jobs.jsonl", "--report", "junit=report.xml");
  expect(exitCode).toBe(5);
  expect(stderr).toContain("✗ bad: exit 3: err 2\n    out 1\n    out 2\n    err 1\n    err 2\n");
  const report = home.read("report.xml");
  expect(report).toContain("<system-out>out 1\nout 2</system-out>");
  expect(report).toContain("<system-err>err 1\nerr 2</system-err>");
});

test("on a terminal both streams are shown, without what could steer it", async (home) => {
  await ran(home, { id: "p1", command: "printf '\\033[1mout\\n'; printf '\\033[1merr\\n' >&2" });
  expect(await home.showOnTerminal("logs", "p1")).toBe(
    "\\x1b[1mout\n\\x1b[1merr\nControl characters are shown escaped; --raw passes them on.\n",
  );
});
