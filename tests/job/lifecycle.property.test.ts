/** Any sequence of transitions, right or wrong, against a model of a few counters. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Entry, isDeadLetter, type Lease } from "../../src/job/job.ts";
import { claim, enqueue, finish, type RetryPolicy, requeue } from "../../src/job/lifecycle.ts";
import type { Outcome } from "../../src/job/outcome.ts";

type Step =
  | { kind: "claim" }
  | { kind: "finish"; outcome: Outcome }
  /** An attempt that ended long ago, or never began, reports its end: `back` leases before the latest. */
  | { kind: "finish-stale"; outcome: Outcome; back: number }
  | { kind: "requeue" }
  | { kind: "wait"; ms: number };

/** What the rules promise, without the rules. */
interface Model {
  entry: Entry;
  now: number;
  lastLease: Lease;
  /** Claims less releases, since the job was enqueued or requeued. */
  charged: number;
}

const T0 = 1_700_000_000_000;
const policy: RetryPolicy = { backoff: { base: 2, maxSeconds: 60, jitter: 0 }, random: () => 0.5 };

test("any sequence of transitions keeps the promises of a job's life", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.array(steps(), { maxLength: 60 }), (maxRetries, sequence) => {
      const entry = enqueue({ id: "p1", command: "x", priority: 3 }, maxRetries, T0);
      const model: Model = { entry, now: T0, lastLease: 0, charged: 0 };
      for (const step of sequence) {
        take(step, model);
        expectSound(model, maxRetries);
      }
    }),
    { numRuns: 500 },
  );
});

test("a job that always fails takes exactly max_retries + 1 attempts, however often it is released in between", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), fc.array(fc.boolean(), { maxLength: 30 }), (maxRetries, releases) => {
      const entry = enqueue({ id: "p1", command: "x" }, maxRetries, T0);
      const model: Model = { entry, now: T0, lastLease: 0, charged: 0 };
      let failures = 0;
      for (let turn = 0; !isDeadLetter(model.entry) && turn < 100; turn++) {
        take({ kind: "claim" }, model);
        const released = releases.pop() ?? false;
        take({ kind: "finish", outcome: released ? { kind: "released" } : { kind: "exited", code: 1 } }, model);
        if (!released) failures++;
      }
      expect(failures).toBe(maxRetries + 1);
      expect(model.entry.attempts).toBe(maxRetries + 1);
    }),
  );
});

/** Takes a step where the job's state allows it, and checks what that step alone promises. */
function take(step: Step, model: Model): void {
  const { entry } = model;
  switch (step.kind) {
    case "claim":
      if (isDeadLetter(entry) || entry.state !== "pending") return;
      model.entry = claim(entry, { workerId: "worker-1", lease: ++model.lastLease }, model.now);
      model.charged++;
      return;
    case "finish":
      end(step.outcome, model);
      return;
    case "finish-stale":
      endStale(step, model);
      return;
    case "requeue":
      if (!isDeadLetter(entry)) return;
      model.entry = requeue(entry, model.now);
      model.charged = 0;
      return;
    case "wait":
      model.now += step.ms;
  }
}

function end(outcome: Outcome, model: Model): void {
  const { entry, now, lastLease } = model;
  if (isDeadLetter(entry) || entry.state !== "processing") {
    endStale({ outcome, back: 0 }, model);
    return;
  }
  const event = finish(entry, { id: "p1", lease: lastLease, outcome }, { now, policy });
  if (event.event === "lease-lost") throw new Error("the current lease was refused");
  model.entry = event.job;
  if (outcome.kind === "released") model.charged--;
  if ("delayMs" in event) {
    expect(event.job.run_at).toBe(now + event.delayMs);
    expect(event.delayMs).toBe(Math.min(2 ** model.charged, 60) * 1000);
  }
}

function endStale({ outcome, back }: { outcome: Outcome; back: number }, model: Model): void {
  const { entry, now } = model;
  const held = "state" in entry && entry.state === "processing";
  const lease = model.lastLease - back - (held ? 1 : 0);
  const before = structuredClone(entry);
  const event = finish(entry, { id: "p1", lease, outcome }, { now, policy });
  expect(event).toEqual({ event: "lease-lost", id: "p1", lease });
  expect(entry).toEqual(before);
}

function expectSound({ entry, charged }: Model, maxRetries: number): void {
  expect(entry).toMatchObject({ id: "p1", command: "x", attempts: charged, max_retries: maxRetries, priority: 3 });
  expect(entry.created_at).toBe(T0);
  if (isDeadLetter(entry)) {
    expect(charged).toBe(maxRetries + 1);
    expect(entry).not.toHaveProperty("lease");
    return;
  }
  expect("lease" in entry).toBe(entry.state === "processing");
  expect("worker_id" in entry).toBe(entry.state !== "pending");
  expect(entry.attempts).toBeLessThanOrEqual(maxRetries + 1);
  if (entry.state === "pending") expect(entry.attempts).toBeLessThanOrEqual(maxRetries);
  if (entry.state === "completed") expect(entry).not.toHaveProperty("last_error");
}

function steps(): fc.Arbitrary<Step> {
  const failures: fc.Arbitrary<Outcome> = fc.constantFrom(
    { kind: "exited", code: 1, lastLine: "no" },
    { kind: "signaled", signal: "SIGKILL" },
    { kind: "could-not-start", reason: "no /bin/sh" },
    { kind: "worker-lost", workerId: "worker-1" },
  );
  const success = fc.constant<Outcome>({ kind: "exited", code: 0 });
  const released = fc.constant<Outcome>({ kind: "released" });
  const outcome = fc.oneof(
    { arbitrary: failures, weight: 6 },
    { arbitrary: released, weight: 2 },
    { arbitrary: success, weight: 1 },
  );
  return fc.oneof(
    { arbitrary: fc.constant<Step>({ kind: "claim" }), weight: 4 },
    { arbitrary: fc.record({ kind: fc.constant("finish" as const), outcome }), weight: 4 },
    { arbitrary: fc.record({ kind: fc.constant("finish-stale" as const), outcome, back: fc.nat(3) }), weight: 1 },
    { arbitrary: fc.constant<Step>({ kind: "requeue" }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(100_000) }), weight: 1 },
  );
}
