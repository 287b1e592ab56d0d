import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";

/** Writes down when a job begins and ends, in a file that all of them append to. */
const WITNESS = "echo begin >> seen; sleep 0.02; echo end >> seen";

test("a queue of width 1 never runs two jobs at a time, over the workers of several terminals", async (home) => {
  expect(await home.run("queue-set", "deploy", "--concurrency", "1")).toEqual(
    printed("⚙️ Queue deploy: open, 1 at a time\n"),
  );
  const jobs = Array.from({ length: 12 }, (_, i) => JSON.stringify({ id: `d${i}`, command: WITNESS, queue: "deploy" }));
  home.write("jobs.jsonl", jobs.join("\n"));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  const terminals = [home.drain("--count", "2"), home.drain("--concurrency", "3")];
  for (const { exitCode } of await Promise.all(terminals)) expect(exitCode).toBe(0);
  expect(home.lines("seen")).toEqual(Array.from({ length: 12 }, () => ["begin", "end"]).flat());
});

test("a queue with a rate has no more jobs begun in any second, over the workers of several terminals", async (home) => {
  expect(await home.run("queue-set", "mail", "--rate", "2/s")).toEqual(
    printed("⚙️ Queue mail: open, any number of jobs at a time, at most 2 begun in any second\n"),
  );
  await home.enqueue(...Array.from({ length: 5 }, (_, n) => ({ id: `m${n}`, command: "true", queue: "mail" })));
  const terminals = [home.drain("--count", "2"), home.drain("--concurrency", "3")];
  for (const { exitCode } of await Promise.all(terminals)) expect(exitCode).toBe(0);
  const jobs = (await home.jobs("--state", "completed")) as { readonly processing_started_at: number }[];
  const begun = jobs.map(({ processing_started_at }) => processing_started_at).sort((a, b) => a - b);
  expect(begun).toHaveLength(5);
  for (const [n, at] of begun.entries()) if (n >= 2) expect(at - (begun[n - 2] ?? 0)).toBeGreaterThanOrEqual(1000);
  const [queue] = JSON.parse(await home.obey("queue-list", "--json")).queues;
  expect(queue).toEqual({
    ...{ name: "mail", pending: 0, waiting: 0, processing: 0, concurrency: null, rate: "2/s", paused: false },
  });
  expect(await home.obey("export")).toContain('{"queue":{"name":"mail","rate":"2/s"}}');
  expect(await home.run("queue-set", "mail", "--rate", "none")).toEqual(
    printed("⚙️ Queue mail: open, any number of jobs at a time\n"),
  );
});

test("workers take the jobs of the queues that they serve, and --drain waits for no others", async (home) => {
  const command = "echo $QUEUECTL_JOB_ID >> ran";
  await home.enqueue(
    { id: "a1", command, queue: "a" },
    { id: "b1", command, queue: "b" },
    { id: "c1", command, queue: "c" },
    { id: "p1", command },
  );
  await home.obey("pause", "c");
  expect((await home.drain("--queue", "a,c")).exitCode).toBe(0);
  expect(home.lines("ran")).toEqual(["a1"]);
  expect((await home.drain("--queue", "default")).exitCode).toBe(0);
  expect(home.lines("ran")).toEqual(["a1", "p1"]);
  expect((await home.drain()).exitCode).toBe(0);
  expect(home.lines("ran")).toEqual(["a1", "p1", "b1"]);
  expect(sorted((await home.jobs("--state", "pending")).map(({ id }) => id))).toEqual(["c1"]);
});

