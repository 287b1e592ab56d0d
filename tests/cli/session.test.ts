import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";

const NOT_FOUND = expect.stringMatching(/^exit 127: .*badcmd: .*not found$/);

test("the original's example session runs command for command, with its sentences", async (home) => {
  await home.obey("config-set", "backoff_base", "0.1");
  expect(await home.run("enqueue", '{"id":"p1","command":"echo 1"}')).toEqual(printed("Job enqueued with ID: p1\n"));
  expect(await home.run("enqueue", '{"id":"p2","command":"echo 2"}')).toEqual(printed("Job enqueued with ID: p2\n"));
  expect(await home.run("enqueue", '{"id":"fail","command":"badcmd"}')).toEqual(
    printed("Job enqueued with ID: fail\n"),
  );

  const workers = home.start("worker-start", "--count", "2");
  await workers.says("fail moved to DLQ");
  await workers.says("Job succeeded: p2");
  expect(workers.stdout).toMatch(
    /^Starting 2 worker processes\.\.\.\nWorker 1 started with PID: \d+\nWorker 2 started/,
  );
  for (const id of ["p1", "p2"]) {
    expect(workers.stdout.replaceAll(/(worker-)\d+/g, "$1N").split("\n")).toEqual(
      expect.arrayContaining([
        `[CLAIM] worker worker-N claimed job ${id}`,
        `Worker worker-N Processing job: ${id}`,
        `Worker worker-N Completed job: ${id}`,
        `Worker worker-N Job succeeded: ${id}`,
      ]),
    );
  }
  expect(workers.stdout.split("\n").filter((line) => line.startsWith("fail "))).toEqual([
    "fail failed attempt 1 → retry in 0.1s",
    "fail failed attempt 2 → retry in 0.01s",
    "fail failed attempt 3 → retry in 0.001s",
    "fail moved to DLQ",
  ]);

  expect(await home.deadLetters()).toEqual([
    expect.objectContaining({ id: "fail", command: "badcmd", attempts: 4, error: NOT_FOUND }),
  ]);
  expect(await home.run("dlq-retry", "fail")).toEqual(printed("🔁 Job fail moved back to queue.\n"));
  await workers.says("fail moved to DLQ", 2);
  expect(await home.run("status")).toEqual(
    printed("📊 Queue Status:\n{ activeWorkers: 2, pending: 0, processing: 0, completed: 2, failed: 0 }\n"),
  );

  expect(await home.run("worker-stop")).toMatchObject({ stdout: "Stopped 2 workers.\n", exitCode: 0 });
  expect(await workers.end()).toMatchObject({ stderr: "", exitCode: 0 });
  await home.deserted();
  expect(await home.obey("status")).toContain("{ activeWorkers: 0,");
});

test("a failing job waits 2, 4 and 8 seconds, and is dead at its fourth attempt", async (home) => {
  await home.seed([0, 1, 2, 3].map((attempts) => ({ id: `after-${attempts}`, command: "badcmd", attempts })));
  const worker = home.start("worker-start");
  await worker.says("after-3 moved to DLQ");
  expect(worker.stdout.split("\n").filter((line) => line.startsWith("after-"))).toEqual([
    "after-0 failed attempt 1 → retry in 2s",
    "after-1 failed attempt 2 → retry in 4s",
    "after-2 failed attempt 3 → retry in 8s",
    "after-3 moved to DLQ",
  ]);
  const waiting = await home.jobs("--state", "pending");
  expect(waiting.map(({ id, run_at, updated_at }) => [id, run_at - updated_at])).toEqual([
    ["after-0", 2000],
    ["after-1", 4000],
    ["after-2", 8000],
  ]);
  expect(waiting.map(({ last_error }) => last_error)).toEqual([NOT_FOUND, NOT_FOUND, NOT_FOUND]);
  expect(await home.deadLetters()).toMatchObject([{ id: "after-3", attempts: 4, error: NOT_FOUND }]);
});

test("the commands work in two words, and the keys with dashes", async (home) => {
  expect(await home.run("config", "set", "max-retries", "0")).toEqual(printed("⚙️ Config updated: max_retries = 0\n"));
  expect(await home.run("config", "get", "max-retries")).toEqual(printed("0\n"));
  await home.enqueue({ id: "fail", command: "badcmd" });
  expect((await home.run("worker", "start", "--count", "2", "--drain")).exitCode).toBe(5);
  expect(JSON.parse(await home.obey("dlq", "list"))).toMatchObject([{ id: "fail", attempts: 1 }]);
  expect(await home.run("dlq", "retry", "fail")).toEqual(printed("🔁 Job fail moved back to queue.\n"));
  expect(await home.run("worker", "stop")).toEqual(printed("No workers are running.\n"));
});
