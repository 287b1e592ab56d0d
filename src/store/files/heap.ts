/** A binary heap: the smallest item first, by `compare`. Insertion and removal cost the logarithm of its size. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#inOrder(parent, at)) return;
      this.#swap(parent, at);
      at = parent;
    }
  }

  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length === 0 || last === undefined) return first;
    this.#items[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const child = left + 1 < this.#items.length && !this.#inOrder(left, left + 1) ? left + 1 : left;
      if (child >= this.#items.length || this.#inOrder(at, child)) return first;
      this.#swap(at, child);
      at = child;
    }
  }

  #inOrder(a: number, b: number): boolean {
    return this.#compare(this.#items[a] as T, this.#items[b] as T) <= 0;
  }

  #swap(a: number, b: number): void {
    [this.#items[a], this.#items[b]] = [this.#items[b] as T, this.#items[a] as T];
  }
}
