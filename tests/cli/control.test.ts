/** What people do to jobs by hand: cancel, retry, edit, remove, and the same of dead letters. */
import { expect, test as testOnce } from "bun:test";
import { test } from "../support/both-stores.ts";
import { Home, printed } from "../support/home.ts";

const A_DAY = "1d";
const refused = (stderr: string, exitCode: number) => ({ stdout: "", stderr, exitCode });

async function states(home: Home): Promise<Record<string, string>> {
  return Object.fromEntries((await home.jobs()).map(({ id, state }) => [id, state]));
}

/** A queue with a job in every state, and a dead letter. */
async function inEveryState(home: Home): Promise<void> {
  const all = ["pending", "processing", "completed", "failed", "dead"] as const;
  const fields = { command: "true", worker_id: "worker-1", last_error: "exit 1" };
  await home.seed(all.map((state) => ({ id: state, state, ...fields })));
}

test("cancel ends a job that waits: it is failed, counted so, and not run", async (home) => {
  await home.enqueue({ id: "p1", command: "touch ran" }, { id: "p2", command: "true", delay: A_DAY });
  expect(await home.run("cancel", "p1", "p2")).toEqual(printed("Job p1 canceled.\nJob p2 canceled.\n"));
  expect(await home.entry("p1")).toMatchObject({ state: "failed", attempts: 0, last_error: "canceled" });
  expect(await home.obey("status")).toContain("pending: 0, processing: 0, completed: 0, failed: 2 }");
  expect((await home.drain()).exitCode).toBe(0);
  expect(home.read("ran")).toBe("");
  expect(await home.run("cancel", "p1")).toEqual(printed("Job p1 canceled.\n"));
});

test("a job that waits for its next attempt is canceled, too", async (home) => {
  await home.enqueue({ id: "flaky", command: "exit 1" });
  const workers = home.start("worker-start");
  await workers.says("flaky failed attempt 1");
  await home.obey("cancel", "flaky");
  expect(await home.entry("flaky")).toMatchObject({ state: "failed", attempts: 1, last_error: "canceled" });
});

test("a job whose worker is long gone is canceled, with nobody there to take it back", async (home) => {
  await inEveryState(home);
  expect(await home.run("cancel", "processing")).toEqual(printed("Job processing canceled.\n"));
  expect(await home.entry("processing")).toMatchObject({ state: "failed", last_error: "canceled" });
});

test("retry runs a completed and a canceled job again, with no attempts", async (home) => {
  await home.enqueue({ id: "done", command: "echo run >> runs" }, { id: "later", command: "true", delay: A_DAY });
  await home.obey("cancel", "later");
  await home.drain();
  expect(await home.run("retry", "done", "later")).toEqual(
    printed("🔁 Job done moved back to queue.\n🔁 Job later moved back to queue.\n"),
  );
  expect(await home.jobs()).toMatchObject([
    { id: "done", state: "pending", attempts: 0 },
    { id: "later", state: "pending", attempts: 0, last_error: "canceled" },
  ]);
  await home.drain();
  expect(await states(home)).toEqual({ done: "completed", later: "completed" });
  expect(home.lines("runs")).toHaveLength(2);
});

test("remove takes jobs and dead letters away, with what they printed", async (home) => {
  await home.enqueue(
    { id: "done", command: "echo hi" },
    { id: "bad", command: "echo no; exit 1", max_retries: 0 },
    { id: "kept", command: "echo kept" },
  );
  await home.drain();
  expect(await home.run("remove", "done", "bad", "--yes")).toEqual(printed("Job done removed.\nJob bad removed.\n"));
  expect(await states(home)).toEqual({ kept: "completed" });
  expect(await home.deadLetters()).toEqual([]);
  expect((await home.run("show", "done")).exitCode).toBe(3);
  const { stdout } = await home.shell("ls -R db");
  expect(stdout).not.toMatch(/done-|bad-/);
  expect(stdout).toMatch(/kept-/);
  await home.enqueue({ id: "done", command: "true" });
  expect(await home.run("logs", "done")).toMatchObject({ stdout: "", exitCode: 0 });
  expect((await home.run("doctor")).exitCode).toBe(0);
});

test("edit changes a job that waits, in its place, by options or as JSON", async (home) => {
  await home.enqueue(
    { id: "a", command: "false", timeout: "1m", env: { A: "1" } },
    { id: "b", command: "echo b >> ran", max_retries: 0 },
  );
  const options = ["--command", "echo a >> ran", "--priority", "-5", "--max-retries", "7", "--timeout", "none"];
  expect(await home.run("edit", "a", ...options)).toEqual(printed("Job a changed.\n"));
  const edited = { command: "echo a >> ran", priority: -5, max_retries: 7, env: { A: "1" } };
  expect(await home.entry("a")).toMatchObject({ state: "pending", ...edited });
  expect(await home.entry("a")).not.toHaveProperty("timeout");
  const json = '{"env":null,"cwd":"/tmp","run_at":"2020-01-01T00:00:00Z","retry_on":[75]}';
  expect(JSON.parse(await home.obey("edit", "b", json, "--json"))).toEqual({
    jobs: [expect.objectContaining({ id: "b", cwd: "/tmp", retry_on: [75], run_at: Date.UTC(2020, 0) })],
    dry_run: false,
  });
  await home.obey("edit", "b", '{"cwd":null}');
  await home.obey("edit", "b", "--at", "2021-01-01", "--expires-in", "1h");
  expect(await home.entry("b")).toMatchObject({ run_at: Date.UTC(2021, 0), expires_at: expect.any(Number) });
  await home.drain();
  expect(home.lines("ran")).toEqual(["b", "a"]);
});

