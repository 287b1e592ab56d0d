import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Happening, happeningsOf, happeningsSince } from "../../src/job/happening.ts";
import { type Entry, isDeadLetter, isIn, KEPT_ATTEMPTS } from "../../src/job/job.ts";
import { cancelPending, claim, enqueue, finish, type RetryPolicy, requeue } from "../../src/job/lifecycle.ts";
import type { Outcome } from "../../src/job/outcome.ts";

const T0 = 1_700_000_000_000;
const policy: RetryPolicy = { backoff: { base: 2, maxSeconds: 60, jitter: 0 }, random: () => 0.5 };
const SUCCESS: Outcome = { kind: "exited", code: 0 };
const FAILURE: Outcome = { kind: "exited", code: 1, lastLine: "no" };
const LOST: Outcome = { kind: "worker-lost", workerId: "w1" };

type Step = "claim" | "requeue" | "cancel" | Outcome;

/** A job that lives, one step a second, and what has happened to it, as the rules said when it did. */
class Life {
  readonly log: Pick<Happening, "at" | "event" | "attempt">[] = [];
  entry: Entry;
  #now = T0;
  #lease = 0;

  constructor(maxRetries = 3) {
    this.entry = enqueue({ id: "p1", command: "x", no_retry_on: [64] }, maxRetries, T0);
    this.#log("enqueued");
  }

