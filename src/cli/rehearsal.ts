import type { Entry, PendingJob } from "../job/job.ts";
import type { JobSpec } from "../job/spec.ts";
import { admit } from "../store/admission.ts";
import type { EnqueueOptions, Store } from "../store/store.ts";

/**
 * Takes jobs as the store would, refuses those that it would refuse, and leaves the store as it is. What has an id is read
 * once: an id that is taken only later is not found.
 */
export class Rehearsal implements Pick<Store, "enqueue"> {
  readonly #store: Store;
  readonly #now: () => number;
  #holders: Map<string, Entry> | undefined;
  #unnamed = 0;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async enqueue(specs: readonly JobSpec[], { existing = "refuse" }: EnqueueOptions = {}): Promise<PendingJob[]> {
    const { max_retries: maxRetries } = await this.#store.config();
    this.#holders ??= await this.#readHolders();
    const holders = this.#holders;
    // In place of an id that would be made up stands one that nobody can have given.
    const named = specs.map((spec) => ({ ...spec, id: spec.id ?? `\n${++this.#unnamed}` }));
    const holderOf = (id: string) => holders.get(id);
    const added = admit(named, { existing, maxRetries, now: this.#now(), random: () => 0, holderOf });
    for (const job of added) holders.set(job.id, job);
    return added;
  }

  async #readHolders(): Promise<Map<string, Entry>> {
    const entries: Entry[] = [...(await this.#store.list()), ...(await this.#store.deadLetters())];
    return new Map(entries.map((entry) => [entry.id, entry]));
  }
}