test("an edited dead letter stays in the DLQ until it is put back", async (home) => {
  await home.enqueue(
    { id: "bad", command: "exit 3", max_retries: 0 },
    { id: "bad2", command: "exit 3", max_retries: 0 },
  );
  await home.drain();
  await home.obey("edit", "bad", "--command", "touch mended");
  expect(await home.deadLetters()).toMatchObject([
    { id: "bad", command: "touch mended", error: "exit 3" },
    { id: "bad2", command: "exit 3" },
  ]);
  expect(await home.run("edit", "bad", "--delay", "1m")).toEqual(
    refused(
      "Job bad is in the DLQ: there it has no time to run at.\nTo have it run again: queuectl dlq-retry bad\n",
      1,
    ),
  );
  await home.obey("dlq-retry", "bad");
  expect((await home.drain()).exitCode).toBe(0);
  expect(await home.entry("bad")).toMatchObject({ state: "completed" });
});

test.each([
  [["cancel", "completed"], "Job completed is completed: only what waits or runs can be canceled.\n", 1],
  [["cancel", "failed"], "Job failed is failed: only what waits or runs can be canceled.\n", 1],
  [
    ["cancel", "dead"],
    "Job dead is in the DLQ: nothing of it runs or waits.\nTo remove it: queuectl dlq-remove dead\n",
    1,
  ],
  [["retry", "pending"], "Job pending is pending: only a completed or failed job can be run again.\n", 1],
  [["retry", "dead"], "Job dead is in the DLQ: a dead letter has a way back of its own.\nqueuectl dlq-retry dead\n", 1],
  [
    ["remove", "processing", "--yes"],
    "Job processing is processing: it cannot be removed.\nTo end it first: queuectl cancel processing\n",
    1,
  ],
  [
    ["edit", "completed", "--priority", "1"],
    "Job completed is completed: only a pending job or a dead letter can be changed.\n",
    1,
  ],
  [["dlq-retry", "pending"], "❌ Job pending not found in DLQ.\n", 3],
  [["dlq-remove", "nope", "--yes"], "❌ Job nope not found in DLQ.\n", 3],
  [["cancel", "nope"], "❌ Job nope not found.\n", 3],
  [["edit", "nope", "--priority", "1"], "❌ Job nope not found.\n", 3],
  [["remove", "failed"], "Nobody can be asked here.\nTo do it without being asked: --yes\n", 2],
  [["retry", "last"], "Nobody can be asked here.\nTo do it without being asked: --yes\n", 2],
  [["cancel", "pen"], "Nobody can be asked here.\nTo do it without being asked: --yes\n", 2],
  [["dlq-retry", "--all"], "Nobody can be asked here.\nTo do it without being asked: --yes\n", 2],
  [["remove", "--state", "failed"], "Nobody can be asked here.\nTo do it without being asked: --yes\n", 2],
  [["cancel"], "Missing <id>.\nWhich jobs are meant? See --help.\n", 2],
  [["cancel", "p", "--yes"], '"p" begins more than one id: pending, processing.\n', 2],
  [["cancel", "", "--yes"], "❌ Job  not found.\n", 3],
  [
    ["cancel", "pending", "--match", "*"],
    'Name them by their ids or say which by options, not both: got "pending".\n',
    2,
  ],
  [["retry", "--state", "pending", "--yes"], 'Expected --state to be one of completed, failed, got "pending".\n', 2],
  [["edit", "pending"], "Say what is to be changed, either by options or as JSON.\n", 2],
  [["edit", "pending", "{}", "--priority", "1"], "Say what is to be changed, either by options or as JSON.\n", 2],
  [["edit", "pending", "{}"], "Invalid job data: nothing of it is to be changed.\n", 2],
  [["edit", "pending", "[]"], 'Invalid job data: expected an object like {"priority":5}, got [].\n', 2],
  [["edit", "pending", '{"id":"x"}'], 'Invalid job data: "id" is what it is known by, and cannot be changed.\n', 2],
  [["edit", "pending", '{"command":null}'], 'Invalid job data: "command" cannot be taken away.\n', 2],
  [
    ["edit", "pending", "--priority", "x"],
    'Invalid job data: "priority" must be a whole number from -1000 to 1000, got "x".\n',
    2,
  ],
] as [string[], string, number][])("%j says why not, and changes nothing", async (home, line, stderr, exitCode) => {
  await inEveryState(home);
  const before = [await home.jobs(), await home.deadLetters()];
  expect(await home.run(...line)).toEqual(refused(stderr, exitCode));
  // Nothing of what is named beside it is changed, either.
  if (exitCode !== 2) expect((await home.run(...line, "failed")).exitCode).toBe(line[0] === "edit" ? 2 : exitCode);
  expect([await home.jobs(), await home.deadLetters()]).toEqual(before);
});

