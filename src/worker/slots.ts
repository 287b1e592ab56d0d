/** The places in which a worker runs attempts side by side. Each is taken until what ended in it has been settled. */
import type { Lease } from "../job/job.ts";
import type { AttemptEnd } from "../job/lifecycle.ts";

export class Slots {
  readonly #count: number;
  readonly #onEnd: () => void;
  #running = 0;
  #ended: { readonly lease: Lease; readonly attempt: Promise<AttemptEnd> }[] = [];
  /** Of every attempt that is running or waits to be settled. */
  readonly leases = new Set<Lease>();

  constructor(count: number, onEnd: () => void) {
    this.#count = count;
    this.#onEnd = onEnd;
  }

  get taken(): number {
    return this.#running + this.#ended.length;
  }

  get free(): number {
    return this.#count - this.taken;
  }

  get running(): number {
    return this.#running;
  }

  /** Takes a slot for an attempt that has begun. */
  take(lease: Lease, attempt: Promise<AttemptEnd>): void {
    this.leases.add(lease);
    this.#running += 1;
    const end = (): void => {
      this.#running -= 1;
      this.#ended.push({ lease, attempt });
      this.#onEnd();
    };
    attempt.then(end, end);
  }

  /** What has ended and is not settled, in the order it ended. Throws what an attempt threw. */
  async ended(): Promise<AttemptEnd[]> {
    return Promise.all(this.#ended.map(({ attempt }) => attempt));
  }

  /** The first so many of what has ended are settled: their slots are free. */
  settled(count: number): void {
    for (const { lease } of this.#ended.splice(0, count)) this.leases.delete(lease);
  }
}
