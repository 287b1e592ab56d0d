/** Has changes of the store wake a worker that has nothing to do. */
import type { Store, Wakes, Watching } from "../store/store.ts";

/** Between two looks at a store that keeps changing. */
const BETWEEN_WAKES_MS = 5;

export class Listening {
  readonly #store: Store;
  readonly #of: Wakes;
  readonly #wake: () => void;
  readonly #now: () => number;
  #watching: Watching | undefined;
  #lookedAt = 0;
  #timer: Timer | undefined;

  constructor(store: Store, { of, wake, now }: { of: Wakes; wake: () => void; now: () => number }) {
    this.#store = store;
    this.#of = of;
    this.#wake = wake;
    this.#now = now;
  }

  /** True when that is new. */
  begin(): boolean {
    if (this.#watching) return false;
    this.#watching = this.#store.changes(() => this.#changed(), this.#of);
    return true;
  }

  end(): void {
    this.#watching?.[Symbol.dispose]();
    this.#watching = undefined;
  }

  /** Whether it is told of all that it listens for, and need not look. */
  get hearsAll(): boolean {
    return this.#watching !== undefined && this.#watching.isBlind !== true;
  }

  /** The worker has just looked at the store. */
  looked(): void {
    this.#lookedAt = this.#now();
  }

  /** Wakes at once after a quiet time; while others, or this worker itself, keep changing the store, now and then. */
  #changed(): void {
    const waitMs = Math.min(this.#lookedAt + BETWEEN_WAKES_MS - this.#now(), BETWEEN_WAKES_MS);
    if (waitMs <= 0) this.#wake();
    else {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#wake();
      }, waitMs).unref();
    }
  }
}
