import { describe, expect, test } from "bun:test";
import type { JobEvent, LeaseLost } from "../../src/job/event.ts";
import type { DeadLetter, Entry, PastAttempt, PendingJob, ProcessingJob } from "../../src/job/job.ts";
import { claim, enqueue, finish, requeue } from "../../src/job/lifecycle.ts";
import type { Outcome } from "../../src/job/outcome.ts";
import type { JobSpec } from "../../src/job/spec.ts";

const T0 = 1_700_000_000_000;
const policy = { backoff: { base: 2, maxSeconds: 86_400, jitter: 0 }, random: () => 0.5 };
const success: Outcome = { kind: "exited", code: 0 };
const failure: Outcome = { kind: "exited", code: 1, lastLine: "no such host" };

describe("enqueue", () => {
  test("makes a pending job, due now, with the configured max_retries and no more fields than it needs", () => {
    expect(enqueue({ id: "p1", command: "echo hi" }, 3, T0)).toStrictEqual({
      id: "p1",
      command: "echo hi",
      state: "pending",
      run_at: T0,
      attempts: 0,
      max_retries: 3,
      created_at: T0,
      updated_at: T0,
    });
  });

  test("follows the spec in run_at, priority and max_retries, 0 included", () => {
    const job = enqueue({ id: "p1", command: "x", run_at: T0 + 5000, max_retries: 0, priority: -7 }, 3, T0);
    expect(job).toMatchObject({ run_at: T0 + 5000, max_retries: 0, priority: -7, created_at: T0 });
  });

  test("counts a delay and the time until it expires from now on", () => {
    const job = enqueue({ id: "p1", command: "x", delay: 5000, expires_in: 7000 }, 3, T0);
    expect(job).toMatchObject({ run_at: T0 + 5000, expires_at: T0 + 7000 });
    expect(job).not.toHaveProperty("delay");
    expect(job).not.toHaveProperty("expires_in");
  });

  test("keeps a priority of 0 out of the record", () => {
    expect(enqueue({ id: "p1", command: "x", priority: 0 }, 3, T0)).not.toHaveProperty("priority");
  });
});

describe("claim", () => {
  test("starts an attempt: counts it at once, and records worker, lease and time", () => {
    const pending = enqueue({ id: "p1", command: "x", priority: 5 }, 3, T0);
    expect(claim(pending, { workerId: "worker-1", lease: 17 }, T0 + 10)).toStrictEqual({
      ...pending,
      state: "processing",
      attempts: 1,
      updated_at: T0 + 10,
      processing_started_at: T0 + 10,
      worker_id: "worker-1",
      lease: 17,
    });
  });
});

describe("the end of an attempt", () => {
  test("with exit 0 completes the job, without a lease and without the error of an earlier attempt", () => {
    const retried = claimed(pendingAfter(ended(running(), failure)), 18);
    expect(retried.last_error).toBe("exit 1: no such host");
    const { lease: _, last_error: __, ...kept } = retried;
    expect(ended(retried, success, T0 + 9)).toStrictEqual({
      event: "completed",
      job: { ...kept, state: "completed", updated_at: T0 + 9 },
    });
  });

  const failures: [Outcome, string][] = [
    [failure, "exit 1: no such host"],
    [{ kind: "signaled", signal: "SIGSEGV" }, "killed by SIGSEGV"],
    [{ kind: "could-not-start", reason: "no /bin/sh" }, "could not start: no /bin/sh"],
  ];
  test.each(failures)("with %j reschedules it after the backoff, with the error", (outcome, error) => {
    const job = running();
    const { lease: _, worker_id: __, processing_started_at: ___, ...kept } = job;
    const run_at = T0 + 100 + 2000;
    const history = [past({ ended_at: T0 + 100, outcome: error })];
    expect(ended(job, outcome, T0 + 100)).toStrictEqual({
      event: "rescheduled",
      job: { ...kept, state: "pending", updated_at: T0 + 100, run_at, last_error: error, history },
      delayMs: 2000,
    });
  });

  test("by the loss of its worker is charged and waits for its backoff, like any failure", () => {
    const event = ended(running(), { kind: "worker-lost", workerId: "worker-1" }, T0 + 100);
    expect(event).toMatchObject({ event: "rescued", from: "worker-1", delayMs: 2000 });
    expect(pendingAfter(event)).toMatchObject({
      attempts: 1,
      run_at: T0 + 2100,
      last_error: "worker worker-1 was killed",
    });
  });

  test("by a release is not charged: the job is as it was before, due at once, its last error kept", () => {
    const waiting = pendingAfter(ended(running(), failure));
    const event = ended(claimed(waiting, 18), { kind: "released" }, T0 + 100);
    expect(event).toStrictEqual({ event: "released", job: { ...waiting, updated_at: T0 + 100 } });
  });

  test("waits 2 s, 4 s and 8 s with max_retries 3, and after four attempts dead-letters the job", () => {
    const delays: number[] = [];
    let job: ProcessingJob = running({ max_retries: 3 });
    let event = ended(job, failure);
    for (; event.event === "rescheduled" && delays.length < 10; event = ended(job, failure)) {
      delays.push(event.delayMs);
      job = claimed(event.job, job.lease + 1);
    }
    expect(delays).toEqual([2000, 4000, 8000]);
    expect(event).toMatchObject({ event: "dead-lettered", job: { attempts: 4 } });
  });

  test("with max_retries 0 is the end after one attempt, whether it failed or its worker was lost", () => {
    for (const outcome of [failure, { kind: "worker-lost", workerId: "worker-1" } as const]) {
      expect(ended(running({ max_retries: 0 }), outcome)).toMatchObject({
        event: "dead-lettered",
        job: { attempts: 1 },
      });
    }
  });

  test("with max_retries 0 by a release still leaves the one attempt", () => {
    const event = ended(running({ max_retries: 0 }), { kind: "released" });
    expect(pendingAfter(event)).toMatchObject({ attempts: 0, state: "pending" });
  });

  test("in the DLQ keeps what the job was and why it died", () => {
    const job = running({ max_retries: 0, priority: 4 });
    expect(deadAfter(ended(job, failure, T0 + 5))).toStrictEqual({
      id: "p1",
      command: "x",
      attempts: 1,
      error: "exit 1: no such host",
      failed_at: T0 + 5,
      max_retries: 0,
      created_at: T0,
      priority: 4,
      history: [past({ ended_at: T0 + 5, outcome: "exit 1: no such host" })],
      worker_id: "worker-1",
    });
  });
});

