import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import type { Ended } from "../support/running-program.ts";

const NUMBER = expect.any(Number);

/** The one document that the command printed. */
function documentOf({ stdout, stderr, exitCode }: Ended): unknown {
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  expect(stdout.endsWith("\n")).toBe(true);
  return JSON.parse(stdout);
}

test("every command about jobs prints one document with --json", async (home) => {
  const run = async (...args: string[]) => documentOf(await home.run(...args, "--json"));
  const times = { run_at: NUMBER, created_at: NUMBER, updated_at: NUMBER };
  const p1 = { id: "p1", command: "echo hi", state: "pending", attempts: 0, max_retries: 3, ...times };
  expect(await run("enqueue", '{"id":"p1","command":"echo hi"}')).toEqual({ job: p1 });
  expect(await run("enqueue", '{"id":"p1","command":"echo hi"}', "--skip-existing")).toEqual({
    job: null,
    existing: "p1",
  });
  expect(await run("list")).toEqual([p1]);
  expect(await run("show", "p1")).toEqual({ job: p1, logs: [] });
  expect(await run("logs", "p1").catch(() => "note")).toBe("note");
  await home.enqueue({ id: "bad", command: "exit 3", max_retries: 0 });
  await home.drain();
  const bad = { id: "bad", attempts: 1, error: "exit 3", failed_at: NUMBER };
  expect(await run("dlq-list")).toMatchObject([bad]);
  expect(await run("show", "bad")).toMatchObject({ dead_letter: bad, logs: [] });
  const path = expect.stringMatching(new RegExp(`^${home.data}/.*logs/`));
  expect(await run("logs", "p1")).toEqual({ id: "p1", attempt: 1, path, output: "hi\n" });
  expect(await run("dlq-retry", "bad")).toMatchObject({ jobs: [{ id: "bad", state: "pending", attempts: 0 }] });
  expect(await run("status")).toEqual({
    active_workers: 0,
    pending: 1,
    processing: 0,
    completed: 1,
    archived: 0,
    failed: 0,
    dead: 0,
    workers: [],
  });
});

test("many jobs are one document with --json, from a file and from standard input", async (home) => {
  home.write("jobs.jsonl", '{"id":"a","command":"true"}\n{"id":"b","command":"true"}\n');
  const fromFile = await home.run("enqueue", "--file", "jobs.jsonl", "--json");
  expect(documentOf(fromFile)).toEqual({ enqueued: 2, skipped: 0 });
  const fromPipe = await home.shell("(cat jobs.jsonl; cat jobs.jsonl) | queuectl enqueue - --skip-existing --json");
  expect(documentOf(fromPipe)).toEqual({ enqueued: 0, skipped: 4 });
});

test("the array of list and dlq-list is the same with and without --json", async (home) => {
  await home.seed([
    { id: "p1", command: "true" },
    { id: "bad", command: "false", max_retries: 0 },
  ]);
  await home.drain();
  for (const command of ["list", "dlq-list"]) {
    expect(await home.obey(command, "--json")).toBe(await home.obey(command));
  }
});

test("settings and the version are documents with --json", async (home) => {
  expect(documentOf(await home.run("config-set", "backoff_base", "1.5", "--json"))).toEqual({ backoff_base: 1.5 });
  expect(documentOf(await home.run("--json", "config-get", "backoff-base"))).toEqual({ backoff_base: 1.5 });
  expect(documentOf(await home.run("config-get", "--json"))).toMatchObject({ max_retries: 3, backoff_base: 1.5 });
  expect(documentOf(await home.run("--version", "--json"))).toMatchObject({ version: expect.any(String) });
});

test("workers log one event a line with --json, those in the background too", async (home) => {
  await home.enqueue({ id: "p1", command: "true" });
  const { stdout, stderr } = await home.drain("--json");
  expect(stderr).toBe("");
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string });
  expect(events.map(({ event }) => event)).toEqual(["starting", "worker-started", "claimed", "completed"]);
  expect(events[2]).toMatchObject({ worker_id: expect.stringMatching(/^worker-\d+$/), job: { id: "p1" } });

  const detached = documentOf(await home.run("worker-start", "--detach", "--json")) as { log: string };
  const worker = { kind: "worker", pid: NUMBER, reachable: true, started_at: NUMBER, stopping: false };
  expect(detached).toMatchObject({ supervisor: { kind: "supervisor" }, workers: [worker] });
  expect(documentOf(await home.run("status", "--json"))).toMatchObject({ active_workers: 1, workers: [worker] });
  expect(documentOf(await home.run("worker-stop", "--json"))).toMatchObject({ stopped: [{}, {}], unreachable: [] });
  const log = home.lines(detached.log.slice(home.path.length)).map((line) => JSON.parse(line) as { event: string });
  expect(log.map(({ event }) => event)).toEqual(["starting", "worker-started", "stopping"]);
});

