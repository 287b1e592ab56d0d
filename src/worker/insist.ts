/** Calls a store that cannot be used just now again and again, more and more rarely. */
import { QueueError } from "../job/errors.ts";
import { pause } from "./pause.ts";

const FIRST_MS = 250;
const LONGEST_MS = 30_000;

export interface Insistence {
  /** Whether the answer is not worth waiting for any more. */
  readonly giveUp: () => boolean;
  /** Told before each wait. */
  readonly onTrouble: (error: QueueError, retryInMs: number) => void;
  /** Cuts a wait short. */
  readonly hurry: () => AbortSignal;
}

export class Insister {
  #answered = new AbortController();

  /** The store answers again: whoever waits before trying once more tries now. */
  hurry(): void {
    this.#answered.abort();
    this.#answered = new AbortController();
  }

  /** What `call` returns once it does; undefined when it was given up. Throws what is no `QueueError`. */
  async insist<T>(call: () => Promise<T>, { giveUp, onTrouble, hurry }: Insistence): Promise<T | undefined> {
    for (let retryInMs = FIRST_MS; ; retryInMs = Math.min(retryInMs * 2, LONGEST_MS)) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof QueueError)) throw error;
        if (giveUp()) return undefined;
        onTrouble(error, retryInMs);
        await pause(retryInMs, AbortSignal.any([hurry(), this.#answered.signal]));
        if (giveUp()) return undefined;
      }
    }
  }
}
