/** A worker's eye on the others: it looks often for jobs whose worker is dead, which must cost next to nothing. */
import type { Lost } from "../present.ts";
import { findLost } from "./presence.ts";
import { freshWhileWatched, type SignCheck } from "./sign-of-life.ts";
import type { QueueState } from "./state.ts";

/** Every so many looks are thorough even if nothing can be lost, to forget the dead who left none. */
const THOROUGH_EVERY = 20;

export class Lookout {
  readonly #workers: string;
  readonly #state: () => QueueState;
  readonly #isFresh: SignCheck;
  #looks = 0;

  /** `workers` is the directory of the presences; `elapsed` goes forward evenly, in ms. */
  constructor(workers: string, { state, elapsed }: { state: () => QueueState; elapsed: () => number }) {
    this.#workers = workers;
    this.#state = state;
    this.#isFresh = freshWhileWatched(elapsed);
  }

  /** As `Store.lost`. */
  lost(holding: number | undefined): Lost[] {
    // Counting is cheap; going through the presences is not.
    const isWorthIt = this.#looks++ % THOROUGH_EVERY === 0 || this.#state().counts().processing > (holding ?? -1);
    return isWorthIt ? findLost(this.#workers, this.#isFresh, () => this.#state().processing()) : [];
  }
}
