import { describe, expect, test as testOnce } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "../support/both-stores.ts";
import { Home } from "../support/home.ts";

type Mistake = readonly [args: readonly string[], exitCode: number, sentence: string];

const JOBS: readonly Mistake[] = [
  [["enqueue", "{oops"], 2, 'Invalid job data: not valid JSON: "{oops".'],
  [["enqueue", ""], 2, 'Invalid job data: not valid JSON: "".'],
  [["enqueue", "null"], 2, 'Invalid job data: expected an object like {"command":"echo hi"}, got null.'],
  [["enqueue", "[]"], 2, 'Invalid job data: expected an object like {"command":"echo hi"}, got [].'],
  [["enqueue", '{"id":"p1"}'], 2, 'Invalid job data: "command" is missing.'],
  [["enqueue", '{"command":" "}'], 2, 'Invalid job data: "command" must not be empty, got " ".'],
  [["enqueue", '{"command":7}'], 2, 'Invalid job data: "command" must be a string, got 7.'],
  [["enqueue", '{"command":null}'], 2, 'Invalid job data: "command" must be a string, got null.'],
  [["enqueue", '{"command":"true","retries":1}'], 2, 'Invalid job data: unknown field "retries".'],
  [["enqueue", '{"id":7,"command":"true"}'], 2, 'Invalid job data: "id" must be a string, got 7.'],
  [["enqueue", '{"id":"","command":"true"}'], 2, 'Invalid job data: "id" must be 1 to 255 bytes long, got 0: "".'],
  [["enqueue", `{"id":"${"x".repeat(300)}","command":"true"}`], 2, '"id" must be 1 to 255 bytes long, got 300: "xxx'],
  [["enqueue", `{"id":"${"ü".repeat(128)}","command":"true"}`], 2, '"id" must be 1 to 255 bytes long, got 256: "üüü'],
  [["enqueue", '{"id":"a\\nb","command":"true"}'], 2, '"id" must not contain control characters, got "a\\nb".'],
  [["enqueue", '{"command":"true","run_at":"tomorrow"}'], 2, '"run_at" must be epoch milliseconds or an ISO 8601 time'],
  [["enqueue", '{"command":"true","run_at":"tomorrow"}'], 2, ', got "tomorrow".'],
  [["enqueue", '{"command":"true","run_at":-1}'], 2, ", got -1."],
  [["enqueue", '{"command":"true","max_retries":"abc"}'], 2, '"max_retries" must be a whole number from 0 to'],
  [["enqueue", '{"command":"true","max_retries":-1}'], 2, "got -1."],
  [["enqueue", '{"command":"true","max_retries":1.5}'], 2, "got 1.5."],
  [
    ["enqueue", '{"command":"true","priority":1001}'],
    2,
    '"priority" must be a whole number from -1000 to 1000, got 1001.',
  ],
];

const WORDS: readonly Mistake[] = [
  [["enqueue"], 2, "Missing <json>."],
  [["enqueue", "{}", "{}"], 2, 'Unexpected argument "{}".'],
  [["enqueue", "{}", "--file", "x"], 2, "Give the jobs as an argument or by --file, not both."],
  [["enqueue", "-", "--file", "-"], 2, "Give the jobs as an argument or by --file, not both."],
  [["enqueue", "--file"], 2, "Expected a value after --file: --file <path>."],
  [["enqueue", "--atomic"], 2, "Missing <json>."],
  [["enqueue", '{"command":"true"}', "--atomic"], 2, "--atomic is for many jobs: give them by --file or -."],
  [["enqueue", "--file", "nowhere/jobs.jsonl"], 2, "Cannot read nowhere/jobs.jsonl: no such file (ENOENT)."],
  [["enqueue", "--file", "."], 2, "Cannot read .: it is a directory (EISDIR)."],
  [["enqeue", "{}"], 2, 'Unknown command "enqeue".\nDid you mean "enqueue"?'],
  [["dlq", "lst"], 2, 'Unknown command "dlq lst".\nDid you mean "dlq-list"?'],
  [["frobnicate"], 2, 'Unknown command "frobnicate".\nAll commands: queuectl --help'],
  [["__workers"], 2, 'Unknown command "__workers".'],
  [["list", "--stat", "pending"], 2, 'Unknown option "--stat".\nDid you mean "--state"?'],
  [["list", "--state"], 2, "Expected a value after --state: --state <state>."],
  [
    ["list", "--state", "pendin"],
    2,
    'Expected --state to be one of pending, processing, completed, failed, got "pendin".',
  ],
  [["worker-start", "--count", "abc"], 2, 'Expected --count to be a whole number from 1 to 1000, got "abc".'],
  [["worker-start", "--count", "0"], 2, 'got "0".'],
  [["worker-start", "--count", "-1"], 2, 'got "-1".'],
  [["worker-start", "--count", "1e2"], 2, 'got "1e2".'],
  [["dlq-retry", "nope"], 3, "❌ Job nope not found in DLQ."],
  [["show", "nope"], 3, "❌ Job nope not found."],
  [["logs", "nope"], 3, "❌ Job nope not found."],
  [["logs", "nope", "--attempt", "0"], 2, "Expected --attempt to be a whole number from 1 to"],
];

