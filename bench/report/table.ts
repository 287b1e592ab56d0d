/** The findings of a benchmark as a table of text. */
import type { Finding } from "../benchmark.ts";
import { figure, judge, limit, number } from "./judge.ts";

const COLUMNS = ["what", "median", "min", "max", "against", "its median", "ratio", "budget", ""];
const LEFT = new Set([0, 4]);

/** One line a finding, under a line that names the columns. */
export function tableOf(findings: readonly Finding[]): string[] {
  const rows = [COLUMNS, ...findings.map(row)];
  // A sentence in place of figures stands over all of their columns.
  const widthOf = (column: number): number =>
    Math.max(...rows.map((cells) => (column > 0 && isSentence(cells) ? 0 : (cells[column]?.length ?? 0))));
  const widths = COLUMNS.map((_, column) => widthOf(column));
  return rows.map((cells) => {
    const aligned = cells.map((cell, i) => (LEFT.has(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
    return aligned.join("  ").trimEnd();
  });
}

function isSentence(cells: readonly string[]): boolean {
  return cells.length < COLUMNS.length;
}

function row(finding: Finding): string[] {
  if ("because" in finding) return [finding.what, `${finding.isFailure ? "failed" : "absent"}: ${finding.because}`];
  const { value, min, max, beside, ratio, verdict } = judge(finding);
  const { what, unit } = finding;
  return [
    what,
    figure(value, unit),
    figure(min, unit),
    figure(max, unit),
    finding.beside?.name ?? "",
    beside === undefined ? "" : figure(beside, unit),
    ratio === undefined ? "" : number(ratio),
    limit(finding),
    verdict ?? "",
  ];
}
