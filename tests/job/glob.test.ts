import { expect, test } from "bun:test";
import fc from "fast-check";
import { globMatcher } from "../../src/job/glob.ts";

test.each([
  ["*", "", true],
  ["*", "a/b\nc", true],
  ["", "", true],
  ["", "a", false],
  ["*.mp4", "a/b.mp4", true],
  ["*.mp4", "a.mp4.bak", false],
  ["build-?", "build-1", true],
  ["build-?", "build-12", false],
  ["?", "🔁", true],
  ["a*b*c", "abXbc", true],
  ["a*b*c", "acb", false],
  ["[a]", "[a]", true],
  ["[a]", "a", false],
  ["100\\*", "100*", true],
  ["100\\*", "1000", false],
  ["a\\", "a\\", true],
])("%p is like %p: %p", (pattern, text, isLike) => {
  expect(globMatcher(pattern)(text)).toBe(isLike);
});

test("says what a regular expression would say", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
  fc.assert(
    fc.property(word, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 10 }), (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll("?", ".").replaceAll(/[*]+/g, ".*")}$`);
      expect(globMatcher(pattern)(text)).toBe(expression.test(text));
    }),
    { numRuns: 2000 },
  );
});

test("a pattern that a regular expression would despair of is answered at once", () => {
  expect(globMatcher(`${"*a".repeat(30)}*b`)("a".repeat(20_000))).toBe(false);
});
