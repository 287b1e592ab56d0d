/** Who waits for whom: by id, the jobs that may not be claimed before that one is completed. */
import type { PendingJob } from "../../job/job.ts";

export class Waiters {
  readonly #by = new Map<string, Set<string>>();

  of(id: string): string[] {
    return [...(this.#by.get(id) ?? [])];
  }

  add({ id, waits_for = [] }: PendingJob): void {
    for (const other of waits_for) {
      const waiters = this.#by.get(other) ?? new Set();
      this.#by.set(other, waiters.add(id));
    }
  }

  remove({ id, waits_for = [] }: PendingJob): void {
    for (const other of waits_for) {
      const waiters = this.#by.get(other);
      waiters?.delete(id);
      if (waiters?.size === 0) this.#by.delete(other);
    }
  }
}
