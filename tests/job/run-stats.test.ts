import { describe, expect, test } from "bun:test";
import type { CompletedJob, DeadLetter, PastAttempt } from "../../src/job/job.ts";
import type { PortableJob } from "../../src/job/portable.ts";
import { firstWords, type Grouping, type RunStats, RunStatsCounter } from "../../src/job/run-stats.ts";

const fields = { id: "p", max_retries: 3, created_at: 0 };
const past: PastAttempt = { attempt: 1, started_at: 0, ended_at: 9, worker_id: "w", outcome: "exit 1", lease: 1 };

function completed(command: string, ms: number, own: Partial<CompletedJob> = {}): CompletedJob {
  const run = { processing_started_at: 0, worker_id: "w", attempts: 1, run_at: 0, updated_at: ms };
  return { ...fields, ...run, state: "completed", command, ...own };
}

function dead(command: string, own: Partial<DeadLetter> = {}): DeadLetter {
  return { ...fields, command, attempts: 4, error: "exit 1", failed_at: 0, ...own };
}

function counted(entries: readonly (PortableJob | DeadLetter)[], by: Grouping = "command"): RunStats {
  const counter = new RunStatsCounter(by);
  for (const entry of entries) counter.add(entry);
  return counter.result();
}

test.each([
  ["npm run build", "npm run build"],
  ["npm run build extra", "npm run build"],
  ["ffmpeg -i a.mov b.mp4", "ffmpeg"],
  ["make nightly -j4", "make nightly"],
  ["A=1 B='x' make  all", "make all"],
  ["sleep 5", "sleep"],
  ["./deploy.sh prod", "./deploy.sh prod"],
  ["echo hi; exit 3", "echo"],
  ["  true", "true"],
  ["git cherry-pick abc123", "git cherry-pick"],
])("%p begins with %p", (command, words) => {
  expect(firstWords(command)).toBe(words);
});

describe("of each command", () => {
  test("runs, failures and jobs that passed on a retry are counted, and of all together", () => {
    const { all, commands } = counted([
      completed("a", 10),
      completed("a", 10, { attempts: 3, history: [past, past] }),
      dead("b", { history: [past] }),
      { ...fields, run_at: 0, updated_at: 0, attempts: 1, command: "b", state: "pending", history: [past] },
    ]);
    const nothing = { p50_ms: null, p95_ms: null };
    expect(commands).toEqual([
      { command: "b", jobs: 2, runs: 5, failures: 5, flaky: 0, ...nothing },
      { command: "a", jobs: 2, runs: 4, failures: 2, flaky: 1, p50_ms: 10, p95_ms: 10 },
    ]);
    expect(all).toEqual({ jobs: 4, runs: 9, failures: 7, flaky: 1, p50_ms: 10, p95_ms: 10 });
  });

  test("a run that has not ended is none, and those before a requeue are some", () => {
    const started = { processing_started_at: 0, worker_id: "w", run_at: 0, updated_at: 0 };
    const running: PortableJob = { ...fields, ...started, attempts: 1, command: "a", state: "processing" };
    expect(counted([running]).all).toMatchObject({ jobs: 1, runs: 0, failures: 0 });
    const requeued = completed("a", 1, { attempts: 1, history: [past, past, past, past] });
    expect(counted([requeued]).all).toMatchObject({ runs: 5, failures: 4, flaky: 1 });
  });

  test("half of the runs, and 95 % of them, took no longer than is told, to a percent", () => {
    const { all } = counted(Array.from({ length: 200 }, (_, n) => completed("a", (n + 1) * 1000)));
    expect(Math.abs((all.p50_ms ?? 0) - 100_000)).toBeLessThan(1000);
    expect(Math.abs((all.p95_ms ?? 0) - 190_000)).toBeLessThan(1900);
    expect(counted([completed("a", 0), completed("a", 3)]).all).toMatchObject({ p50_ms: 0, p95_ms: 3 });
    expect(counted([completed("a", -5)]).all).toMatchObject({ p50_ms: 0 });
  });
});
