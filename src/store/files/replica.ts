/**
 * The state in memory together with the journal it follows. Loading takes no lock: if the files move on underneath, it
 * starts over. Following is cheap: it reads what was appended, and steps over a checkpoint without reloading.
 */
import { statSync } from "node:fs";
import { reach } from "../../failpoint.ts";
import type { Commit } from "./commit.ts";
import { corrupt } from "./corruption.ts";
import { namesIn } from "./durable.ts";
import { Journal } from "./journal.ts";
import { journalGeneration, type Layout } from "./layout.ts";
import { FIRST, ORIGINAL } from "./original-format.ts";
import { generationAt, readDeadLetters, readQueue, type Snapshot } from "./snapshot.ts";
import { QueueState, type Sides } from "./state.ts";

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

  /** The size of both snapshots on disk. */
  get snapshotBytes(): number {
    return this.#loaded.snapshotBytes;
  }

  /** Applies what has been committed since, by anyone. True when that was anything. */
  catchUp(): boolean {
    let changed = false;
    for (;;) {
      const { journal, state } = this.#loaded;
      if (!journal) return this.#reload();
      const commits = journal.readNew();
      applyAll(state, commits, { path: journal.path, sides: { queue: true, dlq: true } });
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
  #advance(from: Journal, generation: number): void {
    const journal = Journal.open(this.#layout.journal(generation), { generation, end: from.end });
    if (!journal || isPast(this.#layout, generation)) {
      journal?.[Symbol.dispose]();
      this.#reload();
      return;
    }
    from[Symbol.dispose]();
    const snapshotBytes = sizeOf(this.#layout.queue) + sizeOf(this.#layout.dlq);
    this.#loaded = { state: this.#loaded.state, journal, snapshotBytes };
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
  readonly snapshotBytes: number;
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
  const state = new QueueState(queue.entries, dlq.entries);
  const older = queue.generation <= dlq.generation ? queue : dlq;
  let { generation, end } = older;
  for (;;) {
    if (!belongs(queue, generation, end.sum) || !belongs(dlq, generation, end.sum)) return layout.queue;
    const journal = Journal.open(layout.journal(generation), { generation, end });
    if (!journal) {
      const isUntouched = queue.generation === ORIGINAL.generation && dlq.generation === ORIGINAL.generation;
      if (isUntouched && journalsIn(layout).length === 0)
        return { state, journal, snapshotBytes: queue.bytes + dlq.bytes };
      return layout.journal(generation);
    }
    const sides = { queue: queue.generation <= generation, dlq: dlq.generation <= generation };
    applyAll(state, journal.readNew(), { path: journal.path, sides });
    if (journal.next === undefined) {
      const isWhole = sides.queue && sides.dlq && !isPast(layout, generation);
      if (isWhole) return { state, journal, snapshotBytes: queue.bytes + dlq.bytes };
      journal[Symbol.dispose]();
      return journal.path;
    }
    generation = journal.next;
    end = journal.end;
    journal[Symbol.dispose]();
  }
}

const NO_DEAD_LETTERS: Snapshot<never> = { ...ORIGINAL, entries: [], bytes: 0 };

/** A snapshot of this generation must have been made at this very checkpoint: files of two stores cannot be mixed. */
function belongs(snapshot: Pick<Snapshot<never>, "generation" | "end">, generation: number, sum: string): boolean {
  return snapshot.generation !== generation || snapshot.end.sum === sum;
}

/** No store, or one whose creation was cut short before anything could be in it. */
function isUnborn(layout: Layout): boolean {
  const dlq = readDeadLetters(layout.dlq);
  const isFirst = !dlq || (dlq.generation === FIRST.generation && dlq.entries.length === 0);
  return isFirst && journalsIn(layout).every((path) => path === layout.journal(FIRST.generation) && sizeOf(path) === 0);
}

/**
 * Whether the store has gone past this generation. Asked once its journal is open: a process that was frozen before it made
 * the journal of a checkpoint makes an empty one of that name when it wakes up, however long that journal is done with and
 * removed. `queue.json` is put in place before any journal is removed, so it tells. (Found by the model, tests/model.)
 */
function isPast(layout: Layout, generation: number): boolean {
  return (generationAt(layout.queue) ?? generation) > generation;
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
  { path, sides }: { path: string; sides: Sides },
): void {
  for (const commit of commits) {
    for (const record of commit.records) {
      if (state.apply(record, sides)) continue;
      throw corrupt(path, `its record ${commit.seq} changes job ${JSON.stringify(record.id)}, which is not there.`);
    }
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
