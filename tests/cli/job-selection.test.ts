import { describe, expect, test } from "bun:test";
import { matchFilter, whereFilter } from "../../src/cli/job-filter.ts";
import { jobOrder } from "../../src/cli/job-order.ts";
import { parseMoment } from "../../src/cli/moment.ts";
import { QueueError } from "../../src/job/errors.ts";
import type { PendingJob } from "../../src/job/job.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const HOUR = 3_600_000;

function job(id: string, own: Partial<PendingJob> = {}): PendingJob {
  const times = { run_at: NOW, created_at: NOW - HOUR, updated_at: NOW };
  return { id, command: `run ${id}`, state: "pending", attempts: 0, max_retries: 3, ...times, ...own };
}

const JOBS = [
  job("a", { attempts: 2, last_error: "exit 3: no luck", timeout: 90_000 }),
  job("b", { priority: 5, cwd: "/srv/b", run_at: NOW + HOUR, created_at: NOW - 3 * HOUR }),
  job("c", { priority: -1, env: { A: "1" }, created_at: NOW }),
];

function where(condition: string): string {
  return JOBS.filter(whereFilter(condition, NOW))
    .map(({ id }) => id)
    .join("");
}

function sorted(order: string): string {
  return JOBS.toSorted(jobOrder(order))
    .map(({ id }) => id)
    .join("");
}

function mistake(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof QueueError && error.code === "E_USAGE") return `${error.message} ${error.hint ?? ""}`.trim();
    throw error;
  }
  throw new Error("expected a usage error");
}

describe("a condition", () => {
  test.each([
    ["attempts=2", "a"],
    ["attempts != 2", "bc"],
    ["attempts>=0", "abc"],
    ["attempts<1", "bc"],
    ["priority=0", "a"],
    ["priority<=0", "ac"],
    ["max-retries=3", "abc"],
    ["id=b", "b"],
    ["id>a", "bc"],
    ["state=pending", "abc"],
    ["state!=pending", ""],
    ["command~run [bc]", ""],
    ["command~run *", "abc"],
    ["last_error~*luck", "a"],
    ["last_error=", "bc"],
    ["last_error!=", "a"],
    ["cwd!=/srv/b", "ac"],
    ["timeout=1m30s", "a"],
    ["timeout>1s", "a"],
    ["timeout<90001", "a"],
    ["run_at>now", "b"],
    ["run_at<=in 30m", "ac"],
    ["created_at<2h ago", "b"],
    ["created_at>-30m", "c"],
    [`created_at=${NOW}`, "c"],
    ["created_at>=2026-01-31T12:00:00Z", "c"],
    ['env={"A":"1"}', "c"],
    ["env~*A*", "c"],
    ["worker_id=worker-1", ""],
  ])("%s finds %p", (condition, found) => {
    expect(where(condition)).toBe(found);
  });

  test.each([
    ["priorty=1", 'Jobs have no field "priorty". Did you mean "priority"?'],
    ["xyzzy=1", expect.stringMatching(/^Jobs have no field "xyzzy"\. Known: id, command, state, /)],
    [
      "attempts",
      expect.stringMatching(/^Expected --where to be a field, one of != <= >= = < > ~ and a value, got "att/),
    ],
    ["attempts=x", 'Expected attempts to be compared with a whole number, got "x".'],
    ["timeout>long", 'Expected timeout to be compared with a duration like 90s or 2h30m, got "long".'],
    [
      "run_at>1h",
      expect.stringMatching(/^Expected run_at to be compared with a time: "now", "2h ago", .*, got "1h"\.$/),
    ],
    ["state=complete", expect.stringMatching(/^Expected a state, .*, got "complete"\. Did you mean "completed"\?$/)],
  ])("%p is a mistake", (condition, sentence) => {
    expect(mistake(() => where(condition))).toEqual(sentence);
  });
});

test("a pattern is about the id or the command, all of it", () => {
  const found = (pattern: string) => JOBS.filter(matchFilter(pattern)).map(({ id }) => id);
  expect(found("a")).toEqual(["a"]);
  expect(found("run ?")).toEqual(["a", "b", "c"]);
  expect(found("run")).toEqual([]);
});

describe("an order", () => {
  test.each([
    ["id", "abc"],
    ["-id", "cba"],
    ["created_at", "bac"],
    ["-priority", "bac"],
    ["attempts,-id", "cba"],
    ["timeout,id", "abc"],
    ["-timeout,-id", "acb"],
  ])("by %s is %p", (order, ids) => {
    expect(sorted(order)).toBe(ids);
  });

  test("by what is no field, or has parts, is a mistake", () => {
    expect(mistake(() => jobOrder("id,created"))).toBe('Jobs have no field "created". Did you mean "created_at"?');
    expect(mistake(() => jobOrder("env"))).toBe("Jobs cannot be sorted by env: it has parts.");
  });
});

test.each([
  ["now", NOW],
  ["2h ago", NOW - 2 * HOUR],
  ["-1h30m", NOW - 1.5 * HOUR],
  ["in 5m", NOW + HOUR / 12],
  ["+5m", NOW + HOUR / 12],
  ["2026-01-31", Date.UTC(2026, 0, 31)],
  ["2026-01-31T11:00Z", NOW - HOUR],
  [String(NOW), NOW],
  ["5m", undefined],
  ["in 5m ago", undefined],
  ["2026-02-30", undefined],
  ["soon", undefined],
])("the moment %p", (text, at) => {
  expect(parseMoment(text, NOW)).toBe(at);
});
