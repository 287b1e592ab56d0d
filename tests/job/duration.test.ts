import { expect, test } from "bun:test";
import fc from "fast-check";
import { durationText, parseDuration } from "../../src/job/duration.ts";

const WRITTEN: [text: string, ms: number][] = [
  ["90s", 90_000],
  ["15m", 900_000],
  ["2h30m", 9_000_000],
  ["1d", 86_400_000],
  ["250ms", 250],
  ["1m500ms", 60_500],
  ["0s", 0],
];
test.each(WRITTEN)("%s is a duration", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "5", "m", "-1s", "1.5h", "1s1m", "1s 1ms", "1h1h", "1H", "1w"])("%p is none", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test("what is written of any duration is read as the same", () => {
  fc.assert(
    fc.property(fc.nat(10 ** 12), (ms) => {
      expect(parseDuration(durationText(ms))).toBe(ms);
    }),
  );
});
