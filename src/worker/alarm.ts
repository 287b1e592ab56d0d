/** Something to sleep on: any number of rings, at any time since the last `reset`, end one sleep. */
export class Alarm {
  #rings = 0;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rings++;
    this.#wake?.();
  }

  /** Forgets the rings so far: what they announced is about to be looked at. */
  reset(): void {
    this.#rings = 0;
  }

  /** Sleeps until a ring, or for `ms` milliseconds. */
  async sleep(ms?: number): Promise<void> {
    if (this.#rings > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
