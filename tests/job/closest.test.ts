import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { closest, didYouMean } from "../../src/job/closest.ts";

const FIELDS = ["id", "command", "run_at", "max_retries", "priority"];

describe("the closest word", () => {
  const typos: [word: string, meant: string | undefined][] = [
    ["comand", "command"],
    ["commnad", "command"],
    ["COMMAND", "command"],
    ["run-at", "run_at"],
    ["max_retires", "max_retries"],
    ["maxRetries", "max_retries"],
    ["prio", undefined],
    ["ids", "id"],
    ["timeout", undefined],
    ["", undefined],
    ["xyz", undefined],
  ];
  test.each(typos)("to %j is %j", (word, meant) => {
    expect(closest(word, FIELDS)).toBe(meant);
    expect(didYouMean(word, FIELDS)).toBe(meant && `Did you mean "${meant}"?`);
  });

  test("is the nearest, not the first that is near enough", () => {
    expect(closest("backoff_max", ["backoff_base", "backoff_max", "backoff_jitter"])).toBe("backoff_max");
  });

  test("is none among none", () => {
    expect(closest("command", [])).toBeUndefined();
  });

  test("to a candidate itself is that candidate", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,12}$/), { minLength: 1 }), fc.nat(), (words, pick) => {
        const word = words[pick % words.length] as string;
        expect(closest(word, words)).toBe(word);
      }),
    );
  });

  test("never differs in more than a third of its letters from a word of its length", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-c]{9}$/), fc.stringMatching(/^[a-c]{9}$/), (word, candidate) => {
        const differing = [...word].filter((letter, index) => letter !== candidate[index]).length;
        if (differing <= 3) expect(closest(word, [candidate])).toBe(candidate);
        if (![...word].some((letter) => candidate.includes(letter))) expect(closest(word, [candidate])).toBeUndefined();
      }),
    );
  });
});
