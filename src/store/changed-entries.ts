/** For who tells what happens to jobs, and looks at those to which something has happened. */
import type { Entry } from "../job/job.ts";

/** Which entries have changed, for one who asks again and again. */
export interface ChangedEntries extends Disposable {
  /**
   * All that have changed since the call before, or since they are remembered, as they are now, or as they went into the archive;
   * perhaps some that have not. Those that were removed are not among them. `at` is the time of this look by the clock
   * that the records go by.
   */
  take(): Promise<{ readonly entries: readonly Entry[]; readonly at: number }>;
}

/** What was completed so long before a look, or longer, had been seen as completed then: it only goes into the archive late. */
export const LATE_MS = 60_000;
