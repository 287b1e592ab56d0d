/**
 * `bun run bench [name…]`: what the queue costs, beside the least that the same work can cost. Read the ratios: both
 * sides come from one run on one machine, measured in turn. The absolute figures are the machine's.
 */
import { cpus, loadavg } from "node:os";
import { type Benchmark, type Finding, quantileOf } from "./benchmark.ts";
import { claimAndSettle } from "./claim-and-settle.ts";
import { coldEnqueue } from "./cold-enqueue.ts";
import { drain } from "./drain.ts";
import { openPlace } from "./place.ts";
import { rescue } from "./rescue.ts";

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  "cold-enqueue": coldEnqueue,
  drain,
  "claim-and-settle": claimAndSettle,
  rescue,
};

const COLUMNS = ["what", "median", "floor", "ratio", "budget", ""];

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BENCHMARKS);
const unknown = names.find((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown === undefined) await run(names);
else {
  console.error(`No benchmark is called "${unknown}". There are: ${Object.keys(BENCHMARKS).join(", ")}.`);
  process.exitCode = 2;
}

async function run(names: readonly string[]): Promise<void> {
  using place = openPlace();
  const processors = cpus();
  console.log(`${processors.length} × ${processors[0]?.model.trim()}, Bun ${Bun.version}, load ${load()} before`);
  const rows = [COLUMNS];
  for (const name of names) {
    console.error(`${name}...`);
    rows.push(...((await BENCHMARKS[name]?.(place)) ?? []).map(row));
  }
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  for (const [what = "", ...cells] of rows) {
    const aligned = cells.map((cell, i) => cell.padStart(widths[i + 1] ?? 0));
    console.log([what.padEnd(widths[0] ?? 0), ...aligned].join("  ").trimEnd());
  }
}

function row({ what, unit, samples, quantile, floor, budget }: Finding): string[] {
  const figure = (value: number): string => `${value.toFixed(unit === "ms" ? 1 : 0)} ${unit}`;
  const value = quantileOf(samples, quantile);
  const ratio = floor && value / quantileOf(floor, quantile);
  const judged = ratio ?? value;
  const [sign, limit] = "atMost" in budget ? ["≤", budget.atMost] : ["≥", budget.atLeast];
  const isMet = sign === "≤" ? judged <= limit : judged >= limit;
  return [
    what,
    figure(value),
    floor ? figure(quantileOf(floor, quantile)) : "",
    ratio === undefined ? "" : ratio.toFixed(2),
    `${sign} ${ratio === undefined ? figure(limit) : limit.toFixed(2)}`,
    isMet ? "ok" : "short",
  ];
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
