import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { shellLine, shellWord } from "../../src/job/shell-word.ts";

describe("a word of a shell line", () => {
  test.each([
    ["make", "make"],
    ["--jobs=4", "--jobs=4"],
    ["a b", "'a b'"],
    ["it's", "'it'\\''s'"],
    ["a'b'c", "'a'\\''b'\\''c'"],
    ["", "''"],
    ["~", "'~'"],
  ])("%j is written %j", (text, written) => {
    expect(shellWord(text)).toBe(written);
  });
});

describe("the first word of a shell line", () => {
  test.each([
    [["make", "test"], "make test"],
    [["env", "A=b", "cmd"], "env A=b cmd"],
    [["A=b", "cmd"], "'A=b' cmd"],
    [["if", "if"], "'if' if"],
    [["-x", "-x"], "'-x' -x"],
    [["!", "x"], "'!' x"],
  ])("of %j is a program, never anything else: %j", (words, line) => {
    expect(shellLine(words)).toBe(line);
  });

  test.each(["if", "then", "while", "do", "case", "in", "{", "}", "!", "[[", "time", "A=1", "-c", "~", "#"])(
    "%j is looked for as a program by the shell",
    (word) => {
      const { exitCode } = Bun.spawnSync(["/bin/sh", "-c", shellLine([word, "x"])], { env: { PATH: "/nowhere" } });
      expect(exitCode).toBe(127);
    },
  );
});

test("the shell makes exactly these words of their line, whatever they are", () => {
  const special = fc.constantFrom(..." ''\"\"\\\\$`*?[]{}~#!&|;<>()\n\t=-a");
  const grapheme = fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }).filter((one) => one !== "\0");
  const word = fc.string({ unit: fc.oneof({ weight: 9, arbitrary: special }, { weight: 1, arbitrary: grapheme }) });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      const { stdout } = Bun.spawnSync(["/bin/sh", "-c", shellLine(["printf", "%s\\0", "first", ...words])]);
      expect(stdout.toString().split("\0")).toEqual(["first", ...words, ""]);
    }),
  );
});