const DURATION = "to be a duration like 90s or 2h30m, from";
const CODES = "to be exit codes from 1 to 255, signal or timeout, with commas between, got";
const TIME = "Expected --at to be an ISO 8601 time like 2026-01-31T09:00:00Z, got";

/** Each before `-- make`. */
const OPTIONS: readonly Mistake[] = (
  [
    [["--id", "x".repeat(300)], '--id must be 1 to 255 bytes long, got 300: "xxx'],
    [["--id", "a\nb"], '--id must not contain control characters, got "a\\nb".'],
    [["--id="], "Expected a value after --id: --id <id>."],
    [["--delay", "soon"], `Expected --delay ${DURATION} 0s to 3650d, got "soon".`],
    [["--delay", "5"], 'got "5".'],
    [["--delay", "-5s"], 'got "-5s".'],
    [["--at", "tomorrow"], `${TIME} "tomorrow".`],
    [["--at", "1763197724876"], `${TIME} "1763197724876".`],
    [["--at", "2026-02-30T00:00:00Z"], `${TIME} "2026-02-30T00:00:00Z".`],
    [["--at", "2026-01-31", "--delay", "5m"], "--delay and --at say the same; give one of them."],
    [["--priority", "high"], 'Expected --priority to be a whole number from -1000 to 1000, got "high".'],
    [["--priority", "-1001"], 'got "-1001".'],
    [["--max-retries", "-1"], 'Expected --max-retries to be a whole number from 0 to 1000000, got "-1".'],
    [["--timeout", "0s"], `Expected --timeout ${DURATION} 1ms to 24d, got "0s".`],
    [["--timeout", "25d"], 'got "25d".'],
    [["--timeout"], "Expected a value after --timeout: --timeout <duration>."],
    [["--expires-in", "0ms"], `Expected --expires-in ${DURATION} 1ms to 3650d, got "0ms".`],
    [["--cwd="], "Expected a value after --cwd: --cwd <dir>."],
    [["--env", "A B=c"], '--env has a name that no variable can have: "A B".\nWrite --env NAME=value, or'],
    [["--env", "=c"], '--env has a name that no variable can have: "".'],
    [["--env", "QUEUECTL_LEASE=7"], "--env must not set QUEUECTL_LEASE: names that begin with QUEUECTL_ are"],
    [["--env", "NOPE"], "--env NOPE copies a variable that is not set here.\nSet it, or write --env NOPE=value."],
    [["--env", "constructor"], "--env constructor copies a variable that is not set here."],
    [["--env", "HOME", "--env", "NOPE"], "--env NOPE copies a variable that is not set here."],
    [["--queue", "a b"], '"a b" cannot be the name of a queue.'],
    [["--after", ""], "Expected a value after --after: --after <id>."],
    [["--after", "a\nb"], '--after must not contain control characters, got "a\\nb".'],
    [["--retry-on", "TERM"], `Expected --retry-on ${CODES} "TERM".`],
    [["--retry-on", "75,"], `Expected --retry-on ${CODES} "75,".`],
    [["--no-retry-on", "64,256"], `Expected --no-retry-on ${CODES} "64,256".`],
    [["--no-retry-on", "0"], 'got "0".'],
    [["--tiemout", "5m"], 'Unknown option "--tiemout".\nDid you mean "--timeout"?'],
    [["--atomic"], "--atomic is for many jobs: give them by --file or -."],
  ] as const
).map(([options, sentence]) => [["enqueue", ...options, "--", "make"], 2, sentence]);

const ONE_WAY = "Give a job in one way: as JSON, by --file, by -c, or after --.\nAs in: queuectl enqueue -- make test";
const NO_JSON = 'Invalid job data: expected an object like {"command":"echo hi"}, got';

