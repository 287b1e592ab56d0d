/**
 * The state in memory together with the journal it follows. Following is cheap: it reads what was appended, and steps over
 * a checkpoint without reloading.
 */
import { FAILPOINTS } from "../../failpoint.ts";
import { areBeingWritten } from "./checkpoint.ts";
import { corrupt } from "./corruption.ts";
import { Journal } from "./journal.ts";
import type { Layout } from "./layout.ts";
import { applyAll, bytesOfSnapshots, inPlace, isGone, type Loaded, load } from "./loading.ts";
import type { Position } from "./position.ts";
import type { QueueState } from "./state.ts";

/** A journal smaller than this, or than the snapshots, is not worth a checkpoint: so its cost per job is constant. */
const MIN_CHECKPOINT_BYTES = 256 * 1024;
/**
 * Up to here the snapshots may be written anew with any change and whenever work pauses. From here on a checkpoint would
 * have others wait for it, and reading it all would make the least change slow. Small in the test build, which has no time
 * for more.
 */
const LARGE_BYTES = FAILPOINTS ? 300 * 1024 : 1024 * 1024;

/** Whether the store is large, as far as its snapshots tell. */
export function isLarge(layout: Layout): boolean {
  return bytesOfSnapshots(layout) > LARGE_BYTES;
}

/** How long a journal may become before a checkpoint is due. */
export function limitBeside(snapshotBytes: number): number {
  return Math.max(MIN_CHECKPOINT_BYTES, snapshotBytes);
}

export class Replica implements Disposable {
  readonly #layout: Layout;
  #loaded: Loaded;

  private constructor(layout: Layout, loaded: Loaded) {
    this.#layout = layout;
    this.#loaded = loaded;
  }

  /** Undefined where there is no store yet. Throws `E_STORE_CORRUPT`, `E_STORE_VERSION`, `E_STORE_IO`. */
  static load(layout: Layout): Replica | undefined {
    const loaded = load(layout);
    return loaded && new Replica(layout, loaded);
  }

  get state(): QueueState {
    return this.#loaded.state;
  }

  /** Undefined for a directory of the original tool that nothing has been written to yet. */
  get journal(): Journal | undefined {
    return this.#loaded.journal;
  }

  /** Whether the journal has become long enough for a checkpoint. */
  isOutgrown(): boolean {
    const { journal } = this.#loaded;
    if (!journal || journal.size <= (this.areSnapshotsToCome ? MIN_CHECKPOINT_BYTES : this.#limit())) return false;
    // Others may have written the snapshots since, or be about to.
    this.#loaded = { ...this.#loaded, ...inPlace(this.#layout) };
    if (!this.areSnapshotsToCome) return journal.size > this.#limit();
    // Where nobody is at it any more, they are due at once.
    return journal.size > 2 * this.#limit() || !areBeingWritten(this.#layout);
  }

  #limit(): number {
    return limitBeside(this.#loaded.snapshotBytes);
  }

  /** Whether the snapshots may be written anew whenever work pauses. */
  get isSmall(): boolean {
    return this.#loaded.snapshotBytes <= LARGE_BYTES;
  }

  /** Whether it is so large, or will be once its journal is in the snapshots, that a checkpoint has to come late. */
  get isLarge(): boolean {
    const { journal, snapshotBytes } = this.#loaded;
    return snapshotBytes + (journal?.size ?? 0) > LARGE_BYTES;
  }

  /** Whether the journal's generation has begun without its snapshots. */
  get areSnapshotsToCome(): boolean {
    const { journal, snapshotGeneration } = this.#loaded;
    return journal !== undefined && snapshotGeneration < journal.generation;
  }

  /** The checksum of a `dlq.json` in place that holds all dead letters there are, if there is one. */
  get dlqCheck(): string | undefined {
    const { dlq, state } = this.#loaded;
    return dlq && dlq.changes === state.dlqChanges ? dlq.check : undefined;
  }

  /** To be told when this process has written the snapshots: with `dlqCheck`, as of its latest commit. */
  renewed(dlqCheck?: string): void {
    // As of now: others may have appended to the journal that it goes on with.
    const dlq = dlqCheck === undefined ? undefined : { check: dlqCheck, changes: this.state.dlqChanges };
    if (this.journal?.next !== undefined) this.catchUp();
    this.#loaded = { ...this.#loaded, ...inPlace(this.#layout), dlq };
  }

  /** Applies what has been committed since, by anyone. True when that was anything. */
  catchUp(): boolean {
    let changed = false;
    for (;;) {
      const { journal, state } = this.#loaded;
      if (!journal) return this.#reload();
      const commits = journal.readNew();
      applyAll(state, commits, { path: journal.path });
      changed ||= commits.length > 0;
      if (!journal.isRead) continue;
      if (journal.next === undefined) return changed;
      this.#advance(journal, journal.next);
      changed = true;
    }
  }

  [Symbol.dispose](): void {
    this.#loaded.journal?.[Symbol.dispose]();
  }

  /** Goes on at the journal after a checkpoint; where that one is gone already, loads anew. */
  #advance(from: Journal, next: Position): void {
    const journal = Journal.open(this.#layout.journal(next.generation), next);
    if (!journal || isGone(this.#layout, next)) {
      journal?.[Symbol.dispose]();
      this.#reload();
      return;
    }
    from[Symbol.dispose]();
    this.#loaded = { state: this.#loaded.state, journal, ...inPlace(this.#layout), dlq: undefined };
  }

  #reload(): boolean {
    const loaded = load(this.#layout);
    if (!loaded) throw corrupt(this.#layout.queue, "it was removed while in use.");
    this.#loaded.journal?.[Symbol.dispose]();
    this.#loaded = loaded;
    return true;
  }
}