test("a state that does not allow it has a code of its own for programs", async (home) => {
  await home.seed([{ id: "done", command: "true", state: "completed", worker_id: "w" }]);
  expect(JSON.parse((await home.run("cancel", "done", "--json")).stderr)).toMatchObject({
    error: { code: "E_JOB_STATE", hint: null },
  });
});

test("selectors mean what they say: a prefix, the last one, a state, a pattern, all", async (home) => {
  const names = ["night-1", "night-2", "n[1]", "day", "*"];
  await home.enqueue(...names.map((id) => ({ id, command: "true", delay: A_DAY })));
  const canceled = async (...args: string[]): Promise<string[]> => {
    const said = await home.obey("cancel", "--dry-run", ...args);
    return Array.from(said.matchAll(/^Would cancel job (.*)\.$/gm), ([, id]) => id ?? "");
  };
  expect(await canceled("da")).toEqual(["day"]);
  expect(await canceled("last")).toEqual(["*"]);
  expect(await canceled("*")).toEqual(["*"]);
  expect(await canceled("night-1", "day", "night-1")).toEqual(["night-1", "day"]);
  expect(await canceled("--match", "night-*")).toEqual(["night-1", "night-2"]);
  expect(await canceled("--match", "n[1]")).toEqual(["n[1]"]);
  expect(await canceled("--match", "tru?")).toEqual(names);
  expect(await canceled("--match", "\\*")).toEqual(["*"]);
  expect(await canceled("--state", "pending")).toEqual(names);
  expect(await canceled("--state", "pending", "--match", "?ay")).toEqual(["day"]);
  expect(await home.run("cancel", "--state", "processing")).toEqual({
    stdout: "",
    stderr: "There is nothing to do.\n",
    exitCode: 0,
  });
  expect(await states(home)).toEqual(Object.fromEntries(names.map((id) => [id, "pending"])));
  await home.obey("cancel", "--match", "n*", "--yes");
  expect(await states(home)).toMatchObject({ "night-1": "failed", "n[1]": "failed", day: "pending", "*": "pending" });
  // A job of that very name is the one that is meant.
  await home.enqueue({ id: "last", command: "true" }, { id: "later", command: "true" });
  expect(await canceled("last")).toEqual(["last"]);
});

test("dlq-retry and dlq-remove take all, or those that match", async (home) => {
  await home.seed(["a1", "a2", "b1", "b2"].map((id) => ({ id, command: "true", state: "dead", worker_id: "w" })));
  expect(await home.run("dlq-retry", "--match", "a*", "--dry-run")).toEqual(
    printed("Would move job a1 back to queue.\nWould move job a2 back to queue.\n"),
  );
  expect(await home.deadLetters()).toHaveLength(4);
  await home.obey("dlq-retry", "--match", "a*", "--yes");
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["a1", "a2"]);
  expect(await home.run("dlq-remove", "b1", "-y")).toEqual(printed("Job b1 removed.\n"));
  expect(await home.run("dlq-remove", "--all", "--yes")).toEqual(printed("Job b2 removed.\n"));
  expect(await home.deadLetters()).toEqual([]);
  expect((await home.run("dlq-retry", "--all")).stderr).toBe("There is nothing to do.\n");
});

test("more jobs than are changed at a time are all changed", async (home) => {
  home.write("jobs.jsonl", Array.from({ length: 2500 }, (_, n) => `{"id":"p${n}","command":"true"}\n`).join(""));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  expect((await home.obey("cancel", "--match", "p*", "--yes")).split("\n")).toHaveLength(2501);
  await home.obey("remove", "--state", "failed", "--yes");
  expect(await home.jobs()).toEqual([]);
});

testOnce.concurrent.each([
  ["y\n", 0, {}],
  ["\n", 1, { a: "pending", b: "pending" }],
] as const)("on a terminal it is asked: %j", async (answer, code, left) => {
  await using home = new Home();
  await home.enqueue({ id: "a", command: "true" }, { id: "b", command: "true" });
  await using terminal = home.startOnTerminal({ columns: 100, rows: 30 }, "remove", "--state", "pending");
  await terminal.shows("Remove 2 jobs (a, b)? [y/N]");
  terminal.type(answer);
  expect(await terminal.end()).toBe(code);
  if (code === 1) expect(terminal.sent).toContain("Nothing was changed.");
  expect(await states(home)).toEqual({ ...left });
});
