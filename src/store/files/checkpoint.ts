/**
 * Writing the snapshots anew, and making the first ones. Always under the lock. Within a generation, for a store at rest:
 *
 *   1. write queue.json, and dlq.json if it changed, under temporary names; sync them
 *   2. append the commit that they already hold, and sync it       ← the commit point
 *   3. remove every other temporary snapshot
 *   4. rename dlq.json into place, then queue.json
 *
 * A crash between any two steps leaves files that load: each snapshot says where in the journal it stands, and replica.ts
 * goes on from the older one. Step 3 fences step 4: a writer that was frozen just before its renames finds its files gone
 * when it wakes up, instead of bringing an old state back. Who writes his temporary files too late for that finds his
 * commit void in step 2.
 *
 * A checkpoint begins a new generation in the same way: step 1 writes both snapshots and creates journal g+1, the commit
 * of step 2 says "checkpoint": g+1, so that any line after it in journal g is void, and after step 4 the directory is synced
 * and the journals older than both snapshots are removed.
 */
import { closeSync, fstatSync } from "node:fs";
import { basename, join } from "node:path";
import { reach } from "../../failpoint.ts";
import type { Job } from "../../job/job.ts";
import { APPENDING, createWhole, guard, namesIn, remove, rename, syncDirectory, writeNew } from "../local/durable.ts";
import { isTemporaryOfDead, temporaryName } from "../local/temporary-name.ts";
import { openTrusted } from "../local/trust.ts";
import type { CommitContent } from "./commit.ts";
import { corrupt } from "./corruption.ts";
import type { Journal } from "./journal.ts";
import { journalGeneration, type Layout } from "./layout.ts";
import { FIRST, ORIGINAL } from "./original-format.ts";
import type { Position } from "./position.ts";
import { encodeDeadLetters, encodeQueue, readQueue } from "./snapshot.ts";
import { NOTHING_STANDING } from "./standing.ts";
import type { QueueState } from "./state.ts";

/** What snapshots are made of; of the jobs some may be written already, as in `Encoding`. */
interface Contents extends Pick<QueueState, "standing" | "deadLetters"> {
  jobs(): Iterable<Job | string>;
}

/** What is known, and is to be found in the snapshots. */
export interface Known {
  readonly journal: Journal;
  readonly state: Contents;
  /** The checksum of a `dlq.json` in place that holds all dead letters of `state`. */
  readonly dlqCheck: string | undefined;
}

/**
 * Steps 1 to 4, for a commit whose records are in `state` already; with `checkpoint` in it, all of a checkpoint. Returns the
 * checksum of `dlq.json`, or undefined when the commit did not count: then `state` is not to be used again.
 */
export function renewSnapshots(
  layout: Layout,
  { journal, state, dlqCheck }: Known,
  commit: CommitContent,
): string | undefined {
  const next = { state, position: journal.positionAfter(commit) };
  const begins = commit.checkpoint !== undefined;
  const kept = begins ? undefined : dlqCheck;
  const temporaries = temporariesOf(layout);
  let counts = false;
  try {
    const check = writeTemporaries(temporaries, next, kept);
    if (begins) {
      if (!createJournal(layout.journal(next.position.generation), journal)) return undefined;
      syncDirectory(layout.root, "sync-directory");
    }
    counts = journal.append(commit);
    if (!counts) return undefined;
    journal.sync();
    if (begins) placeSnapshots(layout, temporaries, next.position.generation);
    else install(layout, temporaries, { withDlq: kept === undefined });
    return check;
  } finally {
    // Of one that counts they are what it is about: in place, or removed by another writer, or yet to be put in place.
    if (!counts) for (const temporary of Object.values(temporaries)) remove(temporary);
  }
}

/** What the snapshots are to say. */
interface Next {
  readonly state: Contents;
  readonly position: Position;
}

/** A checkpoint without its commit, for a store whose journals nothing can be appended to: it goes on from what is in memory. */
export function replaceSnapshots(layout: Layout, next: Next): void {
  const { generation } = next.position;
  const temporaries = temporariesOf(layout);
  remove(layout.ids);
  writeTemporaries(temporaries, next);
  createJournal(layout.journal(generation));
  syncDirectory(layout.root, "sync-directory");
  placeSnapshots(layout, temporaries, generation);
}

