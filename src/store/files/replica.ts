/**
 * The state in memory together with the journal it follows. Loading takes no lock: if the files move on underneath, it
 * starts over. Following is cheap: it reads what was appended, and steps over a checkpoint without reloading.
 */
import { statSync } from "node:fs";
import { reach } from "../../failpoint.ts";
import type { DeadLetter, Job } from "../../job/job.ts";
import type { Commit } from "./commit.ts";
import { corrupt } from "./corruption.ts";
import { namesIn } from "./durable.ts";
import { Journal } from "./journal.ts";
import { isBefore, type Position } from "./position.ts";
import { journalGeneration, type Layout } from "./layout.ts";
import { FIRST, ORIGINAL } from "./original-format.ts";
import { generationAt, readDeadLetters, readQueue, type Snapshot } from "./snapshot.ts";
import { QueueState, type Sides } from "./state.ts";

/** A journal smaller than this, or than the snapshots, is not worth a checkpoint: so its cost per job is constant. */
const MIN_CHECKPOINT_BYTES = 256 * 1024;
const MAX_RESTING_BYTES = 1024 * 1024;
/** More checkpoints than this cannot pass by while one reader opens three files. */
const MAX_RESTARTS = 100;

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
  get isOutgrown(): boolean {
    const { journal, snapshotBytes } = this.#loaded;
    return journal !== undefined && journal.size > Math.max(MIN_CHECKPOINT_BYTES, snapshotBytes);
  }

  /** Whether the snapshots may be written anew whenever work pauses. */
  get isSmall(): boolean {
    return this.#loaded.snapshotBytes <= MAX_RESTING_BYTES;
  }

  /** The checksum of a `dlq.json` in place that holds all dead letters there are, if there is one. */
  get dlqCheck(): string | undefined {
    const { dlq, state } = this.#loaded;
    return dlq && dlq.changes === state.dlqChanges ? dlq.check : undefined;
  }

  /** To be told when this process has written the snapshots, as of its latest commit. */
  renewed(dlqCheck: string): void {
    // As of now: others may have appended to the journal that it goes on with.
    const dlq = { check: dlqCheck, changes: this.state.dlqChanges };
    if (this.journal?.next !== undefined) this.catchUp();
    const { state, journal } = this.#loaded;
    this.#loaded = { state, journal, snapshotBytes: sizeOfSnapshots(this.#layout), dlq };
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
    this.#loaded = { state: this.#loaded.state, journal, snapshotBytes: sizeOfSnapshots(this.#layout), dlq: undefined };
  }

  #reload(): boolean {
    const loaded = load(this.#layout);
    if (!loaded) throw corrupt(this.#layout.queue, "it was removed while in use.");
    this.#loaded.journal?.[Symbol.dispose]();
    this.#loaded = loaded;
    return true;
  }
}

interface Loaded {
  readonly state: QueueState;
  readonly journal: Journal | undefined;
  /** The size of both snapshots on disk. */
  readonly snapshotBytes: number;
  /** The `dlq.json` that is in place, and after how many changes of the DLQ: unknown after others have written it. */
  readonly dlq: { readonly check: string; readonly changes: number } | undefined;
}

function load(layout: Layout): Loaded | undefined {
  for (let restarts = 0; ; restarts++) {
    const loaded = loadOnce(layout);
    if (typeof loaded !== "string") return loaded;
    if (restarts === MAX_RESTARTS) throw corrupt(loaded, "it is missing, or the files beside it are not its own.");
  }
}

/** The path of a file that was not as expected, where the files may have moved on: then try again. */
function loadOnce(layout: Layout): Loaded | string | undefined {
  const queue = readQueue(layout.queue);
  if (!queue) return isUnborn(layout) ? undefined : layout.queue;
  const dlq = readDeadLetters(layout.dlq) ?? (queue.generation === ORIGINAL.generation ? NO_DEAD_LETTERS : undefined);
  if (!dlq) return layout.dlq;
  reach("read-snapshots");
  const { generation, at, end } = queue;
  return fold(layout, queue, dlq.check === queue.dlqCheck ? { ...dlq, generation, at, end } : dlq);
}

