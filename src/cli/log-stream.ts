/** Which output `logs` is asked for, as a stream. */
import type { QueueError } from "../job/errors.ts";
import type { Entry, Lease } from "../job/job.ts";
import type { LogStream } from "../output/output.ts";
import type { AttemptLog } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { FollowedJob } from "./followed-job.ts";
import { followLog, holds, logOfAttempt, type Reading, readLog } from "./log-reader.ts";
import { mistake } from "./mistake.ts";

export interface LogRequest extends Reading {
  /** By number; absent means the last one. */
  readonly wanted: number | undefined;
  readonly follow: boolean;
  readonly raw: boolean;
  readonly logs: readonly AttemptLog[];
  readonly select: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** `isOutOfReach` where it is on another host and nothing of it is stored. */
export type FoundLog = LogStream & { readonly isOutOfReach: boolean };

/** Throws `E_USAGE` when there is no such attempt. */
export function logStream(store: Store, entry: Entry, request: LogRequest): FoundLog {
  const { id } = entry;
  const { wanted, follow, raw, logs, select } = request;
  // Put back by a requeue or a release, a job has no attempt to its name, but it may have a log.
  const attempt = wanted ?? (entry.attempts || logs.at(-1)?.attempt);
  const log = attempt === undefined ? undefined : logOfAttempt(logs, attempt, entry);
  if (wanted !== undefined && log === undefined && wanted > entry.attempts) throw noSuchAttempt(entry, wanted);
  const lease = leaseOf(entry, { attempt, log });
  if (follow && wanted === undefined) {
    const job = new FollowedJob(store, id, { attempt });
    const seen = logs.at(-1)?.lease ?? -1;
    return {
      ...{ id, raw, chunks: select(job.follow({ first: lease, seen }, request)), isOutOfReach: false },
      get attempt() {
        return job.attempt;
      },
      get path() {
        return job.log?.path ?? null;
      },
      get host() {
        return job.log?.elsewhere?.host;
      },
    };
  }
  const { path = null, elsewhere } = log ?? {};
  const chunks =
    follow && attempt !== undefined && lease !== undefined
      ? followLog(store, { id, attempt, lease }, request)
      : log
        ? readLog(log, { id, isRunning: holds(entry, log.lease) }, request)
        : nothing();
  const isOutOfReach = elsewhere !== undefined && elsewhere.end === undefined && !follow;
  return { id, attempt: attempt ?? null, path, host: elsewhere?.host, chunks: select(chunks), raw, isOutOfReach };
}

/** Of the attempt that runs, or that left the log. */
function leaseOf(
  entry: Entry,
  { attempt, log }: { attempt: number | undefined; log: AttemptLog | undefined },
): Lease | undefined {
  const isRunning = "state" in entry && entry.state === "processing" && entry.attempts === attempt;
  return isRunning ? entry.lease : log?.lease;
}

function noSuchAttempt({ id, attempts }: Entry, wanted: number): QueueError {
  return mistake(
    `Job ${id} has no attempt ${wanted}.`,
    attempts === 0 ? "It has not run yet." : `Its last attempt is ${attempts}.`,
  );
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
