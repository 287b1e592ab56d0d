/** Who has which key while jobs come, one after the other. */
import type { PendingJob } from "../job/job.ts";
import { keyTaken, type UnfinishedJob } from "../job/key.ts";
import type { JobSpec } from "../job/spec.ts";
import type { Residents } from "./residents.ts";
import type { EnqueueOptions } from "./store.ts";

export class NewcomerKeys {
  readonly #residents: Residents;
  readonly #newcomers = new Map<string, PendingJob>();
  /** Residents whose key a newcomer has, by key. */
  readonly replaced = new Map<string, PendingJob>();

  constructor(residents: Residents) {
    this.#residents = residents;
  }

  /** Who is there instead of the job, which is left out for him. Throws `E_JOB_EXISTS` where that is not what it says. */
  holderInsteadOf(
    spec: JobSpec,
    { existing, index }: Required<EnqueueOptions> & { readonly index: number },
  ): UnfinishedJob | undefined {
    const { key, if_exists = existing === "skip" ? "skip" : "fail" } = spec;
    const holder = key === undefined ? undefined : this.#holder(key);
    if (!holder || if_exists === "skip") return holder;
    if (if_exists === "replace" && holder.state === "pending") return undefined;
    const hint =
      if_exists === "replace"
        ? "What is running is not replaced."
        : "To leave it at that: --if-exists skip. To have this one in its place: --if-exists replace.";
    throw keyTaken(spec, holder, { index, hint });
  }

  /** Has the job have its key from now on. Returns who came in the same call and has to go for that. */
  give(job: PendingJob): PendingJob | undefined {
    if (job.key === undefined) return undefined;
    const newcomer = this.#newcomers.get(job.key);
    const resident = newcomer ? undefined : this.#residents.keyHolder(job.key);
    if (resident?.state === "pending") this.replaced.set(job.key, resident);
    this.#newcomers.set(job.key, job);
    return newcomer;
  }

  #holder(key: string): UnfinishedJob | undefined {
    return this.#newcomers.get(key) ?? this.#residents.keyHolder(key);
  }
}
