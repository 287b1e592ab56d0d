import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Column, cut, table } from "../../src/output/table.ts";
import { relative, span } from "../../src/output/time.ts";

test.each([
  ["short", 10, "short"],
  ["exactly ten", 11, "exactly ten"],
  ["one too many", 11, "one too ma…"],
  ["日本語", 6, "日本語"],
  ["日本語", 5, "日本…"],
  ["日本語", 4, "日…"],
])("%p in %p columns is %p", (text, width, expected) => {
  expect(cut(text, width)).toBe(expected);
});

test("no row of a table is wider than the terminal when its columns can give way", () => {
  const columns: Column<{ a: string; b: string }>[] = [
    { title: "A", text: (row) => row.a, flex: { min: 4, max: 30 } },
    { title: "B", text: (row) => row.b, flex: { min: 4, max: 200 } },
  ];
  const row = fc.record({ a: fc.string({ unit: "grapheme" }), b: fc.string({ unit: "grapheme", maxLength: 300 }) });
  fc.assert(
    fc.property(fc.array(row), fc.integer({ min: 10, max: 200 }), (rows, width) => {
      for (const line of table(rows, columns, { width, paintTitle: String })) {
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
      }
    }),
  );
});

test("colour does not shift a column", () => {
  const columns: Column<string>[] = [
    { title: "A", text: (row) => row, paint: (cell) => `\u001b[31m${cell}\u001b[39m` },
    { title: "B", text: () => "b" },
  ];
  expect([...table(["x", "long"], columns, { width: 80, paintTitle: String })]).toEqual([
    "A     B",
    "\u001b[31mx   \u001b[39m  b",
    "\u001b[31mlong\u001b[39m  b",
  ]);
});

test.each([
  [0, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_600_000, "1h"],
  [172_800_000, "2d"],
])("%p ms is %p", (ms, expected) => {
  expect(span(ms)).toBe(expected);
});

test("an instant is told from now, in both directions", () => {
  expect(relative(5000, 5999)).toBe("now");
  expect(relative(5000, 17_000)).toBe("12s ago");
  expect(relative(305_000, 5000)).toBe("in 5m");
});
