/**
 * GitHub Actions: the output of a failed job in a group that can be opened, an annotation for each, and a page of the step.
 * The runner takes commands from whatever is printed, so what jobs printed stands where it takes none: between
 * `::stop-commands::` and a word that nobody could know when it was printed.
 */
import { hasFailed, isOpen, type JobResult, wasFlaky } from "../../job/result.ts";
import { escapeControls } from "../escape.ts";
import { failureLine, lastLines, outcomeLine, tallyOf } from "../outcome-view.ts";
import type { AttemptPrinted } from "../output.ts";
import type { Report } from "../report/report.ts";
import type { Teller } from "./teller.ts";

export const GITHUB: Teller = {
  folds: true,
  failure(result, printed) {
    const last = lastLines(result, printed);
    return [
      ...(last.length === 0 ? [] : group(result, last)),
      annotation("error", `Job ${result.id} failed`, result.error),
    ];
  },
  end(report) {
    const flaky = report.results
      .filter(wasFlaky)
      .map(({ id, attempts }) =>
        annotation("warning", `Job ${id} is flaky`, `it was completed at attempt ${attempts}`),
      );
    return report.how === "all-ended" ? flaky : [...flaky, annotation("error", report.name, outcomeLine(report))];
  },
  // An older way of writing commands, which is looked for anywhere in a line.
  harmless: (text) => text.replaceAll("##[", "# #["),
  page,
};

function group(result: JobResult, lines: readonly string[]): string[] {
  const word = crypto.randomUUID();
  return [`::group::${data(failureLine(result))}`, `::stop-commands::${word}`, ...lines, `::${word}::`, "::endgroup::"];
}

function annotation(level: "error" | "warning", title: string, message = ""): string {
  return `::${level} title=${property(escapeControls(title))}::${data(escapeControls(message))}`;
}

/** https://github.com/actions/toolkit: `escapeData` and `escapeProperty`. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** A page of a step may be 1 MiB; nobody reads a longer table than this. */
const MOST_ROWS = 100;

function page(report: Report): string {
  const { results, printed } = report;
  const { failed, open } = tallyOf(results);
  const sign = failed > 0 || open > 0 ? "❌" : "✅";
  const told = results.filter((result) => result.state !== "completed" || wasFlaky(result)).toSorted(byWeight);
  const table = told.slice(0, MOST_ROWS).map(row);
  const rest = told.length > MOST_ROWS ? [`\nand ${told.length - MOST_ROWS} more.`] : [];
  return [
    `### ${sign} ${text(report.name)}`,
    "",
    outcomeLine(report),
    ...(table.length === 0 ? [] : ["", "| job | | attempts | |", "| --- | --- | ---: | --- |", ...table, ...rest]),
    ...results
      .filter(hasFailed)
      .slice(0, MOST_ROWS)
      .flatMap((result) => details(result, printed.get(result.id) ?? [])),
    "",
    "",
  ].join("\n");
}

/** What failed first, then what did not end, then what is flaky. */
function byWeight(a: JobResult, b: JobResult): number {
  const weight = (result: JobResult): number => (hasFailed(result) ? 0 : isOpen(result) ? 1 : 2);
  return weight(a) - weight(b);
}

function row(result: JobResult): string {
  const verdict = hasFailed(result) ? "❌ failed" : isOpen(result) ? "⏹️ not ended" : "⚠️ flaky";
  return `| ${text(result.id)} | ${verdict} | ${result.attempts} | ${text(result.error ?? "")} |`;
}

const LAST_LINES = 20;

function details(result: JobResult, printed: readonly AttemptPrinted[]): string[] {
  const last = lastLines(result, printed).slice(-LAST_LINES);
  if (last.length === 0) return [];
  const lines = last.map((line) => text(line)).join("\n");
  return ["", `<details><summary>${text(result.id)}</summary>`, `<pre>${lines}</pre>`, "</details>"];
}

/** Text that is neither Markdown nor HTML, whatever is in it. */
function text(raw: string): string {
  return escapeControls(raw).replaceAll(/[^\p{L}\p{N} ]/gu, (character) => `&#${character.codePointAt(0)};`);
}
