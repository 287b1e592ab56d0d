/**
 * The delay that a job asks for itself: it writes a number of seconds to the file named in `QUEUECTL_RETRY_AFTER`, and
 * fails. The file is beside the log of the attempt, and is removed when the attempt has ended.
 */
import { lstatSync, readFileSync, unlinkSync } from "node:fs";

const MAX_BYTES = 100;
const MAX_SECONDS = 365 * 86_400;

/** Where an attempt with this log asks for its delay. */
export function retryAfterPath(logPath: string): string {
  return `${logPath}.retry-after`;
}

/** The delay in ms; undefined where none was asked for, or nothing that is one. */
export function takeRetryAfter(logPath: string): number | undefined {
  const path = retryAfterPath(logPath);
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) return undefined;
    const text = stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(path, "utf8").trim() : "";
    unlinkSync(path);
    const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    return seconds <= MAX_SECONDS ? Math.round(seconds * 1000) : undefined;
  } catch {
    // It is not worth more than the attempt's own outcome.
    return undefined;
  }
}
