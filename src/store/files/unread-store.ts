/**
 * Jobs are added to a store without reading it: what has to be known for that is where the chain of commits ends and which
 * ids are taken. Who tells that differs: the text of a small store (small-store.ts), an index of a large one
 * (indexed-store.ts). In every doubt nothing is done, and the caller reads the store after all.
 */
import type { HolderOf } from "../residents.ts";
import type { CommitContent, JournalRecord } from "./commit.ts";

/** To be used with the lock held, but for `sync`. */
export interface UnreadStore extends Disposable {
  /** Reads what was appended since. False where the store has to be read. */
  catchUp(): boolean;
  /** False for an id that is not taken; almost always true only for one that is. */
  mayHold(id: string): boolean;
  /** Appends a commit that adds jobs. False when it does not count: then the store has to be read. */
  append(content: CommitContent): boolean;
  /** Forces what was appended to the disk; whoever waits for the lock need not wait for that. */
  sync(): void;
}

/** Decides, and appends what `contentOf` makes of that; undefined where the store has to be read for it. */
export function addUnread<Decision extends { readonly records: readonly JournalRecord[] }>(
  store: UnreadStore,
  decide: (holderOf: HolderOf) => Decision,
  contentOf: (decision: Decision) => CommitContent,
): Decision | undefined {
  if (!store.catchUp()) return undefined;
  let isInDoubt = false;
  const doubt = (id: string): undefined => {
    isInDoubt ||= store.mayHold(id);
  };
  let decision: Decision;
  try {
    decision = decide(doubt);
  } catch (error) {
    // What is refused in doubt may be refused for another reason once the store has been read.
    if (isInDoubt) return undefined;
    throw error;
  }
  if (isInDoubt) return undefined;
  return decision.records.length === 0 || store.append(contentOf(decision)) ? decision : undefined;
}