/** The snapshots of a checkpoint before they are in place. */
export interface Temporaries {
  readonly queue: string;
  readonly dlq: string;
}

export function temporariesOf(layout: Layout): Temporaries {
  return { queue: temporaryName(layout.queue), dlq: temporaryName(layout.dlq) };
}

/** Returns the checksum of `dlq.json`: of the one that is kept, or of a new one. */
function writeTemporaries({ queue, dlq }: Temporaries, next: Next, kept?: string): string {
  const check = kept ?? writeDeadLetters(dlq, next);
  writeNew(queue, encodeQueue({ jobs: next.state.jobs(), standing: next.state.standing }, next.position, check), {
    write: "write-queue",
    sync: "sync-queue",
  });
  return check;
}

function writeDeadLetters(path: string, { state, position }: Next): string {
  const encoding = encodeDeadLetters(state.deadLetters(), position);
  writeNew(path, encoding, { write: "write-dlq", sync: "sync-dlq" });
  return encoding.check;
}

/** Puts them in place; false when another writer has removed them, for his are newer. */
function install(layout: Layout, { queue, dlq }: Temporaries, { withDlq }: { withDlq: boolean }): boolean {
  removeOtherTemporaries(layout, [queue, dlq]);
  return (!withDlq || rename(dlq, layout.dlq, "rename-dlq")) && rename(queue, layout.queue, "rename-queue");
}

/** Puts the snapshots of a new generation in place, and removes the journals that are done with. */
export function placeSnapshots(layout: Layout, temporaries: Temporaries, generation: number): void {
  if (!install(layout, temporaries, { withDlq: true })) return;
  syncDirectory(layout.root, "sync-renames");
  removeJournalsBefore(layout, generation);
}

/**
 * Makes a directory ready for a first commit: an empty store of generation 1, or the journal of one that the original
 * tool left. `queue.json` comes last: only with it is there a store. Whoever does this twice, or late because it was
 * frozen, makes the same files and replaces none.
 */
export function createStore(layout: Layout): void {
  if (readQueue(layout.queue)?.generation === ORIGINAL.generation) {
    createJournal(layout.journal(ORIGINAL.generation));
  } else {
    createJournal(layout.journal(FIRST.generation));
    const letters = encodeDeadLetters([], FIRST);
    createWhole(layout.dlq, letters, "create-dlq");
    createWhole(
      layout.queue,
      encodeQueue({ jobs: [], standing: NOTHING_STANDING }, FIRST, letters.check),
      "create-queue",
    );
  }
  syncDirectory(layout.root);
}

/**
 * Creates it, or finds it there and empty: what an interrupted checkpoint left. False when others have filled it while this
 * process was frozen: they have made this checkpoint, which the journal before it tells.
 */
export function createJournal(path: string, before?: Journal): boolean {
  const fd = guard("create", path, () => {
    reach("create-journal");
    return openTrusted(path, APPENDING);
  });
  try {
    if (fstatSync(fd).size === 0) return true;
    if (before?.hasGrown()) return false;
    throw corrupt(path, "it holds commits, but the checkpoint that begins it is missing.");
  } finally {
    closeSync(fd);
  }
}

function removeOtherTemporaries(layout: Layout, mine: readonly string[]): void {
  reach("remove-other-temporaries");
  for (const path of temporariesIn(layout)) if (!mine.includes(path)) remove(path);
}

/** Whether a process that lives has snapshots under temporary names. */
export function areBeingWritten(layout: Layout): boolean {
  return temporariesIn(layout).some((path) => !isTemporaryOfDead(path));
}

function temporariesIn({ root, queue, dlq, ids }: Layout): string[] {
  const prefixes = [queue, dlq, ids].map((path) => `${basename(path)}.tmp-`);
  return namesIn(root)
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => join(root, name));
}

function removeJournalsBefore(layout: Layout, generation: number): void {
  reach("remove-old-journals");
  for (const path of journalsBefore(layout, generation)) remove(path);
}

/** The journals that are there still of generations before this one. */
export function journalsBefore({ root }: Layout, generation: number): string[] {
  return namesIn(root)
    .filter((name) => (journalGeneration(name) ?? generation) < generation)
    .map((name) => join(root, name));
}