  /** Takes a step where the job's state allows it. */
  take(step: Step): this {
    const { entry } = this;
    this.#now += 1000;
    if (step === "claim") {
      if (!isIn(entry, "pending")) return this;
      this.entry = claim(entry, { workerId: "w1", lease: ++this.#lease }, this.#now);
      this.#log("claimed", this.entry.attempts);
    } else if (step === "requeue") {
      if (isIn(entry, "pending") || isIn(entry, "processing")) return this;
      this.entry = requeue(entry, this.#now);
      this.#log("requeued");
    } else if (step === "cancel") {
      if (!isIn(entry, "pending")) return this;
      this.entry = cancelPending(entry, this.#now);
      this.#log("failed");
    } else if (isIn(entry, "processing")) {
      const change = finish(entry, { id: "p1", lease: this.#lease, outcome: step }, { now: this.#now, policy });
      if (change.event === "lease-lost") throw new Error("the current lease was refused");
      this.entry = change.job;
      this.#log(change.event, entry.attempts);
    }
    return this;
  }

  #log(event: Happening["event"], attempt?: number): void {
    this.log.push({ at: this.#now, event, ...(attempt !== undefined && { attempt }) });
  }
}

function lifeOf(...steps: Step[]): Life {
  const life = new Life();
  for (const step of steps) life.take(step);
  return life;
}

function bare(happenings: readonly Happening[]): Life["log"] {
  return happenings.map(({ at, event, attempt }) => ({ at, event, ...(attempt !== undefined && { attempt }) }));
}

const FOUR_FAILURES: Step[] = ["claim", FAILURE, "claim", FAILURE, "claim", FAILURE, "claim", FAILURE];

describe("the record tells of a job", () => {
  test.each<[string, Step[]]>([
    ["that waits", []],
    ["that runs", ["claim"]],
    ["that was completed after failures", ["claim", FAILURE, "claim", FAILURE, "claim", SUCCESS]],
    ["whose worker was killed", ["claim", LOST, "claim"]],
    ["that is dead", FOUR_FAILURES],
    ["that is dead although it had retries left", ["claim", { kind: "exited", code: 64 }]],
    ["that was canceled while it ran", ["claim", FAILURE, "claim", { kind: "canceled" }]],
    ["that was canceled while it waited for a retry", ["claim", FAILURE, "cancel"]],
    ["that was put back from the DLQ", [...FOUR_FAILURES, "requeue"]],
    ["that was completed after that", [...FOUR_FAILURES, "requeue", "claim", SUCCESS]],
    ["that was canceled after that", [...FOUR_FAILURES, "requeue", "cancel"]],
    ["that was put back when canceled", ["claim", { kind: "canceled" }, "requeue", "claim"]],
  ])("%s all that happened, in order", (_, steps) => {
    const life = lifeOf(...steps);
    expect(bare(happeningsOf(life.entry))).toEqual(life.log);
  });

  test("its queue and command; of an attempt who ran it and since when, and what became of it", () => {
    const { entry } = lifeOf("claim", FAILURE);
    const about = { id: "p1", queue: "default", command: "x" };
    const attempt = { attempt: 1, worker_id: "w1" };
    expect(happeningsOf(entry)).toEqual([
      { at: T0, event: "enqueued", ...about },
      { at: T0 + 1000, event: "claimed", ...about, ...attempt },
      {
        ...{ at: T0 + 2000, event: "rescheduled", ...about, ...attempt },
        ...{ started_at: T0 + 1000, error: "exit 1: no", run_at: T0 + 4000 },
      },
    ]);
  });

  test("no more than what it holds: not when it was put back before its latest failure", () => {
    const life = lifeOf(...FOUR_FAILURES, "requeue", "claim", FAILURE, "claim");
    expect(bare(happeningsOf(life.entry))).toEqual(life.log.filter(({ event }) => event !== "requeued"));
  });

  test("that an attempt which another followed was not its last, whatever its terms are now", () => {
    const { entry, log } = lifeOf("claim", FAILURE, "claim", FAILURE);
    const edited = { ...entry, max_retries: 0 } as Entry;
    expect(bare(happeningsOf(edited))).toEqual(log);
  });

  test("nothing without a time", () => {
    const entry = { ...new Life().entry, created_at: 0 };
    expect(happeningsOf(entry)).toEqual([]);
  });
});

test("a look after each step tells everything exactly once, whatever leaves no trace", () => {
  fc.assert(
    fc.property(fc.nat(4), fc.array(steps(), { maxLength: 120 }), (maxRetries, sequence) => {
      const life = new Life(maxRetries);
      const told = happeningsOf(life.entry);
      for (const step of sequence) {
        const before = life.entry;
        told.push(...happeningsSince(before, life.take(step).entry));
      }
      expect(bare(told)).toEqual(life.log);
    }),
    { numRuns: 300 },
  );
});

test("looks at any times tell nothing twice and nothing that did not happen, in order, and every attempt that failed", () => {
  fc.assert(
    fc.property(
      fc.nat(4),
      fc.array(fc.tuple(steps(), fc.boolean()), { maxLength: 2 * KEPT_ATTEMPTS }),
      (maxRetries, sequence) => {
        const life = new Life(maxRetries);
        const told = happeningsOf(life.entry);
        let before = life.entry;
        for (const [step, isLookedAt] of sequence) {
          life.take(step);
          if (!isLookedAt) continue;
          told.push(...happeningsSince(before, life.entry));
          before = life.entry;
        }
        told.push(...happeningsSince(before, life.entry));
        // Those without a trace may be told when the next attempt began.
        const traced = told.filter(({ event }) => event !== "released" && event !== "requeued");
        const happened = new Set(life.log.map((one) => JSON.stringify(one)));
        expect(bare(traced).filter((one) => !happened.has(JSON.stringify(one)))).toEqual([]);
        expect(new Set(traced.map((one) => JSON.stringify(one))).size).toBe(traced.length);
        expect(traced).toEqual(traced.toSorted((a, b) => a.at - b.at));
        const failures = (log: Life["log"]) =>
          log.filter(({ event }) => event === "rescheduled" || event === "rescued");
        expect(failures(bare(told))).toEqual(failures(life.log));
      },
    ),
    { numRuns: 300 },
  );
});

test("what a record tells has happened, is in order of time, and as much as its history", () => {
  fc.assert(
    fc.property(fc.nat(30), fc.array(steps(), { maxLength: 120 }), (maxRetries, sequence) => {
      const life = new Life(maxRetries);
      for (const step of sequence) life.take(step);
      const { entry } = life;
      const told = happeningsOf(entry);
      expect(told.map(({ at }) => at)).toEqual(told.map(({ at }) => at).toSorted((a, b) => a - b));
      const happened = life.log.map((one) => JSON.stringify(one));
      for (const one of bare(told)) expect(happened).toContain(JSON.stringify(one));
      const attempts = entry.history?.length ?? 0;
      expect(attempts).toBeLessThanOrEqual(KEPT_ATTEMPTS);
      const isCounted = isIn(entry, "processing") || isIn(entry, "completed");
      expect(told.filter(({ event }) => event === "claimed")).toHaveLength(attempts + (isCounted ? 1 : 0));
      const last = isDeadLetter(entry) ? "dead-lettered" : life.log.at(-1)?.event;
      const isTraced = last !== "released" && last !== "requeued";
      if (isTraced) expect(told.at(-1)?.event).toBe(last as Happening["event"]);
    }),
  );
});

function steps(): fc.Arbitrary<Step> {
  const ends: Step[] = [
    FAILURE,
    SUCCESS,
    LOST,
    { kind: "released" },
    { kind: "canceled" },
    { kind: "exited", code: 64 },
  ];
  return fc.oneof(
    { arbitrary: fc.constant<Step>("claim"), weight: 4 },
    { arbitrary: fc.constantFrom<Step>(FAILURE, ...ends), weight: 4 },
    { arbitrary: fc.constantFrom<Step>("requeue", "requeue", "cancel"), weight: 1 },
  );
}
