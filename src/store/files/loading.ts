/**
 * Puts the state together from the files: the snapshots, and what the journals add to them. Takes no lock: if the files
 * move on underneath, it starts over.
 */
import { statSync } from "node:fs";
import { reach } from "../../failpoint.ts";
import type { DeadLetter, Job } from "../../job/job.ts";
import { namesIn } from "../local/durable.ts";
import type { Commit } from "./commit.ts";
import { corrupt } from "./corruption.ts";
import { Journal } from "./journal.ts";
import { journalGeneration, type Layout } from "./layout.ts";
import { FIRST, ORIGINAL } from "./original-format.ts";
import { isBefore, type Position } from "./position.ts";
import { generationAt, readDeadLetters, readQueue, type Snapshot } from "./snapshot.ts";
import { NOTHING_STANDING } from "./standing.ts";
import { QueueState, type Sides } from "./state.ts";

/** More checkpoints than this cannot pass by while one reader opens three files. */
const MAX_RESTARTS = 100;
/** Of so much it is worth a tenth of a second to give back the memory that only reading it took. */
const HEAVY_BYTES = 32 * 1024 * 1024;

/** What is known when everything has been read. */
export interface Loaded extends InPlace {
  readonly state: QueueState;
  readonly journal: Journal | undefined;
  /** The `dlq.json` that is in place, and after how many changes of the DLQ: unknown after others have written it. */
  readonly dlq: { readonly check: string; readonly changes: number } | undefined;
}

/** What is known of the snapshots that are in place. */
export interface InPlace {
  /** The size of both. */
  readonly snapshotBytes: number;
  /** That of queue.json, which is put in place last. */
  readonly snapshotGeneration: number;
}

/** Undefined where there is no store yet. Throws `E_STORE_CORRUPT`, `E_STORE_VERSION`, `E_STORE_IO`. */
export function load(layout: Layout): Loaded | undefined {
  for (let restarts = 0; ; restarts++) {
    const loaded = loadOnce(layout);
    if (typeof loaded !== "string") {
      if (loaded && loaded.snapshotBytes > HEAVY_BYTES) Bun.gc(true);
      return loaded;
    }
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
  const state = new QueueState(queue.entries, dlq.entries, queue.standing);
  const known = {
    state,
    snapshotBytes: queue.bytes + dlq.bytes,
    snapshotGeneration: queue.generation,
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
    let strangers = [queue, dlq].filter((snapshot) => snapshot.generation === generation && !isAt(snapshot, from.end));
    const sidesOf = sidesFrom(queue, dlq, generation);
    do {
      const commits = journal.readNew();
      strangers = strangers.filter((snapshot) => !commits.some((commit) => isAt(snapshot, commit)));
      if (journal.isRead && strangers.length > 0) {
        journal[Symbol.dispose]();
        return layout.queue;
      }
      applyAll(state, commits, { path: journal.path, sidesOf });
      if (!journal.isRead) Bun.gc(true);
    } while (!journal.isRead);
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
  standing: NOTHING_STANDING,
};

/** To which of the two files the commits of a journal are still to be applied. */
export function sidesFrom(queue: Position, dlq: Position, generation: number): (commit: Commit) => Sides {
  return ({ at }) => ({
    queue: !isBefore({ generation, at }, queue),
    dlq: !isBefore({ generation, at }, dlq),
  });
}

/** A snapshot of a generation must be as of one of its very commits: files of two stores cannot be mixed. */
function isAt({ end }: Position, { sum }: Pick<Commit, "sum">): boolean {
  return end.sum === sum;
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
export function isGone(layout: Layout, { generation, at }: Position): boolean {
  return at === 0 && (generationAt(layout.queue) ?? generation) > generation;
}

/** The paths of all journals there are. */
function journalsIn(layout: Layout): string[] {
  return namesIn(layout.root)
    .map(journalGeneration)
    .filter((generation) => generation !== undefined)
    .map((generation) => layout.journal(generation));
}

export function applyAll(
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

export function inPlace(layout: Layout): InPlace {
  return { snapshotBytes: bytesOfSnapshots(layout), snapshotGeneration: generationAt(layout.queue) ?? 0 };
}

export function bytesOfSnapshots({ queue, dlq }: Layout): number {
  return sizeOf(queue) + sizeOf(dlq);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
