/** The Test Anything Protocol, version 14: a line a job, and why it failed as YAML, whose strings may be written as JSON's. */
import { hasFailed, isOpen, type JobResult, wasFlaky } from "../../job/result.ts";
import { escapeControls, safeJson } from "../escape.ts";
import { lastLines } from "../outcome-view.ts";
import type { AttemptPrinted } from "../output.ts";
import type { Report } from "./report.ts";

export function tap({ results, printed }: Report): string {
  const points = results.flatMap((result, i) => point(result, i + 1, printed.get(result.id) ?? []));
  return ["TAP version 14", `1..${results.length}`, ...points, ""].join("\n");
}

function point(result: JobResult, number: number, printed: readonly AttemptPrinted[]): string[] {
  // Only an unescaped # begins a directive.
  const name = escapeControls(result.id).replaceAll(/[\\#]/g, "\\$&");
  if (isOpen(result)) return [`ok ${number} - ${name} # SKIP it had not ended`];
  const line = `${hasFailed(result) ? "not ok" : "ok"} ${number} - ${name}`;
  if (!hasFailed(result) && !wasFlaky(result)) return [line];
  const { attempts, error } = result;
  const details = {
    ...(error !== undefined && { message: error }),
    attempts,
    ...(hasFailed(result) && { output: lastLines(result, printed).join("\n") }),
  };
  return [line, "  ---", ...Object.entries(details).map(([key, value]) => `  ${key}: ${safeJson(value)}`), "  ..."];
}
