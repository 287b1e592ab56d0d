import type { Entry, PendingJob } from "../job/job.ts";
import { enqueue } from "../job/lifecycle.ts";
import type { JobSpec } from "../job/spec.ts";
import { idTaken } from "../store/admission.ts";
import type { EnqueueOptions, Store } from "../store/store.ts";

/**
 * Takes jobs as the store would, refuses those that it would refuse, and leaves the store as it is. What holds an id is read
 * once: an id that is taken only later is not found.
 */
export class Rehearsal implements Pick<Store, "enqueue"> {
  readonly #store: Store;
  readonly #now: () => number;
  #holders: Map<string, Entry> | undefined;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async enqueue(specs: readonly JobSpec[], { existing = "refuse" }: EnqueueOptions = {}): Promise<PendingJob[]> {
    const { max_retries } = await this.#store.config();
    this.#holders ??= await this.#readHolders();
    const holders = this.#holders;
    const named = new Map<string, PendingJob>();
    const added: PendingJob[] = [];
    for (const [index, spec] of specs.entries()) {
      const { id = "" } = spec;
      const holder = holders.get(id);
      if (holder || named.has(id)) {
        if (existing === "skip") continue;
        throw idTaken(id, holder, index);
      }
      const job = enqueue({ ...spec, id }, max_retries, this.#now());
      if (spec.id !== undefined) named.set(id, job);
      added.push(job);
    }
    for (const [id, job] of named) holders.set(id, job);
    return added;
  }

  async #readHolders(): Promise<Map<string, Entry>> {
    const entries: Entry[] = [...(await this.#store.list()), ...(await this.#store.deadLetters())];
    return new Map(entries.map((entry) => [entry.id, entry]));
  }
}