describe("the history of a job", () => {
  test("has every attempt that failed, oldest first, through the DLQ and back, and to its completion", () => {
    const first = pendingAfter(ended(running({ max_retries: 1 }), failure, T0 + 5));
    const lost = deadAfter(ended(claimed(first, 18), { kind: "worker-lost", workerId: "worker-1" }, T0 + 7));
    const again = claimed(requeue(lost, T0 + 8), 19);
    const history = [
      past({ ended_at: T0 + 5, outcome: "exit 1: no such host" }),
      past({ attempt: 2, ended_at: T0 + 7, outcome: "worker worker-1 was killed", lease: 18 }),
    ];
    expect(again.history).toStrictEqual(history);
    expect(completedAfter(ended(again, success)).history).toStrictEqual(history);
    const third = past({ ended_at: T0 + 9, outcome: "canceled", lease: 19 });
    const canceled = ended(again, { kind: "canceled" }, T0 + 9);
    expect(canceled).toMatchObject({ job: { history: [...history, third] } });
  });

  test("has nothing of an attempt that succeeded, was released, or was not begun", () => {
    for (const outcome of [success, { kind: "released" } as const, { kind: "expired" } as const]) {
      const event = ended(running(), outcome);
      if (!("job" in event)) throw new Error(event.event);
      expect(event.job).not.toHaveProperty("history");
    }
  });

  test("has the 20 latest", () => {
    let job = running({ max_retries: 30 });
    while (job.attempts < 25) job = claimed(pendingAfter(ended(job, failure)), job.lease + 1);
    expect(job.history?.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, n) => n + 5));
  });
});

describe("the terms of a job", () => {
  const terms = {
    priority: 4,
    batch: "nightly",
    cwd: "/srv",
    env: { A: "1" },
    timeout: 1000,
    expires_at: T0 + 60_000,
    retry_on: [75, "signal"],
    no_retry_on: [64],
  } as const;
  const { expires_at: _, ...said } = terms;
  const spec = { id: "p1", command: "x", max_retries: 0, expires_in: 60_000, ...said };

  test("stay with it from the queue to the DLQ and back", () => {
    const pending = enqueue(spec, 3, T0);
    const dead = deadAfter(ended(claimed(pending, 17), failure));
    const { last_error: __, history: ___, ...back } = requeue(dead, T0);
    for (const entry of [pending, dead, back]) expect(entry).toMatchObject(terms);
    expect(back).toEqual(pending);
  });

  const failures: [outcome: Outcome, failing: number | "signal" | "timeout"][] = [
    [failure, 1],
    [{ kind: "exited", code: 75 }, 75],
    [{ kind: "signaled", signal: "SIGSEGV" }, "signal"],
    [{ kind: "timed-out", afterMs: 1000 }, "timeout"],
  ];
  test.each(failures)("that name %p decide whether it is retried", (outcome, failing) => {
    const after = (own: Parameters<typeof running>[0]): string => ended(running(own), outcome).event;
    const others = ([64, "signal", "timeout"] as const).filter((one) => one !== failing);
    expect(after({ retry_on: [failing] })).toBe("rescheduled");
    expect(after({ retry_on: others })).toBe("dead-lettered");
    expect(after({ no_retry_on: [failing] })).toBe("dead-lettered");
    expect(after({ no_retry_on: others })).toBe("rescheduled");
    expect(after({ retry_on: [failing], no_retry_on: [failing] })).toBe("dead-lettered");
  });

  test.each<Outcome>([
    { kind: "worker-lost", workerId: "worker-1" },
    { kind: "could-not-start", reason: "no memory" },
  ])("decide nothing about what did not come from its command: %p", (outcome) => {
    const own = { retry_on: [75], no_retry_on: ["signal", "timeout"] } as const;
    expect(ended(running(own), outcome).event).toMatch(/^(?:rescued|rescheduled)$/);
  });
});

