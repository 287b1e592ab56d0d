import { expect, test } from "bun:test";
import fc from "fast-check";
import { globMatcher } from "../../src/job/glob.ts";

test.each([
  ["*", ["", "a", "a/b", "..", "🔁"], []],
  ["a*", ["a", "ab", "a/b*"], ["", "ba"]],
  ["*a", ["a", "aaa", "b\na"], ["ab"]],
  ["a*b*c", ["abc", "aXbYc", "abcbc"], ["ab", "acb", "abcd"]],
  ["?", ["a", "?", "🔁", "/"], ["", "ab"]],
  ["a?c", ["abc", "a?c"], ["ac", "abbc"]],
  ["[a-c7]", ["a", "b", "c", "7"], ["d", "-", "", "ab"]],
  ["[!a-c]", ["d", "!", "/"], ["a", "b", ""]],
  ["[]]", ["]"], ["[", ""]],
  ["[!]]", ["a"], ["]"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[", ["["], ["a", ""]],
  ["[a", ["[a"], ["a"]],
  ["a]", ["a]"], ["a"]],
  ["\\*", ["*"], ["a", "\\*", ""]],
  ["\\[a]", ["[a]"], ["a"]],
  ["a\\", ["a\\"], ["a"]],
  ["", [""], ["a"]],
  ["**", ["", "ab"], []],
  ["$^.+(|){1}", ["$^.+(|){1}"], ["$"]],
] as const)("%j", (pattern, matching, others) => {
  const matches = globMatcher(pattern);
  expect(matching.filter((text) => !matches(text))).toEqual([]);
  expect(others.filter((text) => matches(text))).toEqual([]);
});

test("what is pieced together around its stars matches, and takes its turn quickly", () => {
  const word = fc.stringMatching(/^[ab]{0,3}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 5 }), word, (pieces, last) => {
      const pattern = pieces.map(([fixed]) => `${fixed}*`).join("") + last;
      const text = pieces.map(([fixed, any]) => fixed + any).join("") + last;
      return globMatcher(pattern)(text) && !globMatcher(`${pattern}c`)(text);
    }),
  );
  // A matcher that tries every way for every star would not come back.
  expect(globMatcher("a*".repeat(30))("a".repeat(255).concat("b"))).toBe(true);
  expect(globMatcher(`${"a*".repeat(30)}c`)("a".repeat(255))).toBe(false);
});
