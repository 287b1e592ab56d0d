import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { LogFile, lastLines } from "../../src/cli/log-file.ts";
import { linePattern, matchingLines } from "../../src/cli/log-lines.ts";
import type { LogChunk } from "../../src/output/output.ts";
import type { Stream } from "../../src/store/attempt-log.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 30 });

/** The lines of a text, each with its newline, the last one perhaps without. */
function linesOf(whole: string): string[] {
  return whole.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

test("the last lines are those that tail would print", () => {
  fc.assert(
    fc.property(text, fc.nat(5), (whole, count) => {
      const expected = count === 0 ? "" : linesOf(whole).slice(-count).join("");
      expect(Buffer.from(lastLines(Buffer.from(whole), count)).toString()).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});

test("the last lines of a long file are found, however long they are, and what is added comes after them", () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "log");
  const lines = [1, 70_000, 0, 200_000, 65_535, 3].map((length, n) => `${String(n).repeat(length)}\n`);
  for (let count = 0; count <= lines.length + 1; count++) {
    writeFileSync(path, lines.join(""));
    using file = LogFile.open(path, count);
    writeFileSync(path, "more", { flag: "a" });
    const read = Buffer.concat([...(file?.readOn() ?? [])]).toString();
    expect(read).toBe([...(count === 0 ? [] : lines.slice(-count)), "more"].join(""));
  }
});

test("a file that is gone is none", () => {
  expect(LogFile.open("/nowhere/at/all", undefined)).toBeUndefined();
});

test("the matching lines are the same, however the bytes are cut", async () => {
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (whole, size) => {
      const found = await Array.fromAsync(matchingLines(cut({ stdout: whole }, size), linePattern("a.?$")));
      const expected = linesOf(whole).filter((line) => /a.?$/.test(line.replace(/\n$/, "")));
      expect(found.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("the matching lines of two streams are those of each, however they are mixed", async () => {
  await fc.assert(
    fc.asyncProperty(text, text, fc.integer({ min: 1, max: 7 }), async (stdout, stderr, size) => {
      const found = await Array.fromAsync(matchingLines(cut({ stdout, stderr }, size), linePattern("a.?$")));
      for (const [name, whole] of Object.entries({ stdout, stderr })) {
        const expected = linesOf(whole).filter((line) => /a.?$/.test(line.replace(/\n$/, "")));
        const lines = found.filter(({ stream }) => stream === name);
        expect(lines.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(expected);
      }
    }),
    { numRuns: 500 },
  );
});

/** Pieces of so many bytes, of each text in turn. */
async function* cut(texts: { readonly [Name in Stream]?: string }, size: number): AsyncGenerator<LogChunk> {
  const longest = Math.max(...Object.values(texts).map((whole) => whole.length));
  for (let at = 0; at < longest; at += size) {
    for (const [stream, whole] of Object.entries(texts)) {
      const bytes = Buffer.from(whole).subarray(at, at + size);
      if (bytes.length > 0) yield { bytes, stream: stream as Stream };
    }
  }
}