test("a running worker leaves a paused queue alone, and begins its jobs as soon as it goes on", async (home) => {
  const worker = home.start("worker-start");
  await worker.says("started with PID");
  expect(await home.run("pause")).toEqual(printed("⚙️ Every queue: paused\n"));
  await home.enqueue({ id: "p1", command: "true" }, { id: "d1", command: "true", queue: "deploy" });
  await home.obey("pause", "deploy");
  expect(worker.stdout).not.toContain("[CLAIM]");
  expect(await home.run("resume", "deploy")).toEqual({
    stdout: "⚙️ Queue deploy: open, any number of jobs at a time\n",
    stderr: "Every queue is still paused; to go on: queuectl resume\n",
    exitCode: 0,
  });
  await home.obey("pause", "deploy");
  expect(await home.run("resume")).toEqual({
    stdout: "⚙️ Every queue: open\n",
    stderr: "Still paused: queue deploy\n",
    exitCode: 0,
  });
  await worker.says("Job succeeded: p1");
  expect(worker.stdout).not.toContain("d1");
  await home.obey("resume", "deploy");
  await worker.says("Job succeeded: d1");
});

test("queue-list tells what waits, runs and holds, for people and for programs", async (home) => {
  expect(await home.run("queue-list")).toEqual(printed("No jobs wait or run, and nothing holds for any queue.\n"));
  await home.enqueue({ id: "d1", command: "true", queue: "deploy" });
  await home.obey("queue-set", "deploy", "--concurrency", "2");
  await home.obey("pause", "build");
  const { stdout } = await home.run("queue", "list");
  expect(stdout).toBe(
    [
      "QUEUE   PENDING  PROCESSING  AT A TIME  STATE",
      "build         0           0        any  paused",
      "deploy        1           0          2  open",
      "",
    ].join("\n"),
  );
  const { queues, all_paused } = JSON.parse(await home.obey("queue-list", "--json"));
  expect(all_paused).toBe(false);
  expect(queues).toContainEqual({
    name: "deploy",
    pending: 1,
    waiting: 0,
    processing: 0,
    concurrency: 2,
    rate: null,
    paused: false,
  });
  expect(JSON.parse(await home.obey("pause", "--json"))).toEqual({
    queue: { name: null, concurrency: null, rate: null, paused: true },
  });
  expect(await home.obey("queue-list")).toEndWith("Every queue is paused.\n");
  expect(JSON.parse(await home.obey("queue-set", "deploy", "--concurrency", "none", "--json"))).toEqual({
    queue: { name: "deploy", concurrency: null, rate: null, paused: false },
  });
});

test("what holds for queues is kept when nobody is there, and moves with an export", async (home) => {
  await home.obey("queue-set", "deploy", "--concurrency", "1");
  await home.obey("pause");
  const exported = await home.obey("export");
  expect(exported.split("\n").slice(1, 3)).toEqual([
    '{"queue":{"name":"*","paused":true}}',
    '{"queue":{"name":"deploy","concurrency":1}}',
  ]);
  home.write("export.jsonl", exported);
  expect(await home.obey("import", "export.jsonl", "--data-dir", "other")).toBe(
    "Imported 0 jobs, 0 dead letters, 0 archived jobs and 2 settings.\n",
  );
  expect(await home.obey("export", "--data-dir", "other")).toBe(exported);
});

test.each<readonly [args: readonly string[], sentence: string]>([
  [["queue-set", "deploy"], "Say what is to hold for the queue: --concurrency <n>, or --rate <n/unit>."],
  [
    ["queue-set", "deploy", "--rate", "10/d"],
    'Expected --rate to be like 5/s, 10/m or 1000/h, at most 1000, got "10/d".',
  ],
  [["queue-set", "deploy", "--concurrency", "0"], "Expected --concurrency to be a whole number from 1 to 1000000, got"],
  [["queue-set", "a b", "--concurrency", "1"], '"a b" cannot be the name of a queue.'],
  [["pause", "*"], '"*" cannot be the name of a queue.'],
  [["worker-start", "--queue", "a,,b"], '"" cannot be the name of a queue.'],
  [["enqueue", '{"command":"true","queue":"*"}'], '"queue" must be the name of a queue, got "*".'],
])("%j is refused in a sentence, and nothing is written", async (home, args, sentence) => {
  const { stdout, stderr, exitCode } = await home.run(...args);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
  expect(stderr).toContain(sentence);
  expect(home.read("db/data/queue.json")).toBe("");
});
