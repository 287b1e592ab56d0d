/**
 * JUnit's XML as Jenkins, GitLab and most others read it: within the schema of Jenkins' xunit plugin (junit-10.xsd), with
 * retries as Maven Surefire tells them, `flakyFailure` of a job that was completed in the end and `rerunFailure` of one that
 * was not.
 */
import { hasFailed, isOpen, type JobResult } from "../../job/result.ts";
import { escapeControls } from "../escape.ts";
import { linesOf, tallyOf } from "../outcome-view.ts";
import type { AttemptPrinted } from "../output.ts";
import { iso } from "../time.ts";
import type { Report } from "./report.ts";

export function junit(report: Report): string {
  const { results, name, ms, endedAt, printed } = report;
  const { failed, open } = tallyOf(results);
  const counts = { tests: results.length, failures: failed, errors: 0 };
  const began = iso(endedAt - ms).replace(/\.\d+Z$/, "");
  const suite = { name, ...counts, skipped: open, time: seconds(ms), timestamp: began };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...counts, time: seconds(ms) })}>`,
    `  <testsuite${attributes(suite)}>`,
    ...results.flatMap((result) => testcase(result, name, printed.get(result.id) ?? [])),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testcase(result: JobResult, batch: string, printed: readonly AttemptPrinted[]): string[] {
  const parts = [...verdict(result), ...retries(result, printed), ...outputs(printed, result.attempts)];
  const opening = `    <testcase${attributes({ name: result.id, classname: batch, time: seconds(lengthOf(result)) })}`;
  return parts.length === 0
    ? [`${opening}/>`]
    : [`${opening}>`, ...parts.map((part) => `      ${part}`), "    </testcase>"];
}

function verdict(result: JobResult): string[] {
  const { state, error = "", command } = result;
  if (isOpen(result)) return [`<skipped${attributes({ message: "it had not ended" })}/>`];
  return hasFailed(result) ? [element("failure", { type: state, message: error }, `$ ${command}\n${error}`)] : [];
}

/** The attempts before the last one, as far as they printed anything. */
function retries(result: JobResult, printed: readonly AttemptPrinted[]): string[] {
  const name = hasFailed(result) ? "rerunFailure" : "flakyFailure";
  return Array.from({ length: Math.max(0, result.attempts - 1) }, (_, i) => {
    const printing = outputs(printed, i + 1).join("");
    return `<${name}${attributes({ type: "retry", message: `attempt ${i + 1} failed` })}>${printing}</${name}>`;
  });
}

/** What an attempt printed: of both streams as if it were stdout, where it is not known which was which. */
function outputs(printed: readonly AttemptPrinted[], attempt: number): string[] {
  const { text = "", stderr = "" } = printed.findLast((one) => one.attempt === attempt) ?? {};
  const streams = { "system-out": text, "system-err": stderr };
  return Object.entries(streams).flatMap(([name, said]) => {
    const lines = linesOf(said);
    return lines.length === 0 ? [] : [element(name, {}, lines.join("\n"))];
  });
}

function lengthOf({ started_at, ended_at }: JobResult): number {
  return started_at === undefined || ended_at === undefined ? 0 : Math.max(0, ended_at - started_at);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function element(name: string, values: Readonly<Record<string, string>>, text: string): string {
  return `<${name}${attributes(values)}>${escaped(text)}</${name}>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(escapeControls(String(value)))}"`)
    .join("");
}

/** What no XML may hold, even escaped, is told as an escape of our own. */
function escaped(text: string): string {
  const lines = text.split("\n").map((line) => escapeControls(line).replaceAll(/[\ufffe\uffff]/g, "\ufffd"));
  return lines.join("\n").replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
