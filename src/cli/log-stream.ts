/** Which output `logs` is asked for, as a stream. */
import type { QueueError } from "../job/errors.ts";
import type { Entry, Lease } from "../job/job.ts";
import type { LogChunk, LogStream } from "../output/output.ts";
import { type AttemptLog, isOutOfReach } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { FollowedJob } from "./followed-job.ts";
import { askedFor, followLog, holds, logsOfAttempt, type Reading, readLog } from "./log-reader.ts";
import { mistake } from "./mistake.ts";

export interface LogRequest extends Reading {
  /** By number; absent means the last one. */
  readonly wanted: number | undefined;
  readonly follow: boolean;
  readonly raw: boolean;
  readonly logs: readonly AttemptLog[];
  readonly select: (chunks: AsyncIterable<LogChunk>) => AsyncIterable<LogChunk>;
}

/** `isOutOfReach` where it is on another host and nothing of it is stored. */
export type FoundLog = LogStream & { readonly isOutOfReach: boolean };

/** Throws `E_USAGE` when there is no such attempt, or one of its streams is asked for and it was not split. */
export function logStream(store: Store, entry: Entry, request: LogRequest): FoundLog {
  const { id } = entry;
  const { wanted, follow, raw, only, select } = request;
  // Put back by a requeue or a release, a job has no attempt to its name, but it may have a log.
  const attempt = wanted ?? (entry.attempts || request.logs.at(-1)?.attempt);
  const found = attempt === undefined ? [] : logsOfAttempt(request.logs, attempt, entry);
  if (wanted !== undefined && found.length === 0 && wanted > entry.attempts) throw noSuchAttempt(entry, wanted);
  const lease = leaseOf(entry, { attempt, log: found[0] });
  if (follow && wanted === undefined) {
    const job = new FollowedJob(store, id, { attempt });
    const seen = request.logs.at(-1)?.lease ?? -1;
    return {
      ...{ id, raw, only, chunks: select(job.follow({ first: lease, seen }, request)), isOutOfReach: false },
      get attempt() {
        return job.attempt;
      },
      get places() {
        return placesOf(job.logs);
      },
    };
  }
  const logs = askedFor(found, id, request);
  const chunks =
    follow && attempt !== undefined && lease !== undefined
      ? followLog(store, { id, attempt, lease }, request)
      : readLogs(logs, entry, request);
  return {
    ...{ id, attempt: attempt ?? null, raw, only, chunks: select(chunks), places: placesOf(logs) },
    isOutOfReach: !follow && logs.some(isOutOfReach),
  };
}

async function* readLogs(logs: readonly AttemptLog[], entry: Entry, reading: Reading): AsyncGenerator<LogChunk> {
  for (const log of logs) yield* readLog(log, { id: entry.id, isRunning: holds(entry, log.lease) }, reading);
}

function placesOf(logs: readonly AttemptLog[]): LogStream["places"] {
  return logs.map(({ path, stream, elsewhere }) => ({ path, stream, host: elsewhere?.host }));
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
