import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { quantileOf } from "../../bench/benchmark.ts";
import { Chance } from "../../bench/simulation/chance.ts";
import { type Costs, costsFrom } from "../../bench/simulation/costs.ts";
import { type Scenario, simulate } from "../../bench/simulation/database.ts";
import { Timeline } from "../../bench/simulation/timeline.ts";

test("a timeline has things happen in the order of time, whatever the order in which they were told", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), (delays) => {
      const timeline = new Timeline();
      const happened: number[] = [];
      for (const delay of delays) timeline.after(delay, () => happened.push(timeline.now));
      timeline.runUntil(500);
      expect(happened).toEqual(delays.filter((delay) => delay <= 500).sort((a, b) => a - b));
      timeline.runUntil(1000);
      expect(happened).toEqual(delays.toSorted((a, b) => a - b));
    }),
  );
});

test("what happens may have more happen, also at once", () => {
  const timeline = new Timeline();
  const happened: string[] = [];
  timeline.after(10, () => {
    timeline.after(0, () => happened.push(`at once, at ${timeline.now}`));
    timeline.after(20, () => happened.push(`later, at ${timeline.now}`));
  });
  timeline.after(15, () => happened.push(`between, at ${timeline.now}`));
  timeline.runUntil(100);
  expect(happened).toEqual(["at once, at 10", "between, at 15", "later, at 30"]);
});

describe("chance", () => {
  test("is the same for the same seed, and another for another", () => {
    const three = (seed: number): number[] => {
      const chance = new Chance(seed);
      return [chance.even(), chance.even(), chance.around(5)];
    };
    expect(three(7)).toEqual(three(7));
    expect(three(7)).not.toEqual(three(8));
  });

  test("is around its mean", () => {
    const chance = new Chance(1);
    const sum = Array.from({ length: 100_000 }, () => chance.around(3)).reduce((a, b) => a + b);
    expect(sum / 100_000).toBeCloseTo(3, 1);
  });
});

describe("costs", () => {
  test("are what the measured rates come from", () => {
    // A turn of 2 ms and 0.1 ms a job, 3 ms on the way; a call of 1 ms and 0.01 ms a job; a look of 1 ms and 0.01 ms a worker.
    const costs = costsFrom({
      alone: 1000 / (2.1 + 3),
      singly: 1000 / 2.1,
      many: { limit: 64, rate: (1000 * 64) / (2 + 6.4) },
      added: 1000 / 1.01,
      addedMany: { batch: 1000, rate: (1000 * 1000) / (1 + 10) },
      look: { workers: 1000, aloneMs: 1, amongMs: 11 },
    });
    const expected = { turnMs: 2, jobMs: 0.1, enqueueMs: 1, addedMs: 0.01, lookMs: 1, lookedAtMs: 0.01, waitMs: 3 };
    for (const [name, cost] of Object.entries(expected)) expect(costs[name as keyof Costs]).toBeCloseTo(cost, 6);
  });

  test("are never below 0, however the rates were disturbed", () => {
    const costs = costsFrom({
      alone: 900,
      singly: 500,
      many: { limit: 64, rate: 100_000 },
      added: 500,
      addedMany: { batch: 1000, rate: 1_000_000 },
      look: { workers: 1000, aloneMs: 3, amongMs: 1 },
    });
    for (const cost of Object.values(costs)) expect(cost).toBeGreaterThanOrEqual(0);
  });
});

describe("a simulated database", () => {
  const COSTS: Costs = {
    turnMs: 1,
    jobMs: 0.1,
    enqueueMs: 1,
    addedMs: 0.01,
    lookMs: 0.5,
    lookedAtMs: 0.001,
    waitMs: 1,
  };
  const FEW: Scenario = { costs: COSTS, workers: 10, slots: 4, jobMs: 1000, warmUpMs: 5000, forMs: 60_000, seed: 1 };

  test("is the same for the same seed", () => {
    expect(simulate(FEW)).toEqual(simulate(FEW));
  });

  test("runs as many jobs as there are slots, while it has time for them", () => {
    const { perSecond, busy, longestRenewalMs } = simulate(FEW);
    expect(perSecond).toBeGreaterThan(38);
    expect(perSecond).toBeLessThan(42);
    expect(busy).toBeLessThan(0.2);
    expect(longestRenewalMs).toBeLessThan(50);
  });

  test("does no more than it has time for", () => {
    const { perSecond, busy } = simulate({ ...FEW, slots: 1, workers: 50, jobMs: 0, forMs: 10_000 });
    expect(busy).toBeGreaterThan(0.99);
    // A turn for one job takes 1.1 ms.
    expect(perSecond).toBeLessThan(1000 / 1.1);
    expect(perSecond).toBeGreaterThan(0.8 * (1000 / 1.1));
  });

  test("does more by turns for many", () => {
    const of = (slots: number): number => simulate({ ...FEW, workers: 4, slots, jobMs: 0, forMs: 10_000 }).perSecond;
    expect(of(64)).toBeGreaterThan(5 * of(1));
  });

  test("gives out what comes in, soon", () => {
    const { perSecond, claimMs } = simulate({ ...FEW, arriving: { perSecond: 20, batch: 1 } });
    expect(perSecond).toBeGreaterThan(18);
    expect(perSecond).toBeLessThan(22);
    expect(quantileOf(claimMs)).toBeLessThan(10);
  });

  test("has every job of a lost machine run again once that is noticed, and not before", () => {
    const lost = simulate({
      ...FEW,
      arriving: { perSecond: 20, batch: 1 },
      loss: { atMs: 20_000, workers: 3 },
    });
    expect(lost.recoveryMs.length).toBeGreaterThan(0);
    expect(lost.unrecovered).toBe(0);
    expect(Math.min(...lost.recoveryMs)).toBeGreaterThan(15_000);
    expect(Math.max(...lost.recoveryMs)).toBeLessThan(18_000);
  });

  test("has no time left for jobs when too many look", () => {
    const crowd = { ...FEW, workers: 1000, slots: 1, costs: { ...COSTS, lookedAtMs: 0.01 }, forMs: 20_000 };
    const { perSecond, busy } = simulate(crowd);
    expect(busy).toBeGreaterThan(0.95);
    expect(perSecond).toBeLessThan(500);
  });
});
