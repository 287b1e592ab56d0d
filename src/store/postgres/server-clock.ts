/** The clock that counts, the database's, as it is known on this machine. */
interface Clocks {
  readonly now: () => number;
  /** In ms, from any moment on; it goes forward, and evenly. */
  readonly elapsed: () => number;
  /** How far the database's clock is ahead of `now`; undefined where `now` itself counts. */
  readonly aheadMs: number | undefined;
}

export class ServerClock {
  readonly #clocks: Clocks;
  #aheadMs: number;

  constructor(clocks: Clocks) {
    this.#clocks = clocks;
    this.#aheadMs = clocks.aheadMs ?? 0;
  }

  /** In epoch ms. */
  now(): number {
    return Math.round(this.#clocks.now() + this.#aheadMs);
  }

  /** When that is by this machine's own clock. */
  here(databaseMs: number): number {
    return databaseMs - this.#aheadMs;
  }

  /** The database has told its time, asked at a moment of `elapsed`: its answer was on its way for half of the time it took. */
  told(databaseMs: number, askedAt: number): void {
    const { now, elapsed, aheadMs } = this.#clocks;
    if (aheadMs !== undefined) this.#aheadMs = databaseMs - now() + (elapsed() - askedAt) / 2;
  }

  /** Now, as `elapsed` says it. */
  elapsed(): number {
    return this.#clocks.elapsed();
  }
}
