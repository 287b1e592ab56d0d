/** What became of jobs that somebody waited for, in a line each and in one line for all. */
import { durationText } from "../job/duration.ts";
import { hasFailed, isOpen, type JobResult, wasFlaky } from "../job/result.ts";
import { escapeControls, escapeText } from "./escape.ts";
import type { AttemptPrinted, BatchOutcome, Progress } from "./output.ts";
import { count } from "./worker-log.ts";

export interface ResultTally {
  readonly completed: number;
  /** Of those. */
  readonly flaky: number;
  readonly failed: number;
  /** What has not ended. */
  readonly open: number;
}

export function tallyOf(results: readonly JobResult[]): ResultTally {
  return {
    completed: results.filter(({ state }) => state === "completed").length,
    flaky: results.filter(wasFlaky).length,
    failed: results.filter(hasFailed).length,
    open: results.filter(isOpen).length,
  };
}

/** `5 jobs in 1.2s: 3 completed (1 after a retry), 1 failed, 1 not ended.` */
export function outcomeLine({ results, how, ms }: BatchOutcome): string {
  if (results.length === 0) return "There are no jobs to wait for.";
  const { completed, flaky, failed, open } = tallyOf(results);
  const parts = [
    `${completed} completed${flaky === 0 ? "" : ` (${flaky} after a retry)`}`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(open === 0 ? [] : [`${open} not ended`]),
  ];
  return `${WHY[how]}${count(results.length, "job", "jobs")} in ${lengthOf(ms)}: ${parts.join(", ")}.`;
}

/** As programs get it. */
export function outcomeDocument({ results, how, ms }: BatchOutcome) {
  const { completed, failed, open } = tallyOf(results);
  return { how: how.replace("-", "_"), ms, completed, failed, open, jobs: results };
}

/** While some of them go on. */
export function progressOf(results: readonly JobResult[]): Progress {
  const { failed, open } = tallyOf(results);
  const running = results.filter(({ state }) => state === "processing").length;
  const done = results.length - open;
  const words = [
    `${done} of ${results.length} ended`,
    `${running} running`,
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return { done, of: results.length, text: words.join(", ") };
}

/** Of a job that failed: its id and why. */
export function failureLine({ id, error = "" }: JobResult): string {
  return `✗ ${escapeControls(id)}: ${escapeControls(error)}`;
}

/** The same, with the last lines that its last attempt printed. */
export function failureLines(result: JobResult, printed: readonly AttemptPrinted[]): string[] {
  return [
    failureLine(result),
    ...lastLines(result, printed)
      .slice(-LAST_LINES)
      .map((line) => `    ${line}`),
  ];
}

/** What the last attempt of this job printed; what went to stderr, where that is known, comes last. */
export function lastLines({ attempts }: JobResult, printed: readonly AttemptPrinted[]): string[] {
  const { text = "", stderr = "" } = printed.findLast(({ attempt }) => attempt === attempts) ?? {};
  return [...linesOf(text), ...linesOf(stderr)];
}

/** Without colours and with control characters escaped. A carriage return ends a line, too. */
export function linesOf(text: string): string[] {
  const lines = escapeText(Bun.stripANSI(text).replaceAll(/\r\n?/g, "\n")).trimEnd();
  return lines === "" ? [] : lines.split("\n");
}

const LAST_LINES = 20;

const WHY = {
  "all-ended": "",
  "timed-out": "Timed out. ",
  interrupted: "Interrupted. ",
  "gave-up": "Stopped after too many failures. ",
} as const satisfies Record<BatchOutcome["how"], string>;

function lengthOf(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)}s` : durationText(Math.round(ms / 1000) * 1000);
}