const WAYS: readonly Mistake[] = [
  [["enqueue", "make", "test"], 2, `${NO_JSON} "make".\nTo run that as a command: queuectl enqueue -- make test\n`],
  [["enqueue", "make"], 2, `${NO_JSON} "make".\nTo run that as a command: queuectl enqueue -- make\n`],
  [["enqueue", "make test"], 2, "To run that as a command: queuectl enqueue -c 'make test'\n"],
  [["enqueue", "make", "a b", "it's"], 2, "queuectl enqueue -- make 'a b' 'it'\\''s'\n"],
  [["enqueue", "true"], 2, `${NO_JSON} "true".\nTo run that as a command: queuectl enqueue -- true\n`],
  [
    ["enqueue", "make", "-j4"],
    2,
    'Unknown option "-j4".\nSee queuectl enqueue --help; a command of your own goes after --.',
  ],
  [["enqueue", "-", "x"], 2, 'Unexpected argument "x".'],
  [
    ["enqueue", "--"],
    2,
    "Expected a command after --, got nothing.\nA program and its arguments, as in: -- make test\n",
  ],
  [["enqueue", "--", ""], 2, 'Expected a command after --, got "".'],
  [["enqueue", "--", '{"command":"x"}'], 2, "A job in JSON goes without the --.\n"],
  [["enqueue", "-c"], 2, "Expected a value after -c: -c <line>."],
  [["enqueue", "-c", ""], 2, "Expected a value after -c: -c <line>."],
  [["enqueue", "-c", " "], 2, 'Invalid job data: "command" must not be empty, got " ".'],
  [["enqueue", "-c", "make", "test"], 2, ONE_WAY],
  [["enqueue", "-c", "make", "--", "test"], 2, ONE_WAY],
  [["enqueue", "{}", "-c", "make"], 2, ONE_WAY],
  [["enqueue", "{}", "--", "make"], 2, ONE_WAY],
  [["enqueue", "-", "--", "make"], 2, ONE_WAY],
  [["enqueue", "--file", "x", "--", "make"], 2, ONE_WAY],
  [["enqueue", "--file", "x", "--id", "y"], 2, '--id is for one job: of many, each has its own "id".'],
  [["enqueue", "-", "--id", "y"], 2, '--id is for one job: of many, each has its own "id".'],
  [["enqueue", "-", "--timeout", "5"], 2, 'got "5".'],
  [["enqueue", '{"command":"true"}', "--priority", "high"], 2, "Expected --priority to be a whole number"],
];

const SETTINGS: readonly Mistake[] = [
  [["config-get", "max_retry"], 3, 'Unknown config key "max_retry".\nDid you mean "max_retries"?'],
  [["config-set", "constructor", "1"], 3, 'Unknown config key "constructor".\nKnown: max_retries, backoff_base'],
  [["config-set", "max_retries"], 2, "Missing <value>."],
  [["config-set", "max_retries", "abc"], 2, 'max_retries must be a whole number from 0 to 1000000, got "abc".'],
  [["config-set", "max_retries", "-1"], 2, 'got "-1".'],
  [["config-set", "max_retries", ""], 2, 'got "".'],
  [["config-set", "max_retries", "1.5"], 2, 'got "1.5".'],
  [["config-set", "backoff_base", "abc"], 2, 'backoff_base must be a number from 0 to 1000, got "abc".'],
  [["config-set", "backoff_base", "1e306"], 2, 'got "1e306".'],
  [["config-set", "backoff_base", "NaN"], 2, 'got "NaN".'],
  [
    ["config-set", "worker_idle_delay", "0"],
    2,
    'worker_idle_delay must be a whole number from 10 to 3600000, got "0".',
  ],
  [["config-set", "worker_idle_delay", "Infinity"], 2, 'got "Infinity".'],
];

describe.each([
  ["a job", JOBS],
  ["a command line", WORDS],
  ["an option of a job", OPTIONS],
  ["the way in which a job is given", WAYS],
  ["a setting", SETTINGS],
])("a mistake in %s gets a sentence and its exit code, and nothing is written", (_, mistakes) => {
  testOnce.concurrent.each([...mistakes])("%j", async (args, exitCode, sentence) => {
    await using home = new Home();
    await expectMistake(home, [args, exitCode, sentence]);
    expect(existsSync(join(home.path, "db"))).toBe(false);
    expect(await home.jobs()).toEqual([]);
  });
});

testOnce(
  "the same mistakes get the same sentences where the queue is in a database, and write nothing there",
  async () => {
    await using home = await Home.on("PostgreSQL");
    for (const mistake of [...JOBS, ...WORDS, ...OPTIONS, ...WAYS, ...SETTINGS]) await expectMistake(home, mistake);
    expect(existsSync(join(home.path, "db"))).toBe(false);
    expect(await home.jobs()).toEqual([]);
  },
);

async function expectMistake(home: Home, [args, exitCode, sentence]: Mistake): Promise<void> {
  const ended = await home.run(...args);
  expect(ended).toEqual({ stdout: "", stderr: expect.stringContaining(sentence), exitCode });
  expect(ended.stderr.endsWith("\n")).toBe(true);
}

test("a setting in the environment that is out of range is refused by its name", async (home) => {
  expect(await home.runIn({ env: { QUEUECTL_MAX_RETRIES: "many" } }, "config-get")).toEqual({
    stdout: "",
    stderr: 'QUEUECTL_MAX_RETRIES must be a whole number from 0 to 1000000, got "many".\n',
    exitCode: 2,
  });
});

testOnce("a data directory that others may write, or that is none, is refused", async () => {
  await using home = new Home();
  await home.shell("mkdir -p db open; chmod 777 open; echo text > file");
  expect(await home.run("list", "--data-dir", "file")).toMatchObject({ stdout: "", exitCode: 7 });
  const ended = await home.run("enqueue", '{"command":"true"}', "--data-dir", "open");
  expect(ended).toMatchObject({
    stdout: "",
    stderr: expect.stringContaining(`chmod -R go-w ${home.path}/open\n`),
    exitCode: 7,
  });
  expect((await home.shell("ls open")).stdout).toBe("");
});
