/**
 * Figures in a document. What stands between `<!-- bench <kind> <benchmark> -->` and `<!-- end -->` is written anew from
 * the results: with `peers`, a line for each finding that has no colon, and a column for each that it is held against;
 * with `grid`, a line for what stands before the colon of a finding, and a column for each thing that stands behind it.
 */
import { type Finding, type Measured, quantileOf } from "../benchmark.ts";
import { figure, number } from "./judge.ts";

const PLACE = /(<!-- bench (peers|grid) ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** The document with the tables of these benchmarks written anew. */
export function withFigures(document: string, results: ReadonlyMap<string, { findings: readonly Finding[] }>): string {
  return document.replace(PLACE, (old, begin: string, kind: "peers" | "grid", name: string, end: string) => {
    const measured = results.get(name)?.findings.filter((finding): finding is Measured => !("because" in finding));
    if (measured === undefined) return old;
    const rows = kind === "peers" ? peers(measured) : grid(measured);
    return `${begin}\n${rows.map((cells) => `| ${cells.join(" | ")} |\n`).join("")}\n${end}`;
  });
}

function peers(findings: readonly Measured[]): string[][] {
  const names = [...new Set(findings.flatMap(({ beside }) => beside?.name ?? []))];
  const lines = Map.groupBy(
    findings.filter(({ what }) => !what.includes(": ")),
    ({ what }) => what,
  );
  const cell = (finding: Measured | undefined): string => {
    if (finding?.beside === undefined) return "";
    const held = quantileOf(finding.beside.samples, finding.quantile);
    return `${figure(held, finding.unit)} (× ${number(told(finding) / held)})`;
  };
  const rows = Array.from(lines, ([what, of]) => [
    what,
    ...of.slice(0, 1).map((finding) => figure(told(finding), finding.unit)),
    ...names.map((name) => cell(of.find(({ beside }) => beside?.name === name))),
  ]);
  return withHead(["", "median", ...names], rows);
}

function grid(findings: readonly Measured[]): string[][] {
  const parts = findings.flatMap((finding) => {
    const colon = finding.what.indexOf(": ");
    return colon < 0 ? [] : [{ line: finding.what.slice(0, colon), column: finding.what.slice(colon + 2), finding }];
  });
  const columns = [...new Set(parts.map(({ column }) => column))];
  const rows = Array.from(
    Map.groupBy(parts, ({ line }) => line),
    ([line, of]) => [
      line,
      ...columns.map((column) => {
        const found = of.find((part) => part.column === column)?.finding;
        return found === undefined ? "" : figure(told(found), found.unit);
      }),
    ],
  );
  return withHead(["", ...columns], rows);
}

function withHead(head: string[], rows: readonly string[][]): string[][] {
  return [head, head.map(() => "---"), ...rows];
}

function told({ samples, quantile }: Measured): number {
  return quantileOf(samples, quantile);
}
