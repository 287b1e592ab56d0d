/** How many jobs end a second, from counts that are looked at now and then. */
import type { Counts } from "../../store/store.ts";

const SECOND_MS = 1000;
const KEPT_SECONDS = 60;

type Ended = Pick<Counts, "completed" | "failed" | "dead">;

export class Throughput {
  /** By the second, as a number since the epoch. */
  readonly #ended = new Map<number, number>();
  #from: number | undefined;
  #last: { readonly at: number; readonly counts: Ended } | undefined;

  /** What ended since the last look is spread evenly over the time since then. */
  look(counts: Ended, at: number): void {
    const last = this.#last ?? { at, counts };
    this.#last = { at, counts };
    this.#from ??= secondOf(at);
    // What is put back into the queue does not undo the end that it had.
    const ended = (["completed", "failed", "dead"] as const)
      .map((state) => Math.max(0, counts[state] - last.counts[state]))
      .reduce((sum, one) => sum + one);
    const start = Math.min(last.at, at - 1);
    for (let from = start; from < at; ) {
      const second = secondOf(from);
      const to = Math.min(at, (second + 1) * SECOND_MS);
      this.#ended.set(second, (this.#ended.get(second) ?? 0) + (ended * (to - from)) / (at - start));
      from = to;
    }
    for (const second of this.#ended.keys()) if (second < secondOf(at) - KEPT_SECONDS) this.#ended.delete(second);
  }

  /** The last minute, or what of it has been seen: whole seconds alone, the latest last. */
  perSecond(): number[] {
    const end = secondOf(this.#last?.at ?? 0);
    const start = Math.max(end - KEPT_SECONDS, this.#from ?? end);
    return Array.from({ length: Math.max(0, end - start) }, (_, i) => this.#ended.get(start + i) ?? 0);
  }
}

function secondOf(at: number): number {
  return Math.floor(at / SECOND_MS);
}
