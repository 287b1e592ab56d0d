import { expect } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { test } from "../support/both-stores.ts";
import type { Home } from "../support/home.ts";
import type { RunningProgram } from "../support/running-program.ts";
import { sorted } from "../support/sorted.ts";
import { WorkerDirector } from "../support/worker-director.ts";

/** A run of these jobs, with a temporary folder that shows what it leaves. */
function start(home: Home, jobs: readonly object[], ...options: string[]): RunningProgram {
  home.write("jobs.jsonl", jobs.map((job) => `${JSON.stringify(job)}\n`).join(""));
  home.write("tmp/.keep", "");
  const env = { TMPDIR: `${home.path}/tmp`, QUEUECTL_BACKOFF_BASE: "0" };
  return home.startIn({ env }, "run", "jobs.jsonl", ...options);
}

async function run(home: Home, jobs: readonly object[], ...options: string[]) {
  const { stdout, stderr, exitCode } = await start(home, jobs, ...options).end();
  return { told: stdout.replace(/in [\d.]+s/, "in N"), stderr, exitCode };
}

async function leavesNothing(home: Home): Promise<void> {
  await home.deserted();
  expect(readdirSync(`${home.path}/tmp`)).toEqual([".keep"]);
  expect(existsSync(home.data)).toBe(false);
}

test("run runs all jobs of a file and leaves the queue as it is, and nothing behind", async (home) => {
  const jobs = [1, 2, 3].map((n) => ({ command: `echo ${n} >> ran; sleep 0.0${n}` }));
  expect(await run(home, jobs)).toEqual({ told: "3 jobs in N: 3 completed.\n", stderr: "", exitCode: 0 });
  expect(sorted(home.lines("ran"))).toEqual(["1", "2", "3"]);
  await leavesNothing(home);
  expect(await home.jobs()).toEqual([]);
});

test("run fails with 5 when a job fails for good, and shows why and what it printed last", async (home) => {
  const jobs = [
    { command: "[ $QUEUECTL_ATTEMPT = 3 ]" },
    { id: "bad", command: "seq 30; printf 'a\\033[31mred\\033[0m\\rb\\007\\n'; exit 9", max_retries: 1 },
    { command: "true" },
  ];
  const { told, stderr, exitCode } = await run(home, jobs, "--jobs", "3");
  const last = [...Array.from({ length: 18 }, (_, i) => `${i + 13}`), "ared", "b\\x07"];
  expect(stderr).toBe(`✗ bad: exit 9: b\n${last.map((line) => `    ${line}\n`).join("")}`);
  expect([told, exitCode]).toEqual(["3 jobs in N: 2 completed (1 after a retry), 1 failed.\n", 5]);
});

test("run reads standard input, names jobs by their lines, and tells of all in one document", async (home) => {
  home.write("jobs.jsonl", '{"command":"true"}\n\n{"command":"exit 2","max_retries":0}\n{"id":"own","command":"true"}');
  const { stdout, stderr, exitCode } = await home.shell("queuectl run - --json < jobs.jsonl");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 5 });
  const number = expect.any(Number);
  const { jobs, ...outcome } = JSON.parse(stdout);
  expect(outcome).toEqual({ how: "all_ended", ms: number, completed: 2, failed: 1, open: 0 });
  expect(jobs.map(({ id, state }: Record<string, string>) => `${id} ${state}`)).toEqual([
    "line-1 completed",
    "line-3 dead",
    "own completed",
  ]);
});

test("run has as many jobs at a time as it is told to", async (home) => {
  using director = new WorkerDirector();
  const running = start(
    home,
    ["a", "b", "c"].map((id) => ({ id, command: director.command(id) })),
    "--jobs",
    "2",
  );
  const first = await director.meet("a");
  const second = await director.meet("b");
  expect(director.runs("c")).toBe(0);
  await first.tell({ do: "exit", code: 0 });
  for (const job of [second, await director.meet("c")]) await job.tell({ do: "exit", code: 0 });
  expect((await running.end()).exitCode).toBe(0);
});

const LONG = { id: "long", command: "trap 'echo ended >> ended; exit 0' TERM; echo $$ > begun; sleep 300 & wait" };
const NEVER = { id: "never", command: "echo ran > never" };

test.each<[option: string, failures: number]>([
  ["--fail-fast", 1],
  ["--max-failures=34%", 2],
])("%s ends what runs, and no more is begun, after %i of the failures", async (home, option, failures) => {
  const bad = { command: "until [ -e begun ]; do sleep 0.01; done; exit 1", max_retries: 0 };
  const jobs = [LONG, ...Array.from({ length: failures }, () => bad), NEVER];
  const { told, exitCode } = await run(home, jobs, "--jobs", "2", option);
  const counts = `${failures + 2} jobs in N: 0 completed, ${failures} failed, 2 not ended.`;
  expect([told, exitCode]).toEqual([`Stopped after too many failures. ${counts}\n`, 5]);
  await leavesNothing(home);
  expect([home.read("ended"), home.read("never")]).toEqual(["ended\n", ""]);
});

