import { expect, test } from "bun:test";
import type { Finding } from "../../bench/benchmark.ts";
import { withFigures } from "../../bench/report/document.ts";

const DOCUMENT = ["before", "<!-- bench peers one -->", "old", "<!-- end -->", "after", ""].join("\n");
const MEASURED = { what: "a thing", unit: "/s", samples: [10] } as const;

function figures(kind: "peers" | "grid", findings: readonly Finding[]): string {
  return withFigures(DOCUMENT.replace("peers", kind), new Map([["one", { findings }]]));
}

test("peers are told side by side, with what the figure is of theirs", () => {
  const findings: Finding[] = [
    { ...MEASURED, beside: { name: "this", samples: [5] } },
    { ...MEASURED, beside: { name: "that", samples: [20] } },
    { ...MEASURED, what: "alone" },
    { what: "absent", because: "it is not there", isFailure: false },
  ];
  expect(figures("peers", findings).split("\n").slice(2, -3)).toEqual([
    "",
    "|  | median | this | that |",
    "| --- | --- | --- | --- |",
    "| a thing | 10.0 /s | 5.00 /s (× 2.00) | 20.0 /s (× 0.50) |",
    "| alone | 10.0 /s |  |  |",
    "",
  ]);
});

test("a grid has a column for what stands behind the colon", () => {
  const findings: Finding[] = [
    { ...MEASURED, what: "few: jobs" },
    { ...MEASURED, what: "few: busy", unit: "%", samples: [5] },
    { ...MEASURED, what: "many: jobs", samples: [100] },
    { ...MEASURED, what: "something else" },
  ];
  expect(figures("grid", findings)).toContain(
    ["|  | jobs | busy |", "| --- | --- | --- |", "| few | 10.0 /s | 5.00 % |", "| many | 100 /s |  |"].join("\n"),
  );
});

test("everything else stays as it is, also what was not measured this time", () => {
  expect(withFigures(DOCUMENT, new Map([["another", { findings: [MEASURED] }]]))).toBe(DOCUMENT);
  expect(figures("peers", [MEASURED])).toStartWith("before\n");
  expect(figures("peers", [MEASURED])).toEndWith("<!-- end -->\nafter\n");
});
