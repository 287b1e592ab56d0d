/**
 * What is new about entries that are looked at again and again. To know it, those that have changed lately are remembered, and
 * those that run. Of any other, what happened before the last look but a while has been told.
 */
import { type Happening, happeningsOf, happeningsSince, type Recorded } from "../job/happening.ts";
import { changedAt, isIn } from "../job/job.ts";

/** Much longer than a commit may take to be seen, or than the clocks of two machines may differ. */
const WHILE_MS = 10_000;
/** So many are remembered for longer, for what leaves no trace in the record: that somebody had one run again. */
export const KNOWN_AT_LEAST = 10_000;

export class News {
  /** As they were when they were looked at last, those first that have not changed for longest. */
  readonly #known = new Map<string, Recorded>();
  readonly #since: number;
  #lookedAt: number;

  /**
   * From `at` on all that happens is news. So is what was committed just then and has an earlier time, where everything that
   * had happened is `told`, and learnt.
   */
  constructor(at: number, { told }: { told: boolean }) {
    this.#since = told ? at - WHILE_MS : at;
    this.#lookedAt = at;
  }

  /** Everything about these has been told. */
  learn(entries: readonly Recorded[]): void {
    for (const entry of entries) this.#remember(entry);
    this.#forget();
  }

  /** What has happened that these tell of, in order of time; `at` is when they were looked at. */
  of(entries: readonly Recorded[], at: number): Happening[] {
    const from = this.#from();
    const happenings = entries.flatMap((entry) => {
      const before = this.#known.get(entry.id);
      this.#remember(entry);
      // Where it was removed and its id was free, another job has that now.
      if (before?.created_at === entry.created_at) return happeningsSince(before, entry);
      return changedAt(entry) < from ? [] : happeningsOf(entry).filter((one) => one.at >= from);
    });
    this.#lookedAt = at;
    this.#forget();
    return happenings.sort((a, b) => a.at - b.at);
  }

  /** From when on what is not remembered is news. A clock that was set back takes it along. */
  #from(): number {
    return Math.min(this.#lookedAt, Math.max(this.#since, this.#lookedAt - WHILE_MS));
  }

  #remember(entry: Recorded): void {
    this.#known.delete(entry.id);
    if (this.#known.size < KNOWN_AT_LEAST || !this.#isOld(entry)) this.#known.set(entry.id, entry);
  }

  #forget(): void {
    for (const [id, entry] of this.#known) {
      if (this.#known.size <= KNOWN_AT_LEAST || changedAt(entry) >= this.#from()) return;
      if (this.#isOld(entry)) this.#known.delete(id);
    }
  }

  #isOld(entry: Recorded): boolean {
    return changedAt(entry) < this.#from() && !isIn(entry, "processing");
  }
}