test("run ends with 6 once its time has passed, with what runs ended", async (home) => {
  const { told, exitCode } = await run(home, [LONG, NEVER], "--jobs", "1", "--timeout", "1s");
  expect([told, exitCode]).toEqual(["Timed out. 2 jobs in N: 0 completed, 2 not ended.\n", 6]);
  await leavesNothing(home);
  expect(home.read("never")).toBe("");
});

test.each<["SIGINT" | "SIGTERM"]>([["SIGINT"], ["SIGTERM"]])(
  "%s ends what runs, the rest is not run, exit 130",
  async (home, signal) => {
    const running = start(home, [LONG, NEVER], "--jobs", "1");
    await home.has("begun");
    running.kill(signal);
    const { stdout, exitCode } = await running.end();
    expect(stdout).toStartWith("Interrupted. 2 jobs in ");
    expect(exitCode).toBe(130);
    await leavesNothing(home);
    expect([home.read("ended"), home.read("never")]).toEqual(["ended\n", ""]);
  },
);

test("a job whose worker is killed under it is run again by the next one", async (home) => {
  const jobs = [{ id: "hard", command: '[ "$QUEUECTL_ATTEMPT" = 2 ] || { kill -KILL $PPID; sleep 300; }' }];
  const { told, stderr, exitCode } = await run(home, [...jobs, { command: "true" }], "--jobs", "1");
  expect(stderr).toMatch(/^Warning: Worker 1 with PID \d+ died \(killed by SIGKILL\) → restart in 1s\n$/);
  expect([told, exitCode]).toEqual(["2 jobs in N: 2 completed (1 after a retry).\n", 0]);
});

test("killed itself, it leaves a named directory from which the rest can be run", async (home) => {
  const running = start(
    home,
    [{ command: "echo 1 >> ran; until [ -e go ]; do sleep 0.01; done" }, { command: "echo 2 >> ran" }],
    "--jobs",
    "1",
    "--data-dir",
    "kept",
  );
  await home.has("ran");
  running.kill("SIGKILL");
  home.write("go", "");
  await home.deserted();
  expect((await home.drain("--data-dir", "kept")).exitCode).toBe(0);
  expect(home.lines("ran")).toEqual(["1", "2"]);
  expect(await home.run("run", "jobs.jsonl", "--data-dir", "kept")).toEqual({
    stdout: "",
    stderr: `There are jobs in ${home.path}/kept already.\nrun takes a queue of its own: name another directory, or none.\n`,
    exitCode: 1,
  });
});

test("what the jobs of a run enqueue is part of it", async (home) => {
  const jobs = [{ id: "first", command: `queuectl enqueue '{"id":"second","command":"exit 4","max_retries":0}'` }];
  const { told, stderr, exitCode } = await run(home, jobs);
  expect(stderr).toBe("✗ second: exit 4\n");
  expect([told, exitCode]).toEqual(["2 jobs in N: 1 completed, 1 failed.\n", 5]);
});

test.each<[text: string, options: string[], code: number, sentence: string]>([
  ['{"command":"true"}\nnonsense\n', [], 2, 'Line 2: Invalid job data: not valid JSON: "nonsense".\n'],
  [
    '{"id":"a","command":"true"}\n\n{"id":"a","command":"x"}\n',
    [],
    4,
    'Line 3: The job ID "a" stands more than once in this request.\n',
  ],
  ["", ["--fail-fast", "--max-failures", "2"], 2, "--fail-fast is --max-failures 1: give one of them.\n"],
  ["", ["--max-failures", "101%"], 2, 'Expected --max-failures to be a number like 3 or 10%, got "101%".\n'],
  ["", ["--max-failures", "0"], 2, 'Expected --max-failures to be a number like 3 or 10%, got "0".\n'],
  ["", ["--jobs", "0"], 2, 'Expected --jobs to be a whole number from 1 to 1000, got "0".\n'],
])("of %j with %j nothing is run", async (home, text, options, code, sentence) => {
  home.write("jobs.jsonl", text.replaceAll('"true"', '"echo > ran"'));
  const { stdout, stderr, exitCode } = await home.run("run", "jobs.jsonl", ...options);
  expect([stdout, exitCode, home.read("ran")]).toEqual(["", code, ""]);
  expect(stderr).toStartWith(sentence);
});

test("an empty file is a batch without jobs", async (home) => {
  expect(await run(home, [])).toEqual({ told: "There are no jobs to wait for.\n", stderr: "", exitCode: 0 });
  expect((await home.run("run", "nope.jsonl")).exitCode).toBe(2);
});

test("on a terminal run shows how far it has come", async (home) => {
  home.write("jobs.jsonl", '{"command":"sleep 0.2"}\n{"command":"true"}\n');
  const shown = await home.watchOnTerminal("run", "jobs.jsonl");
  expect(shown).toContain(`\r\x1b[K[${" ".repeat(30)}] 0 of 2 ended, `);
  expect(shown).toMatch(/\r\x1b\[K2 jobs in [\d.]+s: 2 completed\.\n$/);
});
