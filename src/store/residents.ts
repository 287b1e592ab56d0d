/** Those who are in the queue or the DLQ when others come. */
import type { Entry, PendingJob } from "../job/job.ts";
import type { UnfinishedJob } from "../job/key.ts";

/** Who has the id, if anybody has. */
export type HolderOf = (id: string) => Entry | undefined;

export interface Residents {
  entry(id: string): Entry | undefined;
  /** Who has the key, if anybody has. */
  keyHolder(key: string): UnfinishedJob | undefined;
  /** The jobs that wait for that of this id. */
  waitersOf(id: string): readonly PendingJob[];
}

/** For jobs that have neither keys nor others to wait for: nothing more is asked. */
export function residentsById(entry: HolderOf): Residents {
  return { entry, keyHolder: () => undefined, waitersOf: () => [] };
}
