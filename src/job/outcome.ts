import { durationText } from "./duration.ts";
import { unreachable } from "./errors.ts";

/**
 * How an attempt ended, as data. `lastLine` is the last line that the command printed, if it printed any, without NUL
 * characters, which not every store can keep; `retryAfterMs` is the delay that it asked for itself.
 */
export type Outcome =
  | { readonly kind: "exited"; readonly code: number; readonly lastLine?: string; readonly retryAfterMs?: number }
  | { readonly kind: "signaled"; readonly signal: string; readonly lastLine?: string; readonly retryAfterMs?: number }
  /** It took longer than the job's `timeout`, and was ended. */
  | { readonly kind: "timed-out"; readonly afterMs: number; readonly lastLine?: string }
  | { readonly kind: "could-not-start"; readonly reason: string }
  /** The worker died under it; whatever was left of the attempt has been ended. */
  | { readonly kind: "worker-lost"; readonly workerId: string }
  /** Somebody wanted it ended. */
  | { readonly kind: "canceled" }
  /** Nothing was begun, for it had expired: the attempt is not charged. */
  | { readonly kind: "expired" }
  /** Handed back unfinished at a clean stop: the attempt is not charged. */
  | { readonly kind: "released" };

/** The one sentence that `last_error` and the DLQ show for an outcome. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return withLastLine(`exit ${outcome.code}`, outcome.lastLine);
    case "signaled":
      return withLastLine(`killed by ${outcome.signal}`, outcome.lastLine);
    case "timed-out":
      return withLastLine(`timed out after ${durationText(outcome.afterMs)}`, outcome.lastLine);
    case "canceled":
      return "canceled";
    case "expired":
      return "expired before it was begun";
    case "could-not-start":
      return `could not start: ${outcome.reason}`;
    case "worker-lost":
      return `worker ${outcome.workerId} was killed`;
    case "released":
      return "released unfinished";
    default:
      return unreachable(outcome);
  }
}

function withLastLine(ending: string, lastLine: string | undefined): string {
  return lastLine === undefined ? ending : `${ending}: ${lastLine}`;
}

/** How an attempt ended that is described so: what of it a program can hand on as its own exit code. */
export function endingOf(description: string): { code: number } | { signal: string } | "timed-out" | undefined {
  const [, code, signal] = /^(?:exit (\d+)|killed by (SIG\w+))(?:: |$)/.exec(description) ?? [];
  if (code !== undefined) return { code: Number(code) };
  if (signal !== undefined) return { signal };
  return description.startsWith("timed out after ") ? "timed-out" : undefined;
}
