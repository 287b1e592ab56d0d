/** Reads the output of an attempt: what is there, or, following, also what comes until the attempt ends. */
import type { Entry, Lease } from "../job/job.ts";
import type { LogChunk } from "../output/output.ts";
import { size } from "../output/size.ts";
import { type AttemptLog, isOutOfReach, type Stream } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "../worker/alarm.ts";
import { chunksOf, GrowingLogs } from "./growing-logs.ts";
import { LogFile, lastLines } from "./log-file.ts";
import { mistake } from "./mistake.ts";

/** For the file systems where nothing tells of a change. */
export const LOOK_AGAIN_MS = 1000;
/** Twice as long is waited for what has to come soon, and twice as long each time after that. */
export const FIRST_LOOK_MS = 5;

/**
 * The logs of an attempt, the newest where a requeue began the count anew. There are none when it printed nothing: of the
 * attempt that was made last, an older log of the same number does not count while a newer one has another number.
 */
export function logsOfAttempt(logs: readonly AttemptLog[], attempt: number, entry: Entry): AttemptLog[] {
  const newest = attempt === entry.attempts ? logs.at(-1) : logs.findLast((log) => log.attempt === attempt);
  return newest?.attempt === attempt ? logs.filter(({ lease }) => lease === newest.lease) : [];
}

/** An attempt of a job, whether there is a log of it or not. */
export interface AttemptRef {
  readonly id: string;
  readonly attempt: number;
  readonly lease: Lease;
}

export interface Reading {
  /** Told what of it is not shown. */
  readonly tell: (sentence: string) => void;
  /** Of what is there at first, only so many lines, of each stream where they are split. */
  readonly tail: number | undefined;
  /** The only stream that is asked for. */
  readonly only?: Stream | undefined;
}

/**
 * Of the logs of one attempt those that are asked for. Throws `E_USAGE` where that is one stream and both are in one log; of
 * what is out of reach nobody knows.
 */
export function askedFor(logs: readonly AttemptLog[], id: string, { only }: Pick<Reading, "only">): AttemptLog[] {
  if (only === undefined) return [...logs];
  const whole = logs.find((log) => log.stream === undefined && !isOutOfReach(log));
  if (whole === undefined) return logs.filter(({ stream }) => stream === undefined || stream === only);
  throw mistake(
    `Attempt ${whole.attempt} of job ${id} has stdout and stderr in one log.`,
    "To have a log for each, from the next attempt on: queuectl config-set split_logs true",
  );
}

/** The bytes that are in the file now, or where it is elsewhere, what the store has of them. */
export function* readLog(
  log: AttemptLog,
  { id, isRunning }: { readonly id: string; readonly isRunning: boolean },
  { tell, tail }: Reading,
): Generator<LogChunk> {
  const { attempt, path, elsewhere } = log;
  if (elsewhere === undefined) {
    using file = LogFile.open(path, tail);
    yield* chunksOf(log, file?.readOn() ?? []);
    return;
  }
  const { host, end } = elsewhere;
  if (end === undefined) {
    const which = `attempt ${attempt} of job ${id}`;
    if (isRunning) tell(`The output of ${which} is on host ${host} until it ends: ${path}`);
    else tell(`The output of ${which} is on host ${host}, which was lost while it ran: ${path}`);
    return;
  }
  const bytes = tail === undefined ? end.tail : lastLines(end.tail, tail);
  if (end.bytes > end.tail.length && bytes.length === end.tail.length) {
    tell(
      `Showing the last ${size(end.tail.length)} of ${size(end.bytes)}; all of it was written on host ${host}: ${path}`,
    );
  }
  yield* chunksOf(log, [bytes]);
}

/**
 * The bytes in the logs, then those that are added to them until this attempt is no longer being run; of one that runs
 * elsewhere, what the store has of them then. Throws as `askedFor`.
 */
export async function* followLog(
  store: Store,
  { id, attempt, lease }: AttemptRef,
  reading: Reading,
): AsyncGenerator<LogChunk> {
  const alarm = new Alarm();
  using _changes = store.changes(() => alarm.ring());
  using files = new GrowingLogs(() => alarm.ring());
  let isTold = false;
  let waitMs = FIRST_LOOK_MS;
  for (let isRunning = true; isRunning; ) {
    alarm.reset();
    // Asked before reading: whatever it printed before its end is then read below.
    isRunning = holds(await entryOf(store, id), lease);
    // A job that was claimed a moment ago has no log yet.
    const logs = files.isComplete(reading) ? [] : (await store.logs(id)).filter((log) => log.lease === lease);
    for (const log of askedFor(logs, id, reading)) {
      if (log.elsewhere === undefined) files.add(log, reading.tail);
      else if (!isRunning) yield* readLog(log, { id, isRunning }, reading);
      else if (!isTold) {
        const { host } = log.elsewhere;
        reading.tell(`Attempt ${attempt} of job ${id} runs on host ${host}; its output comes when it ends.`);
        isTold = true;
      }
    }
    yield* files.readOn();
    waitMs = files.isComplete(reading) ? LOOK_AGAIN_MS : Math.min(2 * waitMs, LOOK_AGAIN_MS);
    if (isRunning) await alarm.sleep(waitMs);
  }
}

/** Undefined once it is in the queue no more: completed and archived while somebody was looking. */
export async function entryOf(store: Store, id: string): Promise<Entry | undefined> {
  return (await store.entries([id]))[0];
}

/** Whether the attempt is being run. */
export function holds(entry: Entry | undefined, lease: Lease): boolean {
  return entry !== undefined && "state" in entry && entry.state === "processing" && entry.lease === lease;
}
