/**
 * Which entries the records of the journal are about, as they are replayed. It costs nothing that grows with the queue: only
 * where the state had to be loaded anew has everything perhaps changed. What has left for the archive is read there.
 */
import type { CompletedJob, Entry } from "../../job/job.ts";
import { type ChangedEntries, LATE_MS } from "../changed-entries.ts";
import { readArchive } from "./archive.ts";
import { type ArchiveRange, rangesSince } from "./archive-range.ts";
import type { QueueState } from "./state.ts";

interface Source {
  /** As of now: another one where it was loaded anew. */
  readonly state: () => QueueState;
  /** The directory of the archive. */
  readonly archive: string;
  readonly now: () => number;
}

export class FilesChangedEntries implements ChangedEntries {
  readonly #source: Source;
  readonly #ids = new Set<string>();
  #state: QueueState;
  #watching: Disposable;
  /** As of the latest look, and when that was. */
  #archive: readonly ArchiveRange[];
  #at: number;

  constructor(source: Source) {
    this.#source = source;
    this.#state = source.state();
    this.#watching = this.#watch();
    this.#archive = this.#state.standing.archive;
    this.#at = source.now();
  }

  async take(): Promise<{ entries: readonly Entry[]; at: number }> {
    const state = this.#source.state();
    const isSame = state === this.#state;
    const entries = [...this.#archived(state), ...(isSame ? this.#touched() : everythingIn(state))];
    if (!isSame) {
      this.#watching[Symbol.dispose]();
      this.#state = state;
      this.#watching = this.#watch();
    }
    this.#ids.clear();
    this.#archive = state.standing.archive;
    this.#at = this.#source.now();
    return { entries, at: this.#at };
  }

  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
  }

  #watch(): Disposable {
    return this.#state.watch(({ id, to }) => {
      if (to === undefined || to === "queue" || to === "dlq") this.#ids.add(id);
    });
  }

  #touched(): Entry[] {
    return Array.from(this.#ids, (id) => this.#state.entry(id)).filter((entry) => entry !== undefined);
  }

  #archived({ standing }: QueueState): CompletedJob[] {
    const jobs: CompletedJob[] = [];
    for (const batch of readArchive(this.#source.archive, rangesSince(standing.archive, this.#archive))) {
      jobs.push(...batch.filter(({ updated_at }) => updated_at >= this.#at - LATE_MS));
    }
    return jobs;
  }
}

function everythingIn(state: QueueState): Entry[] {
  return [...state.jobs(), ...state.deadLetters()];
}