test("QUEUECTL_OUTPUT=json is as --json for everything, mistakes on the command line and workers too", async (home) => {
  const run = async (form: string, ...args: string[]) => home.runIn({ env: { QUEUECTL_OUTPUT: form } }, ...args);
  await home.enqueue({ id: "p1", command: "printenv QUEUECTL_OUTPUT || echo none" });
  for (const args of [["status"], ["show", "p1"], ["config-get"], ["lst"], ["list", "--nope"], ["show", "nope"]]) {
    expect(await run("json", ...args)).toEqual(await home.run(...args, "--json"));
    for (const form of ["text", ""]) expect(await run(form, ...args)).toEqual(await home.run(...args));
    expect(await run("text", ...args, "--json")).toEqual(await home.run(...args, "--json"));
  }
  const { stdout } = await run("json", "worker-start", "--drain");
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event),
  ).toEqual(["starting", "worker-started", "claimed", "completed"]);
  expect(await home.obey("logs", "p1")).toBe("none\n");
});

test("QUEUECTL_OUTPUT that names no form is refused, and nothing is done", async (home) => {
  const env = { QUEUECTL_OUTPUT: "xml" };
  const message = 'QUEUECTL_OUTPUT must be text or json, got "xml".';
  expect(await home.runIn({ env }, "enqueue", '{"command":"true"}')).toEqual({
    stdout: "",
    stderr: `${message}\n`,
    exitCode: 2,
  });
  expect(await home.runIn({ env }, "status", "--json")).toEqual({
    stdout: "",
    stderr: `${JSON.stringify({ error: { code: "E_USAGE", message, hint: null } })}\n`,
    exitCode: 2,
  });
  expect(await home.jobs()).toEqual([]);
});

const FAILURES: readonly (readonly [args: readonly string[], exitCode: number, code: string, hasHint: boolean])[] = [
  [["enqueue", "{"], 2, "E_USAGE", false],
  [["lst"], 2, "E_USAGE", true],
  [["list", "--nope"], 2, "E_USAGE", true],
  [["show", "nope"], 3, "E_JOB_NOT_FOUND", false],
  [["dlq-retry", "nope"], 3, "E_JOB_NOT_FOUND", false],
  [["config-get", "nope"], 3, "E_KEY_NOT_FOUND", true],
  [["enqueue", '{"id":"p1","command":"true"}'], 4, "E_JOB_EXISTS", true],
  [["enqueue", "--file", "taken.jsonl"], 4, "E_JOB_EXISTS", true],
  [["enqueue", "--file", "bad.jsonl"], 2, "E_USAGE", true],
  [["list", "--data-dir", "broken"], 7, "E_STORE_CORRUPT", true],
  [["list", "--data-dir", "later"], 7, "E_STORE_VERSION", true],
  [["list", "--data-dir", "file"], 7, "E_STORE_IO", false],
];

test.each(FAILURES)(
  "the error of %j is a document on stderr, its exit code %i",
  async (home, args, exitCode, code, hasHint) => {
    await home.seed([{ id: "p1", command: "true" }]);
    home.write("taken.jsonl", '{"id":"p1","command":"true"}');
    home.write("bad.jsonl", "{");
    home.write("broken/queue.json", "{");
    home.write("later/queue.json", '{"version":99}');
    home.write("file", "");
    const ended = await home.run(...args, "--json");
    expect({ stdout: ended.stdout, exitCode: ended.exitCode }).toEqual({ stdout: "", exitCode });
    const document: unknown = JSON.parse(ended.stderr);
    expect(document).toEqual({
      error: { code, message: expect.stringMatching(/.+\.$/), hint: hasHint ? expect.any(String) : null },
    });
  },
);
