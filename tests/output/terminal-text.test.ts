import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeControls } from "../../src/output/escape.ts";
import { TerminalText } from "../../src/output/terminal-text.ts";

/** What is shown of these bytes, cut into chunks of this many. */
function shown(bytes: Uint8Array, chunkBytes = Math.max(1, bytes.length)): string {
  const text = new TerminalText();
  let shown = "";
  for (let at = 0; at < bytes.length; at += chunkBytes) shown += text.show(bytes.subarray(at, at + chunkBytes));
  return shown + text.end();
}

describe("shown on a terminal", () => {
  const cases: [printed: string, expected: string][] = [
    ["plain\n", "plain\n"],
    ["a\tb\n\n", "a\tb\n\n"],
    ["é 日本 🔁\n", "é 日本 🔁\n"],
    ["\u001b[31mred\u001b[0m", "\\x1b[31mred\\x1b[0m"],
    ["\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
    ["a\bb\0c\u007f", "a\\x08b\\x00c\\x7f"],
    ["\u009b2J", "\\x9b2J"],
    ["\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"],
    ["a\u2028b", "a\\u2028b"],
    ["dos\r\nlines\r\n", "dos\nlines\n"],
    ["10 %\r20 %\rdone\n", "10 %\n20 %\ndone\n"],
    ["rm -rf /\rls", "rm -rf /\nls"],
  ];
  test.each(cases.map(([printed, expected]) => [escapeControls(printed), printed, expected] as const))(
    "is %s, wherever it is cut",
    (_, printed, expected) => {
      const bytes = Buffer.from(printed);
      for (let size = 1; size <= bytes.length; size++) expect([size, shown(bytes, size)]).toEqual([size, expected]);
    },
  );

  test("is a byte that is no UTF-8 as the sign for one", () => {
    expect(shown(Buffer.from([0x61, 0xff, 0x62, 0xc3]))).toBe("a\ufffdb\ufffd");
  });

  test("are any bytes without a control character, but for newlines and tabs", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 9 }), (bytes, size) => {
        const text = shown(bytes, size);
        expect(text.replaceAll(/[\n\t]/g, "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
        expect(text).toBe(shown(bytes));
      }),
    );
  });
});

test("what was escaped is remembered, what was not is not", () => {
  const text = new TerminalText();
  text.show(Buffer.from("é\t\r\n"));
  expect(text.hasEscaped).toBe(false);
  text.show(Buffer.from("\u0007"));
  text.show(Buffer.from("x"));
  expect(text.hasEscaped).toBe(true);
});
