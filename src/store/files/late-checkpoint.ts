/**
 * A checkpoint of a large store, whose snapshots come later than its commit, so that nobody waits while they are written:
 *
 *   1. with the lock: create journal g+1, append "checkpoint": g+1 to journal g, sync     ← generation g+1 has begun
 *   2. without it: write both snapshots as of that moment under temporary names, a piece at a time, and the index of all ids
 *   3. with the lock: if no later generation has begun, put them in place as any checkpoint does
 *
 * In step 3 large files are replaced and removed. That their space is given back waits until the lock is free again.
 *
 * Until then the snapshots of generation g and both journals say it all. Whoever begins a later generation takes away, when
 * it puts its own snapshots in place, what this one may still have under temporary names: so no old state comes back.
 */

import type { DeadLetter, Job } from "../../job/job.ts";
import { remove, rename, syncDirectory, writeNewSlowly } from "../local/durable.ts";
import { holdOpen } from "../local/hold-open.ts";
import { temporaryName } from "../local/temporary-name.ts";
import { createJournal, journalsBefore, placeSnapshots, type Temporaries, temporariesOf } from "./checkpoint.ts";
import type { CommitContent } from "./commit.ts";
import { encodeIndex } from "./id-index.ts";
import type { Journal } from "./journal.ts";
import type { Version } from "./lanes.ts";
import type { Layout } from "./layout.ts";
import type { Position } from "./position.ts";
import { encodeDeadLetters, encodeQueue } from "./snapshot.ts";
import type { Standing } from "./standing.ts";
import type { QueueState } from "./state.ts";

export class LateCheckpoint {
  readonly #layout: Layout;
  readonly #position: Position;
  /** All as they were when the generation began. */
  readonly #versions: readonly Version[];
  readonly #letters: readonly DeadLetter[];
  readonly #standing: Standing;
  readonly #temporaries: Temporaries;
  readonly #index: string;

  private constructor(layout: Layout, position: Position, state: QueueState) {
    this.#layout = layout;
    this.#position = position;
    this.#versions = state.versions();
    this.#letters = Array.from(state.deadLetters());
    this.#standing = state.standing;
    this.#temporaries = temporariesOf(layout);
    this.#index = temporaryName(layout.ids);
  }

  /** Step 1, with the lock held and everything read. Undefined when the commit did not count. */
  static begin(
    layout: Layout,
    { journal, state }: { journal: Journal; state: QueueState },
    commit: CommitContent,
  ): LateCheckpoint | undefined {
    const position = journal.positionAfter(commit);
    if (!createJournal(layout.journal(position.generation), journal)) return undefined;
    syncDirectory(layout.root, "sync-directory");
    if (!journal.append(commit)) return undefined;
    journal.sync();
    return new LateCheckpoint(layout, position, state);
  }

  get generation(): number {
    return this.#position.generation;
  }

  /** Step 2. What it leaves when it throws, the next checkpoint of anyone removes. */
  async write(): Promise<void> {
    const { queue, dlq } = this.#temporaries;
    const letters = encodeDeadLetters(this.#letters, this.#position);
    await writeNewSlowly(dlq, letters, { write: "write-dlq", sync: "sync-dlq" });
    const jobs = encodeQueue({ jobs: this.#jobs(), standing: this.#standing }, this.#position, letters.check);
    await writeNewSlowly(queue, jobs, { write: "write-queue", sync: "sync-queue" });
    const count = this.#versions.length + this.#letters.length;
    await writeNewSlowly(this.#index, encodeIndex(this.#ids(), count, this.#position), {});
  }

  /** To be called before step 3, and to be disposed of after it, without the lock. */
  holdReplaced(): AsyncDisposable {
    const { queue, dlq, ids } = this.#layout;
    return holdOpen([queue, dlq, ids, ...journalsBefore(this.#layout, this.generation)]);
  }

  /** Step 3, with the lock held and everything read: `latest` is the generation that the journals have come to. */
  install(latest: number): void {
    if (latest === this.generation) {
      rename(this.#index, this.#layout.ids);
      placeSnapshots(this.#layout, this.#temporaries, this.generation);
    } else for (const temporary of [this.#index, ...Object.values(this.#temporaries)]) remove(temporary);
  }

  *#jobs(): Iterable<Job> {
    for (const { job } of this.#versions) yield job;
  }

  *#ids(): Iterable<string> {
    for (const { id } of this.#jobs()) yield id;
    for (const { id } of this.#letters) yield id;
  }
}
