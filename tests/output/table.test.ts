import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Column, canFit, cut, table } from "../../src/output/table.ts";
import { relative, span } from "../../src/output/time.ts";

test.each([
  ["short", 10, "short"],
  ["exactly ten", 11, "exactly ten"],
  ["one too many", 11, "one too ma…"],
  ["日本語", 6, "日本語"],
  ["日本語", 5, "日本…"],
  ["日本語", 4, "日…"],
  // Two code points each, and wider than both of them apart.
  ["⚙️⚙️⚙️⚙️", 5, "⚙️⚙️…"],
  // One character on some terminals, two on others.
  ["👩‍💻👩‍💻👩‍💻", 5, "👩‍💻…"],
])("%p in %p columns is %p", (text, width, expected) => {
  expect(cut(text, width)).toBe(expected);
});

test("no row of a table is wider than the terminal, even if columns have to give way that should not", () => {
  const columns: Column<{ a: string; b: string }>[] = [
    { title: "A", text: (row) => row.a, flex: { min: 4, max: 30 } },
    { title: "WHOLE", text: (row) => row.a },
    { title: "B", text: (row) => row.b, flex: { min: 4, max: 200 } },
  ];
  const row = fc.record({ a: fc.string({ unit: "grapheme" }), b: fc.string({ unit: "grapheme", maxLength: 300 }) });
  fc.assert(
    fc.property(fc.array(row), fc.integer({ min: 13, max: 200 }), (rows, width) => {
      for (const line of table(rows, columns, { width, paintTitle: String })) {
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
      }
    }),
  );
});

describe("where not everything fits", () => {
  const columns: Column<readonly [string, string]>[] = [
    { title: "ID", text: ([id]) => id, flex: { min: 6, max: 40 } },
    { title: "COMMAND", text: ([, command]) => command, flex: { min: 6, max: 80 } },
  ];
  const shown = (rows: readonly (readonly [string, string])[], width: number): string[] =>
    [...table(rows, columns, { width, paintTitle: String })].slice(1);

  test("one long text takes no room from many others", () => {
    const rows = [
      ["a-very-long-id-of-a-job", "true"] as const,
      ["b", "make --jobs 2"] as const,
      ["c", "make -k"] as const,
    ];
    expect(shown(rows, 22)).toEqual(["a-very…  true", "b        make --jobs 2", "c        make -k"]);
  });

  test("room goes where it makes more cells whole", () => {
    const one = ["i".repeat(20), "make-a"] as const;
    const others = ["b", "c"].map((id) => [id, `make ${"x".repeat(15)}`] as const);
    expect(shown([one, ...others], 28)).toEqual([
      "iiiii…  make-a",
      ...others.map(([id, command]) => `${id}       ${command}`),
    ]);
  });

  test("room that makes no cell whole goes where more of them are cut", () => {
    const rows = [["i".repeat(40), "c".repeat(50)] as const, ["j", "d".repeat(50)] as const];
    expect(shown(rows, 30)).toEqual([`iiiii…  ${"c".repeat(21)}…`, `j       ${"d".repeat(21)}…`]);
  });

  test("what has been cut anyway gives way before what is whole", () => {
    const rows = [["nightly", "tar -cf home.tar /home"] as const, ["weekly", "tar -cf all.tar /srv /home"] as const];
    expect(shown(rows, 20)).toEqual(["nightly  tar -cf ho…", "weekly   tar -cf al…"]);
  });

  test("whether it can be read is known", () => {
    const rows = [["identical", "command"] as const];
    expect([canFit(rows, columns, 14), canFit(rows, columns, 13)]).toEqual([true, false]);
  });
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
