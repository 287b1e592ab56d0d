import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { type Home, printed } from "../support/home.ts";

test("list prints the documented JSON array into a pipe", async (home) => {
  await home.enqueue({ id: "p1", command: "echo hi", run_at: 4_102_444_800_000 });
  const [job] = await home.jobs();
  expect(await home.run("list", "--state", "pending")).toEqual(
    printed(`[
  {
    "id": "p1",
    "command": "echo hi",
    "state": "pending",
    "run_at": 4102444800000,
    "attempts": 0,
    "max_retries": 3,
    "created_at": ${job?.created_at},
    "updated_at": ${job?.created_at}
  }
]
`),
  );
});

test("list without a queue, or without such a job, is an empty array", async (home) => {
  expect(await home.run("list")).toEqual(printed("[]\n"));
  await home.enqueue({ command: "true" });
  expect(await home.run("list", "--state", "completed")).toEqual(printed("[]\n"));
});

test("list shows every job, however many, in the order they were enqueued; --state only some", async (home) => {
  const ids = Array.from({ length: 2500 }, (_, i) => `job-${i}`);
  await home.seed(ids.map((id, i) => ({ id, command: "true", state: i % 2 === 0 ? "completed" : "pending" })));
  expect((await home.jobs()).map(({ id }) => id)).toEqual(ids);
  expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(ids.filter((_, i) => i % 2 === 0));
});

test("the jobs of a batch are found by its name, archived ones too", async (home) => {
  const jobs = ["a", "b", "c"].map((id) => ({ id, command: "true", batch: id === "b" ? "other" : "nightly" }));
  await home.enqueue(...jobs, { id: "d", command: "true" });
  expect((await home.jobs("--where", "batch=nightly")).map(({ id }) => id)).toEqual(["a", "c"]);
  expect(await home.jobs("--where", "batch=nightl")).toEqual([]);
  await home.drain();
  await home.obey("prune", "--keep", "0");
  expect((await home.jobs("--where", "batch=nightly", "--archived")).map(({ id }) => id)).toEqual(["a", "c"]);
});

test("a reader that leaves early ends the listing without a word", async (home) => {
  await home.seed(Array.from({ length: 5000 }, (_, i) => ({ id: `job-${i}`, command: "true" })));
  expect(await home.shell("{ queuectl list; echo $? > code; } | head -n 1")).toEqual(printed("[\n"));
  expect(home.read("code")).toBe("0\n");
});

test("a listing that cannot be written is a failure", async (home) => {
  await home.enqueue({ command: "true" });
  expect(await home.shell("queuectl list > /dev/full")).toMatchObject({
    stderr: expect.stringContaining("Could not write the output"),
    exitCode: 1,
  });
});

test("a job that waits for its retry tells how the last attempt failed", async (home) => {
  await home.enqueue({ id: "flaky", command: "echo no luck; exit 9" });
  const worker = home.start("worker-start");
  await worker.says("flaky failed attempt 1");
  expect(await home.jobs()).toMatchObject([
    { id: "flaky", state: "pending", attempts: 1, last_error: "exit 9: no luck" },
  ]);
});

const SOME: Parameters<Home["seed"]>[0] = [
  { id: "a", command: "make a", attempts: 2, last_error: "exit 2: no\tluck\\" },
  { id: "b", command: "make b", state: "completed", attempts: 1, run_at: 5, worker_id: "worker-1" },
  { id: "c", command: "ffmpeg -i c.mov", run_at: 4_102_444_800_000 },
];

test("list shows the jobs that are meant, in the order and number that is meant", async (home) => {
  await home.seed(SOME);
  const ids = async (...args: string[]) => (await home.obey("list", "--columns", "id", ...args)).split("\n").join("");
  expect(await ids("--where", "attempts>0")).toBe("ab");
  expect(await ids("--where", "attempts>0", "--where", "state=pending")).toBe("a");
  expect(await ids("--match", "ffmpeg *")).toBe("c");
  expect(await ids("--sort", "-run_at,id", "--limit", "2")).toBe("cb");
  expect(await ids("--state", "pending", "--where", "run_at>now")).toBe("c");
  expect((await home.jobs("--where", "id=b")).map(({ command }) => command)).toEqual(["make b"]);
  expect(await home.jobs("--where", "id=nobody")).toEqual([]);
});

test("list --columns prints values with tabs between them into a pipe, and only these fields with --json", async (home) => {
  await home.seed(SOME);
  const columns = ["--columns", "id,run-at,priority,last_error"];
  expect(await home.obey("list", ...columns)).toBe(
    ["a\t0\t0\texit 2: no\\tluck\\\\", "b\t5\t0\t", "c\t4102444800000\t0\t", ""].join("\n"),
  );
  expect(JSON.parse(await home.obey("list", "--json", "--limit", "1", ...columns))).toEqual([
    { id: "a", run_at: 0, priority: 0, last_error: "exit 2: no\tluck\\" },
  ]);
});

test("list --columns is a table on a terminal, with times as people read them", async (home) => {
  await home.seed(SOME);
  const table = await home.showOnTerminalOf(80, "list", "--columns", "id,state,run_at,command", "--limit", "1");
  expect(table).toMatch(/^ID {2}STATE {4}RUN AT +COMMAND\na {3}pending {2}\d+d ago +make a\n$/);
  expect(await home.showOnTerminalOf(80, "list", "--match", "x*")).toBe("No jobs like that.\n");
});

test("list --archived takes the same conditions, order and number", async (home) => {
  const commands = Array.from({ length: 12 }, (_, n) => ({ id: `job-${n}`, command: `exit 0 # ${n % 3}` }));
  home.write("jobs.jsonl", commands.map((spec) => JSON.stringify(spec)).join("\n"));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  await home.drain();
  await home.obey("prune", "--keep", "0");
  const ids = async (...args: string[]) =>
    (await home.jobs("--archived", "--match", "*# 1", ...args)).map(({ id }) => id);
  expect(await ids()).toEqual(["job-1", "job-4", "job-7", "job-10"]);
  expect(await ids("--limit", "2")).toEqual(["job-1", "job-4"]);
  expect(await ids("--sort", "-id", "--limit", "3")).toEqual(["job-7", "job-4", "job-10"]);
  expect(await home.obey("list", "--archived", "--columns", "id", "--limit", "1")).toBe("job-0\n");
  expect(await ids("--where", "attempts>1")).toEqual([]);
});

test.each<[string[], string]>([
  [["--columns", "id,comand"], 'Jobs have no field "comand".\nDid you mean "command"?\n'],
  [["--sort", "-crated_at"], 'Jobs have no field "crated_at".\nDid you mean "created_at"?\n'],
  [["--where", "attempts>many"], 'Expected attempts to be compared with a whole number, got "many".\n'],
  [["--limit", "0"], 'Expected --limit to be a whole number from 1 to 1000000000, got "0".\n'],
])("list %p is a mistake that is explained", async (home, args, stderr) => {
  expect(await home.run("list", ...args)).toEqual({ stdout: "", stderr, exitCode: 2 });
  expect(await home.run("list", "--archived", ...args)).toEqual({ stdout: "", stderr, exitCode: 2 });
});
