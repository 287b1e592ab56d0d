/** The results of a run in files, for the README and for whoever compares: all findings of a day, and a chart a benchmark. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Effort, type Finding, quantileOf } from "../benchmark.ts";
import { judge, limit } from "./judge.ts";
import type { Machine } from "./machine.ts";

/** What one benchmark found, and when. */
export interface Result {
  readonly at: Date;
  readonly effort: Effort;
  /** Before it began. */
  readonly load: number;
  readonly findings: readonly Finding[];
  /** Its chart as SVG, if there is anything to draw. */
  readonly chart: string | undefined;
}

/** `<yyyy-mm-dd>.json`. */
interface ResultsFile {
  readonly machine: Machine;
  readonly benchmarks: Readonly<Record<string, unknown>>;
}

/**
 * Writes them into `directory` and returns the paths. A benchmark that was run before on that day, by the same program on
 * the same machine, is kept if it was not run again.
 */
export function writeResults(directory: string, machine: Machine, results: ReadonlyMap<string, Result>): string[] {
  mkdirSync(directory, { recursive: true });
  const first = [...results.values()][0];
  if (first === undefined) return [];
  const path = join(directory, `${first.at.toISOString().slice(0, 10)}.json`);
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ResultsFile) : undefined;
  const kept = before && Bun.deepEquals(before.machine, machine) ? before.benchmarks : {};
  const added = Object.fromEntries(Array.from(results, ([name, result]) => [name, recordOf(result)]));
  const file: ResultsFile = { machine, benchmarks: { ...kept, ...added } };
  writeFileSync(path, encode(file));
  const charts = Array.from(results).flatMap(([name, { chart }]) => {
    if (chart === undefined) return [];
    const picture = join(directory, `${name}.svg`);
    writeFileSync(picture, chart);
    return [picture];
  });
  return [path, ...charts];
}

/** Indented to be read and compared, but with samples side by side. */
function encode(file: ResultsFile): string {
  const text = JSON.stringify(file, null, 2);
  return `${text.replace(/\[[\d\s,.e+-]+\]/g, (samples) => samples.replace(/\s+/g, ""))}\n`;
}

function recordOf({ at, effort, load, findings }: Result): unknown {
  return { at: at.toISOString(), effort, load_before: load, findings: findings.map(findingRecord) };
}

function findingRecord(finding: Finding): unknown {
  const { what } = finding;
  if ("because" in finding) return { what, [finding.isFailure ? "failed" : "absent"]: finding.because };
  const { unit, samples, quantile = 0.5, beside, budget } = finding;
  const { value, min, max, ratio, verdict } = judge(finding);
  return {
    what,
    unit,
    quantile,
    value: rounded(value),
    min: rounded(min),
    max: rounded(max),
    samples: samples.map(rounded),
    ...(beside && {
      against: {
        name: beside.name,
        value: rounded(quantileOf(beside.samples, quantile)),
        samples: beside.samples.map(rounded),
      },
      ratio: ratio === undefined ? ratio : rounded(ratio),
    }),
    ...(budget && { budget: limit(finding), verdict }),
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
