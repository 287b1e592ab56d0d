/** How many of a worker's jobs may fail for good before it begins no more. */
import type { JobEvent, LeaseLost } from "../job/event.ts";
import { type AttemptEnd, mayRetry } from "../job/lifecycle.ts";

export class FailureLimit {
  readonly #most: number | undefined;
  #failures = 0;

  /** Undefined for any number. */
  constructor(most: number | undefined) {
    this.#most = most;
  }

  /** Whether it has to be seen first what becomes of these ends, before anything else is begun. */
  mayBeReachedBy(ends: readonly AttemptEnd[]): boolean {
    return this.#most !== undefined && mayRetry(ends);
  }

  /** Whether it is, with what became of some ends. */
  isReachedBy(ended: readonly (JobEvent | LeaseLost)[]): boolean {
    this.#failures += ended.filter(({ event }) => event === "dead-lettered" || event === "failed").length;
    return this.#most !== undefined && this.#failures >= this.#most;
  }
}
