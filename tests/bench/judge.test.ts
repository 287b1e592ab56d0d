import { describe, expect, test } from "bun:test";
import { type Measured, quantileOf } from "../../bench/benchmark.ts";
import { judge, limit } from "../../bench/report/judge.ts";
import { tableOf } from "../../bench/report/table.ts";

const MEASURED = { what: "a thing", unit: "ms", samples: [3, 1, 2] } as const satisfies Measured;

describe("a quantile", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  test.each([
    ["the median of an odd number is the middle one", [3, 1, 2], 0.5, 2],
    ["the median of an even number is between the middle ones", [4, 1, 2, 3], 0.5, 2.5],
    ["of one sample every quantile is that", [7], 0.99, 7],
    ["the 99th percentile leaves one in a hundred above it", hundred, 0.99, 99.5],
    ["the least", hundred, 0, 1],
    ["the greatest", hundred, 1, 100],
    ["of no samples there is none", [], 0.5, Number.NaN],
  ])("%s", (_, samples, quantile, expected) => {
    expect(quantileOf(samples, quantile)).toBe(expected);
  });
});

describe("a budget", () => {
  const beside = { name: "floor", samples: [1, 1, 1] };
  test.each<[string, Omit<Measured, "what" | "unit" | "samples">, "ok" | "short" | undefined, string]>([
    ["for the figure, kept to the letter", { budget: { atMost: 2 } }, "ok", "≤ 2.00 ms"],
    ["for the figure, not kept", { budget: { atMost: 1.9 } }, "short", "≤ 1.90 ms"],
    ["from below, not kept", { budget: { atLeast: 2.1 } }, "short", "≥ 2.10 ms"],
    ["is for the ratio where there is something beside it", { beside, budget: { atMost: 2 } }, "ok", "≤ 2.00"],
    ["for the ratio, not kept", { beside, budget: { atLeast: 2.5 } }, "short", "≥ 2.50"],
    ["is for the quantile that is told", { quantile: 1, budget: { atMost: 2 } }, "short", "≤ 2.00 ms"],
    ["that is none is neither kept nor broken", { beside }, undefined, ""],
  ])("%s", (_, more, verdict, words) => {
    const finding: Measured = { ...MEASURED, ...more };
    expect(judge(finding).verdict).toBe(verdict);
    expect(limit(finding)).toBe(words);
  });

  test("is not kept by what was never measured", () => {
    expect(judge({ ...MEASURED, samples: [], budget: { atMost: 2 } }).verdict).toBe("short");
  });
});

test("a table tells of what is measured, what is absent and what failed", () => {
  const lines = tableOf([
    { ...MEASURED, beside: { name: "floor", samples: [1] }, budget: { atMost: 2 } },
    { ...MEASURED, what: "alone", unit: "/s", samples: [1234.5] },
    { what: "nq", because: "nq is not on PATH", isFailure: false },
    { what: "bulk", because: "it broke", isFailure: true },
  ]);
  expect(lines).toEqual([
    "what       median       min       max  against  its median  ratio  budget",
    "a thing   2.00 ms   1.00 ms   3.00 ms  floor       1.00 ms   2.00  ≤ 2.00  ok",
    "alone    1,235 /s  1,235 /s  1,235 /s",
    "nq       absent: nq is not on PATH",
    "bulk     failed: it broke",
  ]);
});
