import { describe, expect, test } from "bun:test";
import type { ChartPlan, Finding, Panel } from "../../bench/benchmark.ts";
import { drawChart } from "../../bench/report/chart.ts";
import { plotted } from "../../bench/report/plotted.ts";
import { linear, logarithmic } from "../../bench/report/scale.ts";

const SPEED: Panel = { name: "jobs/s", kind: "bars", x: "at a time" };
const MEMORY: Panel = { name: "MiB", kind: "lines", x: "jobs", isLogarithmic: true };
const PLAN: ChartPlan = { title: "<Speed> & memory", panels: [SPEED, MEMORY] };

const FINDINGS: readonly Finding[] = [
  {
    what: "two",
    unit: "/s",
    samples: [900, 1000, 1100],
    beside: { name: "floor", samples: [2000] },
    mark: { series: "queuectl", x: "2" },
  },
  { what: "four", unit: "/s", samples: [1500], mark: { series: "queuectl", x: "4" } },
  { what: "memory", unit: "MiB", samples: [0], mark: { panel: "MiB", series: "queuectl", x: "1 k" } },
  { what: "not drawn", unit: "/s", samples: [9_000_000] },
  { what: "nq", because: "nq is not on PATH", isFailure: false },
];

describe("an axis", () => {
  test.each([[[0]], [[0.07]], [[3, 12, 99]], [[100]], [[1_234_567]], [[]]])("from 0 holds %p", (values) => {
    const { ticks, position } = linear(values);
    expect(ticks[0]).toBe(0);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThan(8);
    for (const value of [...ticks, ...values]) expect(position(value)).toBeWithin(0, 1 + Number.EPSILON * 8);
  });

  test.each([[[1]], [[0, 5]], [[0.002, 90_000]], [[10, 1000]], [[0]], [[]]])("of decades holds %p", (values) => {
    const { ticks, position } = logarithmic(values);
    expect(ticks.length).toBeGreaterThan(1);
    for (const value of [...ticks, ...values]) expect(position(value)).toBeWithin(0, 1 + Number.EPSILON * 8);
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
  });
});

describe("a chart", () => {
  test("shows what is marked for a panel, and what that is held against", () => {
    const { places, series } = plotted(FINDINGS, { name: SPEED.name, isFirst: true });
    expect(places).toEqual(["2", "4"]);
    expect([...series.keys()]).toEqual(["queuectl", "floor"]);
    expect(series.get("queuectl")?.get("2")).toEqual({ value: 1000, min: 900, max: 1100 });
    expect(series.get("floor")?.has("4")).toBe(false);
  });

  test("is one picture of all panels, with the words in it escaped", () => {
    const svg = drawChart(PLAN, FINDINGS, 'on "this" machine') ?? "";
    expect(svg).toStartWith("<svg ");
    expect(svg).toContain("&lt;Speed&gt; &amp; memory");
    expect(svg).toContain("on &quot;this&quot; machine");
    expect(svg).toContain("jobs/s");
    expect(svg).toContain("MiB");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("leaves out a panel that nothing was found for, and is not drawn when that is true of all", () => {
    expect(drawChart(PLAN, FINDINGS.slice(0, 2), "")).not.toContain("MiB");
    expect(drawChart(PLAN, FINDINGS.slice(3), "")).toBeUndefined();
  });
});
