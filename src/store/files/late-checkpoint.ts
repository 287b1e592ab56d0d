/**
 * A checkpoint of a large store, whose snapshots come later than its commit, so that nobody waits while they are written:
 *
 *   1. with the lock: create journal g+1, append "checkpoint": g+1 to journal g, sync     ← generation g+1 has begun
 *   2. without it: write both snapshots as of that moment under temporary names, a piece at a time, and the index of all ids
 *   3. with the lock: if no later generation has begun, put them in place as any checkpoint does
 *
 * Until then the snapshots of generation g and both journals say it all. Whoever begins a later generation takes away, when
 * it puts its own snapshots in place, what this one may still have under temporary names: so no old state comes back.
 */

import type { DeadLetter, Job } from "../../job/job.ts";
import { remove, rename, syncDirectory, writeNewSlowly } from "../local/durable.ts";
import { temporaryName } from "../local/temporary-name.ts";
import { createJournal, placeSnapshots, type Temporaries, temporariesOf } from "./checkpoint.ts";
import type { CommitContent } from "./commit.ts";
import { encodeIndex } from "./id-index.ts";
import type { Journal } from "./journal.ts";
import type { Layout } from "./layout.ts";
import type { Position } from "./position.ts";
import { encodeDeadLetters, encodeQueue } from "./snapshot.ts";
import type { Standing } from "./standing.ts";
import type { QueueState } from "./state.ts";

export class LateCheckpoint {
  readonly #layout: Layout;
  readonly #position: Position;
  /** As they were when the generation began: a change replaces a job and leaves the one that it was. */
  readonly #jobs: readonly Job[];
  readonly #letters: readonly DeadLetter[];
  readonly #standing: Standing;
  readonly #ids: readonly string[];
  readonly #temporaries: Temporaries;
  readonly #index: string;

  private constructor(layout: Layout, position: Position, state: QueueState) {
    this.#layout = layout;
    this.#position = position;
    this.#jobs = Array.from(state.jobs());
    this.#letters = Array.from(state.deadLetters());
    this.#standing = state.standing;
    this.#ids = state.ids();
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
    const jobs = encodeQueue({ jobs: this.#jobs, standing: this.#standing }, this.#position, letters.check);
    await writeNewSlowly(queue, jobs, { write: "write-queue", sync: "sync-queue" });
    await writeNewSlowly(this.#index, encodeIndex(this.#ids, this.#position), {});
  }

  /** Step 3, with the lock held and everything read: `latest` is the generation that the journals have come to. */
  install(latest: number): void {
    if (latest === this.generation) {
      rename(this.#index, this.#layout.ids);
      placeSnapshots(this.#layout, this.#temporaries, this.generation);
    } else for (const temporary of [this.#index, ...Object.values(this.#temporaries)]) remove(temporary);
  }
}
