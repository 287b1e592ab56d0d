import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastLine } from "../../src/worker/last-line.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "last-line-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function lastLineOf(content: string | Uint8Array): string | undefined {
  const path = join(directory, "log");
  writeFileSync(path, content);
  return lastLine(path);
}

test.each([
  ["the line before the final newline", "first\nsecond\n", "second"],
  ["a line without a newline", "first\nsecond", "second"],
  ["not a blank line", "said\n\n   \n\t\n", "said"],
  ["not a line of escape sequences only", "said\n\x1b[0m\x1b[K\n", "said"],
  ["trimmed", "   indented \t\n", "indented"],
  ["without escape sequences and control characters", "\x1b[31merror:\x1b[0m bad\x07\x00 thing\n", "error: bad thing"],
  ["without hyperlinks", "\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\\n", "link"],
  ["with a space for a tab", "a\tb\n", "a b"],
  ["what a progress bar showed last", "10 %\r50 %\r100 %\n", "100 %"],
  ["of a text with CRLF", "first\r\nsecond\r\n", "second"],
  ["at most 200 characters", `${"x".repeat(300)}\n`, "x".repeat(200)],
  ["cut between characters, not within one", `${"🦀".repeat(300)}\n`, "🦀".repeat(200)],
])("the last line is %s", (_, content, expected) => {
  expect(lastLineOf(content)).toBe(expected);
});

test("a log without anything to show has no last line", () => {
  expect(lastLineOf("")).toBeUndefined();
  expect(lastLineOf("\n \n\x1b[0m\n")).toBeUndefined();
});

test("a log that is gone has no last line", () => {
  expect(lastLine(join(directory, "nowhere"))).toBeUndefined();
});

test("only the last 4 KiB are looked at", () => {
  expect(lastLineOf(`said${"\n".repeat(4096)}`)).toBeUndefined();
  expect(lastLineOf(`said${"\n".repeat(4092)}`)).toBe("said");
});

test("a character that the 4 KiB begin in the middle of is left out", () => {
  expect(lastLineOf(`🦀${" ".repeat(4091)}end`)).toBe("end");
});

test("bytes that are no text are shown as replacement characters", () => {
  expect(lastLineOf(Uint8Array.of(0x61, 0xff, 0x62, 0x0a))).toBe("a\ufffdb");
});
