import { expect, test } from "bun:test";
import fc from "fast-check";
import { isRate, opensAgainAt, type Rate, rateOf, rateParts, roomUnder, withBeginning } from "../../src/job/rate.ts";

test("a rate is a number of jobs in a second, a minute or an hour", () => {
  for (const rate of ["1/s", "10/m", "1000/h"]) {
    expect(isRate(rate)).toBe(true);
    expect(rateOf(rateParts(rate as Rate))).toBe(rate as Rate);
  }
  for (const text of ["", "0/s", "01/s", "10", "10/d", "1.5/s", "-1/s", "1001/h", "10/m ", 10, undefined]) {
    expect(isRate(text)).toBe(false);
  }
});

const RATES = fc.constantFrom<Rate>("1/s", "2/s", "5/s", "3/m");

test("in no time of that length more jobs are begun, and none waits longer than it has to", () => {
  fc.assert(
    fc.property(RATES, fc.array(fc.nat(400), { maxLength: 200 }), (rate, steps) => {
      const { count, perMs } = rateParts(rate);
      const all: number[] = [];
      let begun: readonly number[] = [];
      let now = 0;
      for (const step of steps) {
        now += step;
        const isOpen = all.filter((at) => at > now - perMs).length < count;
        expect(roomUnder(rate, begun, now) > 0).toBe(isOpen);
        const opensAt = opensAgainAt(rate, begun, now);
        if (isOpen) {
          expect(opensAt).toBeUndefined();
          all.push(now);
          begun = withBeginning(rate, begun, now);
        } else {
          expect(roomUnder(rate, begun, (opensAt ?? 0) - 1)).toBe(0);
          expect(roomUnder(rate, begun, opensAt ?? 0)).toBeGreaterThan(0);
        }
        expect(begun).toEqual(all.slice(-count));
      }
    }),
  );
});
