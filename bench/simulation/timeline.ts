/** What is yet to happen, in the order of time: a binary heap. What is to happen at the same time happens in any order. */
export class Timeline {
  readonly #times: number[] = [];
  readonly #acts: (() => void)[] = [];
  #now = 0;

  /** In ms. */
  get now(): number {
    return this.#now;
  }

  after(delayMs: number, act: () => void): void {
    const time = this.#now + delayMs;
    let at = this.#times.length;
    for (let above = (at - 1) >> 1; at > 0 && time < this.#time(above); above = (at - 1) >> 1) {
      this.#place(at, this.#time(above), this.#act(above));
      at = above;
    }
    this.#place(at, time, act);
  }

  /** Has everything happen that is to happen until then. */
  runUntil(endMs: number): void {
    while (this.#times.length > 0 && this.#time(0) <= endMs) {
      this.#now = this.#time(0);
      this.#takeFirst()();
    }
    this.#now = endMs;
  }

  #takeFirst(): () => void {
    const first = this.#act(0);
    const time = this.#times.pop() ?? 0;
    const act = this.#acts.pop() ?? first;
    const { length } = this.#times;
    if (length === 0) return first;
    let at = 0;
    for (let below = 1; below < length; below = 2 * at + 1) {
      if (below + 1 < length && this.#time(below + 1) < this.#time(below)) below += 1;
      if (this.#time(below) >= time) break;
      this.#place(at, this.#time(below), this.#act(below));
      at = below;
    }
    this.#place(at, time, act);
    return first;
  }

  #place(at: number, time: number, act: () => void): void {
    this.#times[at] = time;
    this.#acts[at] = act;
  }

  #time(at: number): number {
    return this.#times[at] ?? Number.POSITIVE_INFINITY;
  }

  #act(at: number): () => void {
    return this.#acts[at] ?? (() => {});
  }
}
