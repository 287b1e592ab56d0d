import { expect, test } from "bun:test";
import type { DeadLetter, Job, PendingJob } from "../../src/job/job.ts";
import { reasonFor, type Surroundings } from "../../src/job/reason.ts";

const NOW = 1_700_000_000_000;
const fields = { command: "x", attempts: 0, max_retries: 3, created_at: NOW, updated_at: NOW, run_at: NOW };
const run = { processing_started_at: NOW - 5, worker_id: "worker-1" };

function pending(id: string, own: Partial<PendingJob> = {}): PendingJob {
  return { id, ...fields, ...own, state: "pending" };
}

function running(id: string): Job {
  return { id, ...fields, ...run, attempts: 2, state: "processing", lease: 1 };
}

function worker(id: string, stopping = false) {
  return { id, stopping };
}

function around(own: Partial<Surroundings>): Surroundings {
  return { now: NOW, workers: [], jobs: [], queues: [], ...own };
}

test("a job that is not due waits for its time, or for its retry; a due one for a worker", () => {
  expect(reasonFor(pending("a", { run_at: NOW + 1 }), around({}))).toEqual({ because: "not-due", runAt: NOW + 1 });
  const failed = { run_at: NOW + 1, attempts: 2, last_error: "exit 3" };
  expect(reasonFor(pending("a", failed), around({}))).toEqual({
    because: "waits-for-retry",
    runAt: NOW + 1,
    attempts: 2,
    error: "exit 3",
  });
  expect(reasonFor(pending("a"), around({}))).toEqual({ because: "no-worker", leaving: 0 });
  expect(reasonFor(pending("a"), around({ workers: [worker("w", true)] }))).toEqual({
    because: "no-worker",
    leaving: 1,
  });
});

test("a due job of a queue that no worker serves is told so, and waits for those that do", () => {
  const others = [{ ...worker("w"), queues: ["x"] }, worker("v", true), { ...worker("u"), queues: [] }];
  const job = pending("a", { queue: "deploy" });
  expect(reasonFor(job, around({ workers: others }))).toEqual({ because: "not-served", queue: "deploy", workers: 3 });
  const able = [...others, { ...worker("t"), queues: ["deploy"] }];
  expect(reasonFor(job, around({ workers: able }))).toEqual({ because: "in-line", workers: 1, busy: 0, ahead: 0 });
});

test("a job that has expired is told so, due or not", () => {
  for (const run_at of [NOW - 10, NOW + 10]) {
    const reason = reasonFor(pending("a", { expires_at: NOW, run_at }), around({}));
    expect(reason).toEqual({ because: "expired", expiresAt: NOW });
  }
});

test("a job that waits for others is kept back by them, due or not", () => {
  for (const run_at of [NOW - 10, NOW + 10]) {
    const reason = reasonFor(pending("a", { waits_for: ["b", "c"], run_at }), around({}));
    expect(reason).toEqual({ because: "waits-for-jobs", jobs: ["b", "c"] });
  }
});

test("a due job stands behind those of higher priority and those enqueued before it, as far as they are due", () => {
  const job = pending("me");
  const jobs = [
    pending("before"),
    pending("later", { run_at: NOW + 1 }),
    pending("low", { priority: -1 }),
    pending("waits", { priority: 9, waits_for: ["run"] }),
    job,
    pending("after"),
    pending("urgent", { priority: 1 }),
    running("run"),
  ];
  const workers = [worker("worker-1"), worker("worker-2"), worker("worker-3", true)];
  expect(reasonFor(job, around({ jobs, workers }))).toEqual({ because: "in-line", workers: 2, busy: 1, ahead: 2 });
});

test("a due job of a queue that is paused or full is kept back by that, and keeps back no other", () => {
  const [paused, full] = [pending("p", { queue: "off" }), pending("f", { queue: "narrow" })];
  const job = pending("me");
  const queues = [
    { name: "off", pending: 1, processing: 0, waiting: 0, paused: true },
    { name: "narrow", pending: 1, processing: 2, waiting: 0, concurrency: 2 },
    { name: "default", pending: 1, processing: 1, waiting: 0, concurrency: 2 },
  ];
  const all = around({ queues, jobs: [paused, full, job], workers: [worker("w")] });
  expect(reasonFor(paused, all)).toEqual({ because: "queue-paused", queue: "off" });
  expect(reasonFor(full, all)).toEqual({ because: "queue-full", queue: "narrow", running: 2, concurrency: 2 });
  expect(reasonFor(job, all)).toMatchObject({ because: "in-line", ahead: 0 });
  const often = {
    name: "narrow",
    pending: 1,
    processing: 0,
    waiting: 0,
    rate: "2/m",
    begun: [NOW - 9000, NOW],
  } as const;
  expect(reasonFor(full, { ...all, queues: [often] })).toEqual({
    ...{ because: "queue-rate", queue: "narrow", rate: "2/m", opensAt: NOW + 51_000 },
  });
  const every = { name: "*", pending: 0, processing: 0, waiting: 0, paused: true };
  expect(reasonFor(job, { ...all, queues: [...queues, every] })).toEqual({ because: "all-queues-paused" });
});

test("a job whose worker is dead is told apart from one that runs", () => {
  expect(reasonFor(running("a"), around({ workers: [worker("worker-1")] }))).toEqual({
    because: "running",
    workerId: "worker-1",
    startedAt: NOW - 5,
    attempt: 2,
  });
  expect(reasonFor(running("a"), around({ workers: [worker("worker-2")] }))).toEqual({
    because: "worker-lost",
    workerId: "worker-1",
    workers: 1,
  });
});

test("a job that has ended tells how", () => {
  const dead: DeadLetter = { id: "d", ...fields, attempts: 4, error: "exit 3", failed_at: NOW };
  expect(reasonFor(dead, around({}))).toEqual({ because: "dead", failedAt: NOW, attempts: 4, error: "exit 3" });
  const failed: Job = { id: "f", ...fields, state: "failed", last_error: "canceled" };
  expect(reasonFor(failed, around({}))).toEqual({ because: "failed", failedAt: NOW, error: "canceled" });
  const completed: Job = { id: "c", ...fields, ...run, state: "completed", attempts: 1 };
  expect(reasonFor(completed, around({}))).toEqual({ because: "completed", completedAt: NOW, attempts: 1 });
});
