import type { Entry, PendingJob } from "../job/job.ts";
import { replace, type UnfinishedJob } from "../job/key.ts";
import type { JobSpec } from "../job/spec.ts";
import { admit, jobsOf } from "../store/admission.ts";
import { KeyHolders } from "../store/key-holders.ts";
import type { Residents } from "../store/residents.ts";
import type { Enqueuing, Store } from "../store/store.ts";

/**
 * Takes jobs as the store would, refuses those that it would refuse, and leaves the store as it is. What has an id is read
 * once: an id that is taken only later is not found.
 */
export class Rehearsal implements Pick<Store, "enqueue"> {
  readonly #store: Store;
  readonly #now: () => number;
  #cast: Cast | undefined;
  #unnamed = 0;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async enqueue(specs: readonly JobSpec[], { existing = "refuse", onSkip }: Enqueuing = {}): Promise<PendingJob[]> {
    const { max_retries: maxRetries } = await this.#store.config();
    this.#cast ??= await Cast.of(this.#store);
    const residents = this.#cast;
    const now = this.#now();
    // In place of an id that would be made up stands one that nobody can have given.
    const named = specs.map((spec) => ({ ...spec, id: spec.id ?? `\n${++this.#unnamed}` }));
    const admitted = admit(named, { existing, maxRetries, now, random: () => 0, residents });
    for (const { after } of replace(admitted.replacements, (id) => residents.waitersOf(id), now)) residents.put(after);
    for (const job of admitted.jobs) residents.put(job);
    return jobsOf(admitted, onSkip);
  }
}

/** Everybody who has an id, as they would be. */
class Cast implements Residents {
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new KeyHolders();

  static async of(store: Store): Promise<Cast> {
    const cast = new Cast();
    for (const entry of [...(await store.list()), ...(await store.deadLetters())]) cast.put(entry);
    return cast;
  }

  put(entry: Entry): void {
    const before = this.#entries.get(entry.id);
    if (before) this.#keys.remove(before);
    this.#keys.add(entry);
    this.#entries.set(entry.id, entry);
  }

  entry(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  keyHolder(key: string): UnfinishedJob | undefined {
    const id = this.#keys.of(key);
    return id === undefined ? undefined : (this.entry(id) as UnfinishedJob);
  }

  waitersOf(id: string): PendingJob[] {
    const entries = Array.from(this.#entries.values());
    return entries.filter((entry): entry is PendingJob => "waits_for" in entry && !!entry.waits_for?.includes(id));
  }
}
