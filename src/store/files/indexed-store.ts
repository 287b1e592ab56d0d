/**
 * A large store to which jobs are added without reading it: `ids.bin` tells where the chain of commits stood at some
 * position of the journals and which ids were taken, and what was appended since is read. Doubtful are an id that may be
 * taken, a torn line, and a journal that has gone.
 */
import { QueueError } from "../../job/errors.ts";
import type { CommitContent, JournalRecord } from "./commit.ts";
import { IdIndex } from "./id-index.ts";
import { Journal } from "./journal.ts";
import type { Layout } from "./layout.ts";
import { isGone } from "./loading.ts";
import { generationAt } from "./snapshot.ts";
import type { UnreadStore } from "./unread-store.ts";

/** What was read behind the index goes into it when it is so much, lest the next one has to read it, too. */
const EXTEND_FROM_BYTES = 64 * 1024;

export class IndexedStore implements UnreadStore {
  readonly #layout: Layout;
  readonly #index: IdIndex;
  /** The ids that were added behind the index. */
  readonly #added = new Set<string>();
  #journal: Journal;
  /** How much was read behind the index. */
  #bytes = 0;

  private constructor(layout: Layout, index: IdIndex, journal: Journal) {
    this.#layout = layout;
    this.#index = index;
    this.#journal = journal;
  }

  /** Undefined where it has to be read. */
  static open(layout: Layout): IndexedStore | undefined {
    const index = IdIndex.open(layout.ids);
    if (!index) return undefined;
    const { position } = index;
    const journal = Journal.open(layout.journal(position.generation), position);
    const isInUse = generationAt(layout.queue) !== undefined && !isGone(layout, position);
    if (isInUse && journal?.follows(position)) return new IndexedStore(layout, index, journal);
    journal?.[Symbol.dispose]();
    index[Symbol.dispose]();
    return undefined;
  }

  catchUp(): boolean {
    for (;;) {
      const before = this.#journal.size;
      for (const { records } of this.#journal.readNew()) this.#learn(records);
      this.#bytes += this.#journal.size - before;
      if (!this.#journal.isRead) continue;
      if (!this.#journal.isSound) return false;
      const { next } = this.#journal;
      if (!next) return true;
      const journal = Journal.open(this.#layout.journal(next.generation), next);
      if (!journal || isGone(this.#layout, next)) {
        journal?.[Symbol.dispose]();
        return false;
      }
      this.#journal[Symbol.dispose]();
      this.#journal = journal;
    }
  }

  mayHold(id: string): boolean {
    return this.#added.has(id) || this.#index.mayHold(id);
  }

  append(content: CommitContent): boolean {
    const before = this.#journal.size;
    if (!this.#journal.append(content)) return false;
    this.#learn(content.records);
    this.#bytes += this.#journal.size - before;
    return true;
  }

  sync(): void {
    this.#journal.sync();
    if (this.#bytes >= EXTEND_FROM_BYTES) this.#extend();
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
    this.#index[Symbol.dispose]();
  }

  /** What was added is added, whether or not this succeeds. */
  #extend(): void {
    try {
      this.#index.extend(this.#added, this.#journal.position);
      this.#added.clear();
      this.#bytes = 0;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
    }
  }

  #learn(records: readonly JournalRecord[]): void {
    for (const { id, to } of records) if (to !== undefined) this.#added.add(id);
  }
}
