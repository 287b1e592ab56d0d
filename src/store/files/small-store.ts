/**
 * A small store to which a few jobs are added without reading it. Its snapshots tell as text which ids are taken; what was
 * appended since is read. Where nobody works, so that the store is to be left at rest, the text of `queue.json` is written
 * anew with the new jobs behind it: what that costs depends on no job that was there before.
 */
import { reach } from "../../failpoint.ts";
import { renewSnapshots } from "./checkpoint.ts";
import type { CommitContent } from "./commit.ts";
import { Journal } from "./journal.ts";
import type { Layout } from "./layout.ts";
import { isGone } from "./loading.ts";
import { limitBeside } from "./replica.ts";
import { readUnread, type UnreadSnapshot } from "./snapshot.ts";
import type { UnreadStore } from "./unread-store.ts";

/** More questions are answered sooner by reading the store than by going through all of its text for each. */
const FEW_QUESTIONS = 16;

export class SmallStore implements UnreadStore {
  readonly #layout: Layout;
  readonly #queue: UnreadSnapshot;
  readonly #dlq: UnreadSnapshot;
  readonly #journal: Journal;
  readonly #nobodyWorks: () => boolean;
  /** The ids that were added behind the snapshots. */
  readonly #added = new Set<string>();
  #questions = 0;
  #isToRest = false;

  private constructor(
    layout: Layout,
    { queue, dlq, journal }: { queue: UnreadSnapshot; dlq: UnreadSnapshot; journal: Journal },
    nobodyWorks: () => boolean,
  ) {
    this.#layout = layout;
    this.#queue = queue;
    this.#dlq = dlq;
    this.#journal = journal;
    this.#nobodyWorks = nobodyWorks;
  }

  /**
   * To be called with the lock held. Undefined where the store has to be read: also where there is none, and where its two
   * snapshots are not as of one commit.
   */
  static open(layout: Layout, nobodyWorks: () => boolean): SmallStore | undefined {
    const queue = readUnread(layout.queue, "jobs");
    const dlq = queue && readUnread(layout.dlq, "dlq");
    if (!dlq || dlq.check !== queue.dlqCheck) return undefined;
    reach("read-snapshots");
    const journal = Journal.open(layout.journal(queue.generation), queue);
    if (journal && !isGone(layout, queue)) return new SmallStore(layout, { queue, dlq, journal }, nobodyWorks);
    journal?.[Symbol.dispose]();
    return undefined;
  }

  catchUp(): boolean {
    for (const { records } of this.#journal.readNew()) {
      for (const { id, to } of records) if (to !== undefined) this.#added.add(id);
    }
    const { isSound, next, size } = this.#journal;
    if (!isSound || next || this.#isOutgrown(size)) return false;
    this.#isToRest = this.#nobodyWorks();
    // Else the snapshots lack more than the new jobs.
    return !this.#isToRest || size === this.#queue.at;
  }

  mayHold(id: string): boolean {
    this.#questions += 1;
    if (this.#questions > FEW_QUESTIONS || this.#added.has(id)) return true;
    // Within a string its quotes would be escaped.
    const written = `"id":${JSON.stringify(id)}`;
    return this.#queue.entries.includes(written) || this.#dlq.entries.includes(written);
  }

  append(content: CommitContent): boolean {
    if (this.#isToRest) return this.#renew(content);
    // The commit after which a checkpoint is due is for who can make one.
    return !this.#isOutgrown(this.#journal.positionAfter(content).at) && this.#journal.append(content);
  }

  sync(): void {
    // What is at rest is on the disk.
    if (!this.#isToRest) this.#journal.sync();
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }

  #isOutgrown(journalBytes: number): boolean {
    return journalBytes > limitBeside(this.#queue.bytes + this.#dlq.bytes);
  }

  #renew(content: CommitContent): boolean {
    const { entries, standing, dlqCheck } = this.#queue;
    const added = content.records.map(({ set }) => JSON.stringify(set));
    const state = { standing, jobs: () => (entries === "" ? added : [entries, ...added]), deadLetters: () => [] };
    return renewSnapshots(this.#layout, { state, journal: this.#journal, dlqCheck }, content) !== undefined;
  }
}