describe("an attempt that", () => {
  test("asked for a delay itself is followed by the next after that, and no other", () => {
    const event = ended(running(), { kind: "exited", code: 75, retryAfterMs: 90_000 }, T0 + 5);
    expect(event).toMatchObject({ event: "rescheduled", delayMs: 90_000, job: { run_at: T0 + 90_005 } });
  });

  test("took too long is told with its limit and what it printed last", () => {
    expect(pendingAfter(ended(running(), { kind: "timed-out", afterMs: 90_000, lastLine: "…" }))).toMatchObject({
      attempts: 1,
      last_error: "timed out after 1m30s: …",
    });
  });

  test.each([
    [{ kind: "canceled" } as const, 1, "canceled"],
    [{ kind: "expired" } as const, 0, "expired before it was begun"],
  ])("is %p ends its job for good, outside of the DLQ", (outcome, attempts, last_error) => {
    const { lease: _, worker_id: __, processing_started_at: ___, ...kept } = running();
    const history = outcome.kind === "expired" ? {} : { history: [past({ ended_at: T0 + 5, outcome: "canceled" })] };
    expect(ended(running(), outcome, T0 + 5)).toStrictEqual({
      event: "failed",
      job: { ...kept, state: "failed", attempts, updated_at: T0 + 5, last_error, ...history },
    });
  });
});

describe("the lease gate", () => {
  const outcomes: Outcome[] = [
    ...[success, failure, { kind: "released" } as const, { kind: "canceled" } as const, { kind: "expired" } as const],
    { kind: "worker-lost", workerId: "worker-1" },
  ];
  const job = running();
  const entries: [what: string, entry: Entry | undefined, lease: number][] = [
    ["a job that is gone", undefined, 17],
    ["a job with a later lease", job, 16],
    ["a pending job", pendingAfter(ended(job, failure)), 17],
    ["a completed job", completedAfter(ended(job, success)), 17],
    ["a dead letter", deadAfter(ended(running({ max_retries: 0 }), failure)), 17],
  ];
  test.each(entries)("lets nobody end an attempt of %s", (_, entry, lease) => {
    const before = structuredClone(entry);
    for (const outcome of outcomes) {
      const event = finish(entry, { id: "p1", lease, outcome }, { now: T0 + 100, policy });
      expect(event).toStrictEqual({ event: "lease-lost", id: "p1", lease });
    }
    expect(entry).toEqual(before as Entry);
  });
});

describe("requeue", () => {
  test("makes a dead letter pending and due now, with attempts 0 and its last error kept", () => {
    const dead = deadAfter(ended(running({ max_retries: 0, priority: 4 }), failure));
    expect(requeue(dead, T0 + 500)).toStrictEqual({
      id: "p1",
      command: "x",
      state: "pending",
      run_at: T0 + 500,
      attempts: 0,
      max_retries: 0,
      created_at: T0,
      updated_at: T0 + 500,
      priority: 4,
      last_error: "exit 1: no such host",
      history: [past({ ended_at: T0, outcome: "exit 1: no such host" })],
    });
  });
});

function running(policyOfJob: Omit<JobSpec, "id" | "command"> = {}): ProcessingJob {
  return claimed(enqueue({ id: "p1", command: "x", ...policyOfJob }, 3, T0), 17);
}

/** What became of the first attempt of `running()`, or of another. */
function past(attempt: Pick<PastAttempt, "ended_at" | "outcome"> & Partial<PastAttempt>): PastAttempt {
  return { attempt: 1, started_at: T0, worker_id: "worker-1", lease: 17, ...attempt };
}

function claimed(job: PendingJob, lease: number): ProcessingJob {
  return claim(job, { workerId: "worker-1", lease }, T0);
}

function ended(job: ProcessingJob, outcome: Outcome, now = T0): JobEvent | LeaseLost {
  return finish(job, { id: job.id, lease: job.lease, outcome }, { now, policy });
}

function pendingAfter(event: JobEvent | LeaseLost): PendingJob {
  if ("job" in event && "state" in event.job && event.job.state === "pending") return event.job;
  throw new Error(`not pending after ${event.event}`);
}

function completedAfter(event: JobEvent | LeaseLost): Entry {
  if (event.event === "completed") return event.job;
  throw new Error(`not completed after ${event.event}`);
}

function deadAfter(event: JobEvent | LeaseLost): DeadLetter {
  if (event.event === "dead-lettered") return event.job;
  throw new Error(`not dead after ${event.event}`);
}
