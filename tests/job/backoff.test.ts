import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { backoffMs, exactBackoffSeconds } from "../../src/job/backoff.ts";

const DAY = 86_400;
const middle = () => 0.5;

describe("the curve", () => {
  const curves: [base: number, maxSeconds: number, seconds: number[]][] = [
    [2, DAY, [2, 4, 8, 16, 32, 64]],
    [3, DAY, [3, 9, 27, 81]],
    [1, DAY, [1, 1, 1]],
    [0, DAY, [0, 0, 0]],
    [0.5, DAY, [0.5, 0.25, 0.125]],
    [2, 10, [2, 4, 8, 10, 10]],
    [2, 0, [0, 0]],
  ];
  test.each(curves)("of base %d, at most %d s, is %j", (base, maxSeconds, seconds) => {
    const policy = { base, maxSeconds, jitter: 0 };
    const attempts = seconds.map((_, index) => index + 1);
    expect(attempts.map((attempt) => exactBackoffSeconds(attempt, policy))).toEqual(seconds);
    expect(attempts.map((attempt) => backoffMs(attempt, policy, middle))).toEqual(seconds.map((s) => s * 1000));
  });

  test("ends at the cap where the power overflows a number", () => {
    expect(1000 ** 1000).toBe(Number.POSITIVE_INFINITY);
    expect(exactBackoffSeconds(1000, { base: 1000, maxSeconds: DAY, jitter: 0 })).toBe(DAY);
  });

  test("never falls from one attempt to the next when the base is at least 1", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1000, noNaN: true }),
        fc.integer({ min: 1, max: 5000 }),
        (base, attempts) => {
          const policy = { base, maxSeconds: DAY, jitter: 0 };
          expect(exactBackoffSeconds(attempts + 1, policy)).toBeGreaterThanOrEqual(
            exactBackoffSeconds(attempts, policy),
          );
        },
      ),
    );
  });
});

describe("jitter", () => {
  test("of 0 keeps the exact formula, whatever chance says", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), chance(), (attempts, roll) => {
        const policy = { base: 2, maxSeconds: DAY, jitter: 0 };
        expect(backoffMs(attempts, policy, () => roll)).toBe(2 ** attempts * 1000);
      }),
    );
  });

  test("of 0.25 reaches from 75 % to 125 %", () => {
    const policy = { base: 2, maxSeconds: DAY, jitter: 0.25 };
    expect(backoffMs(3, policy, () => 0)).toBe(6000);
    expect(backoffMs(3, policy, middle)).toBe(8000);
    expect(backoffMs(3, policy, () => 1)).toBe(10_000);
  });

  test("spreads around the curve within its share, in whole milliseconds that are never negative", () => {
    const policies = fc.record({
      base: fc.double({ min: 0, max: 1000, noNaN: true }),
      maxSeconds: fc.double({ min: 0, max: 31_536_000, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 1_000_000 }), chance(), (policy, attempts, roll) => {
        const exactMs = exactBackoffSeconds(attempts, policy) * 1000;
        const ms = backoffMs(attempts, policy, () => roll);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(Math.round(exactMs * (1 - policy.jitter)) - 1);
        expect(ms).toBeLessThanOrEqual(Math.round(exactMs * (1 + policy.jitter)) + 1);
        expect(ms).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

function chance() {
  return fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
}
