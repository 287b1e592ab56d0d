import { describe, expect, test } from "bun:test";
import { askedFor, logsOfAttempt } from "../../src/cli/log-reader.ts";
import type { Entry } from "../../src/job/job.ts";

function after(attempts: number): Entry {
  return { id: "j", command: "x", attempts, error: "exit 1", failed_at: 1, max_retries: 3, created_at: 1 };
}

function logs(...attempts: number[]) {
  return attempts.map((attempt, i) => ({ attempt, lease: i, path: `/${i}` }));
}

test("an attempt's log is the newest of its number", () => {
  expect(logsOfAttempt(logs(1, 2), 1, after(2))).toMatchObject([{ path: "/0" }]);
  expect(logsOfAttempt(logs(1, 2), 2, after(2))).toMatchObject([{ path: "/1" }]);
  expect(logsOfAttempt(logs(1, 2, 1, 2), 1, after(2))).toMatchObject([{ path: "/2" }]);
});

test("a silent last attempt does not get the log of an earlier life of the job", () => {
  expect(logsOfAttempt(logs(1, 2), 1, after(1))).toEqual([]);
  expect(logsOfAttempt(logs(1), 2, after(2))).toEqual([]);
});

test("the log of an attempt that a requeue or a release took back is still found", () => {
  expect(logsOfAttempt(logs(1), 1, after(0))).toMatchObject([{ path: "/0" }]);
});

describe("one stream of an attempt", () => {
  const split = (["stdout", "stderr"] as const).map((stream) => ({ attempt: 1, lease: 7, stream, path: `/${stream}` }));

  test("is the log of that stream, and none if nothing was written to it", () => {
    expect(logsOfAttempt([...logs(1), ...split], 1, after(1))).toEqual(split);
    expect(askedFor(split, "j", { only: "stderr" })).toMatchObject([{ path: "/stderr" }]);
    expect(askedFor(split.slice(0, 1), "j", { only: "stderr" })).toEqual([]);
    expect(askedFor(split, "j", {})).toEqual(split);
  });

  test("cannot be had where both are in one log, here or stored", () => {
    const end = { bytes: 1, tail: Buffer.from("x") };
    for (const log of [logs(1), [{ attempt: 1, lease: 7, path: "/0", elsewhere: { host: "far", end } }]]) {
      expect(() => askedFor(log, "j", { only: "stderr" })).toThrow(
        "Attempt 1 of job j has stdout and stderr in one log.",
      );
    }
  });

  test("may be what is out of reach", () => {
    const log = { attempt: 1, lease: 7, path: "/0", elsewhere: { host: "far" } };
    expect(askedFor([log], "j", { only: "stderr" })).toEqual([log]);
  });
});