/** Replays the journals from the older snapshot on, and to each snapshot only what is not in it yet. */
function fold(layout: Layout, queue: Snapshot<Job>, dlq: Snapshot<DeadLetter>): Loaded | string {
  const state = new QueueState(queue.entries, dlq.entries);
  const known = {
    state,
    snapshotBytes: queue.bytes + dlq.bytes,
    dlq: dlq.check === undefined ? undefined : { check: dlq.check, changes: state.dlqChanges },
  };
  for (let from: Position = isBefore(dlq, queue) ? dlq : queue; ; ) {
    const { generation } = from;
    const journal = Journal.open(layout.journal(generation), from);
    if (!journal) {
      const isUntouched = queue.generation === ORIGINAL.generation && dlq.generation === ORIGINAL.generation;
      if (isUntouched && journalsIn(layout).length === 0) return { ...known, journal };
      return layout.journal(generation);
    }
    const commits = journal.readNew();
    const sums = [from.end.sum, ...commits.map(({ sum }) => sum)];
    if (!belongs(queue, generation, sums) || !belongs(dlq, generation, sums)) return layout.queue;
    applyAll(state, commits, { path: journal.path, sidesOf: sidesFrom(queue, dlq, generation) });
    if (journal.next === undefined) {
      const isWhole = queue.generation <= generation && dlq.generation <= generation && !isGone(layout, from);
      if (isWhole) return { ...known, journal };
      journal[Symbol.dispose]();
      return journal.path;
    }
    from = journal.next;
    journal[Symbol.dispose]();
  }
}

const NO_DEAD_LETTERS: Snapshot<never> = {
  ...ORIGINAL,
  entries: [],
  bytes: 0,
  check: undefined,
  dlqCheck: undefined,
};

/** To which of the two files the commits of a journal are still to be applied. */
export function sidesFrom(queue: Position, dlq: Position, generation: number): (commit: Commit) => Sides {
  return ({ at }) => ({
    queue: !isBefore({ generation, at }, queue),
    dlq: !isBefore({ generation, at }, dlq),
  });
}

/** A snapshot of this generation must be as of one of these very commits: files of two stores cannot be mixed. */
function belongs(snapshot: Position, generation: number, sums: readonly string[]): boolean {
  return snapshot.generation !== generation || sums.includes(snapshot.end.sum);
}

/** No store, or one whose creation was cut short before anything could be in it. */
function isUnborn(layout: Layout): boolean {
  const dlq = readDeadLetters(layout.dlq);
  const isFirst = !dlq || (dlq.generation === FIRST.generation && dlq.entries.length === 0);
  return isFirst && journalsIn(layout).every((path) => path === layout.journal(FIRST.generation) && sizeOf(path) === 0);
}

/**
 * Whether the store has gone past the generation whose journal was just opened. A process that was frozen before it made the
 * journal of a checkpoint makes an empty one of that name when it wakes up, however long that journal is done with and
 * removed. `queue.json` is put in place before any journal is removed, so it tells. (Found by the model, tests/model.) A
 * journal that holds what a snapshot stands behind is the right one.
 */
function isGone(layout: Layout, { generation, at }: Position): boolean {
  return at === 0 && (generationAt(layout.queue) ?? generation) > generation;
}

/** The paths of all journals there are. */
function journalsIn(layout: Layout): string[] {
  return namesIn(layout.root)
    .map(journalGeneration)
    .filter((generation) => generation !== undefined)
    .map((generation) => layout.journal(generation));
}

function applyAll(
  state: QueueState,
  commits: readonly Commit[],
  { path, sidesOf }: { path: string; sidesOf?: (commit: Commit) => Sides },
): void {
  for (const commit of commits) {
    const sides = sidesOf?.(commit);
    for (const record of commit.records) {
      if (state.apply(record, sides)) continue;
      throw corrupt(path, `its record ${commit.seq} changes job ${JSON.stringify(record.id)}, which is not there.`);
    }
  }
}

function sizeOfSnapshots({ queue, dlq }: Layout): number {
  return sizeOf(queue) + sizeOf(dlq);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
