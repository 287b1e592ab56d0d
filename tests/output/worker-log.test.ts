import { expect, test } from "bun:test";
import type { WorkerEvent } from "../../src/job/event.ts";
import type { CompletedJob, DeadLetter, PendingJob, ProcessingJob } from "../../src/job/job.ts";
import { JsonOutput } from "../../src/output/json.ts";
import { workerLogLines } from "../../src/output/worker-log.ts";
import { collect } from "./collected.ts";

const fields = { command: "true", run_at: 1, attempts: 1, max_retries: 3, created_at: 1, updated_at: 1 };
const started = { processing_started_at: 1, worker_id: "worker-12345" };
const pending: PendingJob = { id: "bad1", state: "pending", ...fields };
const processing: ProcessingJob = { id: "p1", state: "processing", ...fields, ...started, lease: 7 };
const completed: CompletedJob = { id: "p1", state: "completed", ...fields, ...started };
const dead: DeadLetter = {
  id: "bad1",
  command: "x",
  attempts: 4,
  error: "exit 1",
  failed_at: 1,
  max_retries: 3,
  created_at: 1,
};

const workerId = "worker-12345";
const LOG: [WorkerEvent, string[]][] = [
  [{ event: "starting", count: 2 }, ["Starting 2 worker processes..."]],
  [{ event: "starting", count: 1 }, ["Starting 1 worker process..."]],
  [{ event: "worker-started", number: 1, pid: 12345 }, ["Worker 1 started with PID: 12345"]],
  [
    { event: "job", workerId, change: { event: "claimed", job: processing } },
    ["[CLAIM] worker worker-12345 claimed job p1", "Worker worker-12345 Processing job: p1"],
  ],
  [
    { event: "job", workerId, change: { event: "completed", job: completed } },
    ["Worker worker-12345 Completed job: p1", "Worker worker-12345 Job succeeded: p1"],
  ],
  [
    { event: "job", workerId, change: { event: "rescheduled", job: pending, delayMs: 2000 } },
    ["bad1 failed attempt 1 → retry in 2s"],
  ],
  [
    { event: "job", workerId, change: { event: "rescheduled", job: pending, delayMs: 1500 } },
    ["bad1 failed attempt 1 → retry in 1.5s"],
  ],
  [{ event: "job", workerId, change: { event: "dead-lettered", job: dead } }, ["bad1 moved to DLQ"]],
  [
    { event: "job", workerId, change: { event: "rescued", job: pending, delayMs: 2000, from: "worker-7" } },
    [
      "[RESCUE] worker worker-7 was killed; worker worker-12345 took back job bad1",
      "bad1 failed attempt 1 → retry in 2s",
    ],
  ],
  [{ event: "stopping", by: "SIGTERM", running: 2, now: false }, ["Stopping (SIGTERM): finishing 2 running jobs..."]],
  [{ event: "stopping", by: "SIGINT", running: 1, now: true }, ["Stopping (SIGINT): ending 1 running job..."]],
  [{ event: "stopping", by: "worker-stop", running: 0, now: false }, ["Stopping (worker-stop)..."]],
  [
    { event: "worker-died", number: 2, pid: 9, how: "killed by SIGKILL", restartInMs: 1000 },
    ["Worker 2 with PID 9 died (killed by SIGKILL) → restart in 1s"],
  ],
  [
    { event: "survivors-ended", workerId, from: "worker-7", id: "p1", count: 1 },
    ["Worker worker-12345 ended 1 process that worker worker-7 left of job p1"],
  ],
];

test.each(LOG)("%j is logged in plain words", (event, lines) => {
  expect(workerLogLines(event)).toEqual(lines);
});

test("an id cannot start a line of its own in the log", () => {
  const job = { ...dead, id: "x\u2028Worker worker-1\u001b[2K" };
  const [line] = workerLogLines({ event: "job", workerId, change: { event: "dead-lettered", job } });
  expect(line).toBe("x\\u2028Worker worker-1\\x1b[2K moved to DLQ");
});

test("neither can the id of a worker, which may come from a file", () => {
  const from = "w\u001b[2J";
  const events: WorkerEvent[] = [
    { event: "job", workerId, change: { event: "rescued", job: pending, delayMs: 2000, from } },
    { event: "job", workerId: from, change: { event: "claimed", job: processing } },
    { event: "survivors-ended", workerId, from, id: "p1", count: 1 },
  ];
  for (const line of events.flatMap(workerLogLines)) expect(line).not.toMatch(/\p{Cc}/u);
});

test("with --json the log is one flat event a line, in snake_case", () => {
  const sinks = collect();
  const output = new JsonOutput(sinks);
  output.event({ event: "job", workerId, change: { event: "rescued", job: pending, delayMs: 2000, from: "worker-7" } });
  output.event({ event: "worker-died", number: 2, pid: 9, how: "exit 1", restartInMs: 1000 });
  expect(
    sinks
      .stdout()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { event: "rescued", worker_id: workerId, job: pending, delay_ms: 2000, from: "worker-7" },
    { event: "worker-died", number: 2, pid: 9, how: "exit 1", restart_in_ms: 1000 },
  ]);
});
