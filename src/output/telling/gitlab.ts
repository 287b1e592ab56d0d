/**
 * GitLab CI: the output of a failed job in a section that can be opened. What begins and ends one is an escape sequence, and
 * what jobs printed is shown with its control characters escaped.
 */
import type { JobResult } from "../../job/result.ts";
import { failureLine, lastLines } from "../outcome-view.ts";
import type { AttemptPrinted } from "../output.ts";
import type { Teller } from "./teller.ts";

const CLEAR = "\x1b[0K";

/** `now` in epoch ms: the runner wants to know when a section began. */
export function gitlab(now: () => number): Teller {
  let sections = 0;
  return {
    folds: true,
    failure(result: JobResult, printed: readonly AttemptPrinted[]): string[] {
      const last = lastLines(result, printed);
      if (last.length === 0) return [failureLine(result)];
      const name = `queuectl_${++sections}`;
      const at = Math.floor(now() / 1000);
      return [
        `${CLEAR}section_start:${at}:${name}[collapsed=true]\r${CLEAR}${failureLine(result)}`,
        ...last,
        `${CLEAR}section_end:${at}:${name}\r${CLEAR}`,
      ];
    },
    end: () => [],
    harmless: (text) => text,
  };
}
