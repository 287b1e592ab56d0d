/**
 * Making the snapshots anew, and making the first ones. Always under the lock.
 *
 *   1. write both snapshots of generation g+1 under temporary names, and an empty journal g+1; sync them all
 *   2. append a commit with "checkpoint": g+1 to journal g        ← the commit point: any line after it in g is void
 *   3. remove every other temporary snapshot
 *   4. rename both into place, sync the directory
 *   5. remove the journals older than both
 *
 * A crash between any two steps leaves files that load (replica.ts folds from the older snapshot on). Step 3 is what
 * fences step 4: a writer that was frozen just before its renames finds its files gone when it wakes up, instead of
 * bringing an old generation back.
 */
import { closeSync, fstatSync } from "node:fs";
import { basename, join } from "node:path";
import type { CommitContent } from "./commit.ts";
import { corrupt } from "./corruption.ts";
import {
  APPENDING,
  createWhole,
  guard,
  namesIn,
  remove,
  rename,
  syncDirectory,
  temporaryName,
  writeNew,
} from "./durable.ts";
import { reach } from "../../failpoint.ts";
import type { ChainEnd, Journal } from "./journal.ts";
import { journalGeneration, type Layout } from "./layout.ts";
import { FIRST, ORIGINAL } from "./original-format.ts";
import { encodeSnapshot, readQueue } from "./snapshot.ts";
import type { QueueState } from "./state.ts";
import { openTrusted } from "./trust.ts";

/**
 * Steps 1 to 5. The commit may carry records, which are in `state` already: then it is a change and a checkpoint in one.
 * False when it did not count: `state` is not to be used again.
 */
export function checkpoint(
  layout: Layout,
  { journal, state }: { journal: Journal; state: QueueState },
  content: CommitContent,
): boolean {
  const generation = journal.generation + 1;
  const commit = { ...content, checkpoint: generation };
  const end = { sum: journal.encodeNext(commit).sum, seq: journal.end.seq + content.records.length };
  const temporaries = temporariesOf(layout);
  let counts = false;
  try {
    writeTemporaries(temporaries, { state, generation, end });
    if (!createJournal(layout.journal(generation), journal)) return false;
    syncDirectory(layout.root, "sync-directory");
    counts = journal.append(commit);
    if (!counts) return false;
    journal.sync();
    install(layout, temporaries, generation);
    return true;
  } finally {
    // Of one that counts they are what it is about: in place, or removed by another writer, or yet to be put in place.
    if (!counts) for (const temporary of Object.values(temporaries)) remove(temporary);
  }
}

/** What the snapshots of a new generation say. */
export interface NextGeneration {
  readonly state: QueueState;
  readonly generation: number;
  readonly end: ChainEnd;
}

/** Steps 1, 3, 4 and 5, for a store whose journals nothing can be appended to: it goes on from what is in memory. */
export function replaceSnapshots(layout: Layout, next: NextGeneration): void {
  const temporaries = temporariesOf(layout);
  writeTemporaries(temporaries, next);
  createJournal(layout.journal(next.generation));
  syncDirectory(layout.root, "sync-directory");
  install(layout, temporaries, next.generation);
}

interface Temporaries {
  readonly queue: string;
  readonly dlq: string;
}

function temporariesOf(layout: Layout): Temporaries {
  return { queue: temporaryName(layout.queue), dlq: temporaryName(layout.dlq) };
}

function writeTemporaries({ queue, dlq }: Temporaries, { state, generation, end }: NextGeneration): void {
  const head = { generation, end };
  writeNew(queue, encodeSnapshot("jobs", state.jobs(), head), { write: "write-queue", sync: "sync-queue" });
  writeNew(dlq, encodeSnapshot("dlq", state.deadLetters(), head), { write: "write-dlq", sync: "sync-dlq" });
}

function install(layout: Layout, { queue, dlq }: Temporaries, generation: number): void {
  removeOtherTemporaries(layout, [queue, dlq]);
  if (!rename(dlq, layout.dlq, "rename-dlq") || !rename(queue, layout.queue, "rename-queue")) return;
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
    createWhole(layout.dlq, encodeSnapshot("dlq", [], FIRST), "create-dlq");
    createWhole(layout.queue, encodeSnapshot("jobs", [], FIRST), "create-queue");
  }
  syncDirectory(layout.root);
}

/**
 * Creates it, or finds it there and empty: what an interrupted checkpoint left. False when others have filled it while this
 * process was frozen: they have made this checkpoint, which the journal before it tells.
 */
function createJournal(path: string, before?: Journal): boolean {
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
  const prefixes = [layout.queue, layout.dlq].map((path) => `${basename(path)}.tmp-`);
  for (const name of namesIn(layout.root)) {
    const path = join(layout.root, name);
    if (prefixes.some((prefix) => name.startsWith(prefix)) && !mine.includes(path)) remove(path);
  }
}

function removeJournalsBefore(layout: Layout, generation: number): void {
  reach("remove-old-journals");
  for (const name of namesIn(layout.root)) {
    const found = journalGeneration(name);
    if (found !== undefined && found < generation) remove(join(layout.root, name));
  }
}
