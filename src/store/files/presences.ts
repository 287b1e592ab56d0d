/** Those at work on a data directory. What is done about them by workers alone, presence.ts, is loaded for those. */
import type { ProcessingJob } from "../../job/job.ts";
import type { Announced, Announcement, Lost, Present } from "../present.ts";
import { roster } from "./roster.ts";
import { freshBefore, freshWhileWatched, type SignCheck } from "./sign-of-life.ts";
import type { QueueState } from "./state.ts";

/** Every so many looks for lost jobs are thorough even if none can be lost, to forget the dead who left none. */
const THOROUGH_EVERY = 20;

export class Presences {
  readonly #directory: string;
  readonly #now: () => number;
  readonly #state: () => QueueState;
  readonly #isFresh: SignCheck;
  #looks = 0;

  /** `now` in epoch ms; `elapsed` in ms, from any moment on. */
  constructor(
    directory: string,
    from: { readonly now: () => number; readonly elapsed: () => number; readonly state: () => QueueState },
  ) {
    this.#directory = directory;
    this.#now = from.now;
    this.#state = from.state;
    this.#isFresh = freshWhileWatched(from.elapsed);
  }

  present(): Present[] {
    return roster(this.#directory, freshBefore(this.#now())).alive;
  }

  nobodyWorks(): boolean {
    return this.present().every(({ kind }) => kind !== "worker");
  }

  async announce(as: Announced): Promise<Announcement> {
    const { announce } = await import("./presence.ts");
    // Only workers hold jobs, and a supervisor need not know them.
    const jobs = as.kind === "worker" ? this.#state().processing() : [];
    const holders = new Set(Array.from(jobs, ({ worker_id }) => worker_id));
    return announce(this.#directory, { ...as, now: this.#now(), isInUse: (id) => holders.has(id) });
  }

  /** As `Store.askToEnd`. */
  async askToEnd(job: ProcessingJob): Promise<boolean> {
    const { askToEnd } = await import("./presence.ts");
    return askToEnd(this.#directory, job, freshBefore(this.#now()));
  }

  /** As `Store.lost`. */
  async lost(holding = -1): Promise<Lost[]> {
    // Counting costs next to nothing, which is what an idle worker may cost; going through the presences does not.
    const isWorthIt = this.#looks++ % THOROUGH_EVERY === 0 || this.#state().counts().processing > holding;
    if (!isWorthIt) return [];
    const { findLost } = await import("./presence.ts");
    return findLost(this.#directory, this.#isFresh, () => this.#state().processing());
  }
}
