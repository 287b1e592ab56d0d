import { unreachable } from "./errors.ts";

/**
 * How an attempt ended, as data. `lastLine` is the last line that the command printed, if it printed any, without NUL
 * characters, which not every store can keep.
 */
export type Outcome =
  | { readonly kind: "exited"; readonly code: number; readonly lastLine?: string }
  | { readonly kind: "signaled"; readonly signal: string; readonly lastLine?: string }
  | { readonly kind: "could-not-start"; readonly reason: string }
  /** The worker died under it; whatever was left of the attempt has been ended. */
  | { readonly kind: "worker-lost"; readonly workerId: string }
  /** Handed back unfinished at a clean stop: the attempt is not charged. */
  | { readonly kind: "released" };

/** The one sentence that `last_error` and the DLQ show for an outcome. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return withLastLine(`exit ${outcome.code}`, outcome.lastLine);
    case "signaled":
      return withLastLine(`killed by ${outcome.signal}`, outcome.lastLine);
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
