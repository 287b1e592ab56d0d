import { expect, test } from "bun:test";
import { logOfAttempt } from "../../src/cli/log-reader.ts";
import type { Entry } from "../../src/job/job.ts";

function after(attempts: number): Entry {
  return { id: "j", command: "x", attempts, error: "exit 1", failed_at: 1, max_retries: 3, created_at: 1 };
}

function logs(...attempts: number[]) {
  return attempts.map((attempt, i) => ({ attempt, lease: i, path: `/${i}` }));
}

test("an attempt's log is the newest of its number", () => {
  expect(logOfAttempt(logs(1, 2), 1, after(2))?.path).toBe("/0");
  expect(logOfAttempt(logs(1, 2), 2, after(2))?.path).toBe("/1");
  expect(logOfAttempt(logs(1, 2, 1, 2), 1, after(2))?.path).toBe("/2");
});

test("a silent last attempt does not get the log of an earlier life of the job", () => {
  expect(logOfAttempt(logs(1, 2), 1, after(1))).toBeUndefined();
  expect(logOfAttempt(logs(1), 2, after(2))).toBeUndefined();
});

test("the log of an attempt that a requeue or a release took back is still found", () => {
  expect(logOfAttempt(logs(1), 1, after(0))?.path).toBe("/0");
});
