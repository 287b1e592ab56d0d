import type { ErrorCode } from "../job/errors.ts";
import { hasFailed, type JobResult } from "../job/result.ts";
import type { BatchOutcome } from "../output/output.ts";

/** The exit codes that mean something to a script; documented in README. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  idTaken: 4,
  jobsFailed: 5,
  timedOut: 6,
  storeUnreadable: 7,
  storeLocked: 8,
  interrupted: 130,
} as const;

/** As README has them, too. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done; for workers: drained, or stopped by worker-stop, TERM or HUP",
  failure: 'failure; also: the state of a job does not allow that, or "no" was the answer',
  usage: "usage: an unknown command or option, invalid job data, a value out of range",
  notFound: "no such job or key",
  idTaken: "the id is taken",
  jobsFailed:
    "worker-start --drain: done, but a job went to the DLQ in that time; wait, run: a job is in the DLQ or has failed",
  timedOut: "wait, run: the --timeout passed",
  storeUnreadable: "the store cannot be reached, read or written, is damaged, or was made by a newer version",
  storeLocked: "the store is locked",
  interrupted: "interrupted by ^C",
};

export const BY_CODE = {
  E_USAGE: EXIT.usage,
  E_JOB_NOT_FOUND: EXIT.notFound,
  E_KEY_NOT_FOUND: EXIT.notFound,
  E_JOB_EXISTS: EXIT.idTaken,
  E_JOB_STATE: EXIT.failure,
  E_SCHEDULE_NOT_FOUND: EXIT.notFound,
  E_SCHEDULE_EXISTS: EXIT.idTaken,
  E_STORE_NOT_EMPTY: EXIT.failure,
  E_STREAM: EXIT.failure,
  E_STORE_LOCKED: EXIT.storeLocked,
  E_STORE_CORRUPT: EXIT.storeUnreadable,
  E_STORE_VERSION: EXIT.storeUnreadable,
  E_STORE_IO: EXIT.storeUnreadable,
  E_OUTPUT: EXIT.failure,
} as const satisfies Record<ErrorCode, number>;

export function exitCodeOf(code: ErrorCode): number {
  return BY_CODE[code];
}

/** Of waiting for jobs. */
export function exitCodeFor(how: BatchOutcome["how"], results: readonly JobResult[]): number {
  if (how === "interrupted") return EXIT.interrupted;
  if (how === "timed-out") return EXIT.timedOut;
  return how === "gave-up" || results.some(hasFailed) ? EXIT.jobsFailed : EXIT.ok;
}
