/** Where the output of jobs goes, and where it is found again. */
import type { Lease } from "../job/job.ts";

/** A file that every write is appended to. Whoever asked for it closes it. */
export interface OpenLog {
  readonly path: string;
  readonly fd: number;
}

/** For the output of an attempt: both of its streams, unless there is another file for what it writes to stderr. */
export interface OpenAttemptLog extends OpenLog {
  readonly stderr?: OpenLog;
}

export type Stream = "stdout" | "stderr";

/** Where the output of one attempt is, or of one of its streams where they were split. */
export interface AttemptLog {
  readonly attempt: number;
  /** Which attempt, where several carry the same number: after a release or a requeue. */
  readonly lease: Lease;
  /** The only one that this is of, if it is. */
  readonly stream?: Stream;
  readonly path: string;
  /**
   * Of an attempt whose file this process cannot read: the host that it is on, and how it ends, as far as the store has
   * that. It has nothing while the attempt runs, and nothing of one that was lost together with its host: then nobody here
   * knows whether its streams were split either, and the path ends in `*`.
   */
  readonly elsewhere?: {
    readonly host: string;
    readonly end?: { readonly bytes: number; readonly tail: Uint8Array };
  };
}

/** Whether it is on another host, and nothing of it is stored. */
export function isOutOfReach({ elsewhere }: AttemptLog): boolean {
  return elsewhere !== undefined && elsewhere.end === undefined;
}
