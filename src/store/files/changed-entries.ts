/**
 * Which entries the records of the journal are about, as they are replayed. It costs nothing that grows with the queue: only
 * where the state had to be loaded anew has everything perhaps changed.
 */
import type { CompletedJob, Entry } from "../../job/job.ts";
import type { ChangedEntries } from "../store.ts";
import { archivingOf } from "./archive.ts";
import type { JournalRecord } from "./commit.ts";
import type { QueueState } from "./state.ts";

/** What it looks at: the state as of now, which may be another than before, and the clock. */
interface Source {
  readonly state: () => QueueState;
  readonly now: () => number;
}

export class FilesChangedEntries implements ChangedEntries {
  readonly #source: Source;
  #state: QueueState;
  readonly #ids = new Set<string>();
  #archived: CompletedJob[] = [];
  #watching: Disposable;

  constructor(source: Source) {
    this.#source = source;
    this.#state = source.state();
    this.#watching = this.#watch();
  }

  async take(): Promise<{ entries: readonly Entry[]; at: number }> {
    const state = this.#source.state();
    const isSame = state === this.#state;
    const entries = isSame ? this.#touched() : [...state.jobs(), ...state.deadLetters()];
    this.#ids.clear();
    this.#archived = [];
    if (!isSame) {
      this.#watching[Symbol.dispose]();
      this.#state = state;
      this.#watching = this.#watch();
    }
    return { entries, at: this.#source.now() };
  }

  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
  }

  #watch(): Disposable {
    return this.#state.watch((record) => this.#replaying(record));
  }

  /** What goes into the archive can be seen now for the last time. */
  #replaying(record: JournalRecord): void {
    const { to, id } = record;
    if (to === "rules" || to === "schedules") return;
    if (to !== "archive") this.#ids.add(id);
    else for (const one of archivingOf(record).ids) this.#archiving(one);
  }

  #archiving(id: string): void {
    if (this.#ids.has(id)) this.#archived.push(this.#state.job(id) as CompletedJob);
  }

  #touched(): Entry[] {
    const entries = Array.from(this.#ids, (id) => this.#state.entry(id)).filter((entry) => entry !== undefined);
    return [...this.#archived, ...entries];
  }
}
