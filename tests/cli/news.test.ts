import { expect, test } from "bun:test";
import { KNOWN_AT_LEAST, News } from "../../src/cli/news.ts";
import type { Happening } from "../../src/job/happening.ts";
import type { CompletedJob, PendingJob } from "../../src/job/job.ts";
import { claim, enqueue, finish, requeue } from "../../src/job/lifecycle.ts";

const T0 = 1_700_000_000_000;
const HOUR = 3_600_000;

function pending(id: string, now: number): PendingJob {
  return enqueue({ id, command: "x" }, 3, now);
}

/** Claimed at once, and completed after 100 ms. */
function completed(job: PendingJob, now: number): CompletedJob {
  const running = claim(job, { workerId: "w", lease: 1 }, now);
  const end = { id: job.id, lease: 1, outcome: { kind: "exited", code: 0 } } as const;
  const policy = { backoff: { base: 2, maxSeconds: 60, jitter: 0 }, random: () => 0 };
  const change = finish(running, end, { now: now + 100, policy });
  if (change.event !== "completed") throw new Error("exit 0 completes a job");
  return change.job;
}

function names(happenings: readonly Happening[]): string[] {
  return happenings.map(({ event, id }) => `${event} ${id}`);
}

test("what happened before one began to follow is no news, whatever else happens to that job", () => {
  const news = new News(T0, { told: false });
  const old = pending("p1", T0 - 1);
  expect(names(news.of([old], T0 + 1))).toEqual([]);
  expect(names(news.of([completed(old, T0 + HOUR)], T0 + HOUR + 200))).toEqual(["claimed p1", "completed p1"]);
});

test("what was learnt has been told, and what was committed while it was read has not", () => {
  const news = new News(T0, { told: true });
  const known = pending("known", T0 - 500);
  news.learn([known, pending("other", T0 - HOUR)]);
  const late = pending("late", T0 - 2);
  expect(names(news.of([known, late, pending("other", T0 - HOUR)], T0 + 1))).toEqual(["enqueued late"]);
});

test("the same look again has no news, nor has a job in it that was forgotten", () => {
  const news = new News(T0, { told: true });
  const crowd = Array.from({ length: KNOWN_AT_LEAST + 1 }, (_, n) => pending(`p${n}`, T0 + n));
  expect(news.of(crowd, T0 + HOUR)).toHaveLength(crowd.length);
  for (const at of [T0 + HOUR, T0 + 2 * HOUR]) expect(news.of(crowd, at)).toEqual([]);
  const first = crowd[0] as PendingJob;
  const run = completed(first, T0 + 2 * HOUR);
  expect(names(news.of([run], T0 + 2 * HOUR + 500))).toEqual(["claimed p0", "completed p0"]);
});

test("a job that was completed is seen to be run again, though its record does not say so", () => {
  const news = new News(T0, { told: false });
  const done = completed(pending("p1", T0), T0);
  expect(names(news.of([done], T0 + 200))).toEqual(["enqueued p1", "claimed p1", "completed p1"]);
  const again = completed(requeue(done, T0 + HOUR), T0 + HOUR + 1);
  expect(names(news.of([again], T0 + HOUR + 500))).toEqual(["requeued p1", "claimed p1", "completed p1"]);
});

test("a job whose id was free again is another one", () => {
  const news = new News(T0, { told: false });
  news.of([completed(pending("p1", T0), T0)], T0 + 200);
  expect(names(news.of([pending("p1", T0 + 300)], T0 + 400))).toEqual(["enqueued p1"]);
  expect(names(news.of([completed(pending("p1", T0 - HOUR), T0 - HOUR)], T0 + 500))).toEqual([]);
});

test("a clock that is set back silences nothing", () => {
  const news = new News(T0, { told: false });
  news.of([pending("before", T0 + 5)], T0 + 10);
  news.of([], T0 - HOUR);
  expect(names(news.of([pending("after", T0 - HOUR + 10)], T0 - HOUR + 20))).toEqual(["enqueued after"]);
});
