/** Reads the output of an attempt: what is there, or, following, also what comes until the attempt ends. */
import { watch } from "node:fs";
import type { Entry, Lease } from "../job/job.ts";
import { size } from "../output/size.ts";
import type { AttemptLog } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "../worker/alarm.ts";
import { LogFile, lastLines } from "./log-file.ts";

/** For the file systems where nothing tells of a change. */
export const LOOK_AGAIN_MS = 1000;

/**
 * The log of an attempt, the newest where a requeue began the count anew. There is none when it printed nothing: of the
 * attempt that was made last, an older log of the same number does not count while a newer one has another number.
 */
export function logOfAttempt(logs: readonly AttemptLog[], attempt: number, entry: Entry): AttemptLog | undefined {
  if (attempt !== entry.attempts) return logs.findLast((log) => log.attempt === attempt);
  const newest = logs.at(-1);
  return newest?.attempt === attempt ? newest : undefined;
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
  /** Of what is there at first, only so many lines. */
  readonly tail: number | undefined;
}

/** The bytes that are in the file now, or where it is elsewhere, what the store has of them. */
export async function* readLog(
  log: AttemptLog,
  { id, isRunning }: { readonly id: string; readonly isRunning: boolean },
  { tell, tail }: Reading,
): AsyncGenerator<Uint8Array> {
  const { attempt, path, elsewhere } = log;
  if (elsewhere === undefined) {
    using file = LogFile.open(path, tail);
    yield* file?.readOn() ?? [];
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
  yield bytes;
}

/**
 * The bytes in the log, then those that are added to it until this attempt is no longer being run; of one that runs
 * elsewhere, what the store has of them then.
 */
export async function* followLog(
  store: Store,
  { id, attempt, lease }: AttemptRef,
  reading: Reading,
): AsyncGenerator<Uint8Array> {
  const alarm = new Alarm();
  using open = new DisposableStack();
  open.use(store.changes(() => alarm.ring()));
  let file: LogFile | undefined;
  let isTold = false;
  for (let isRunning = true; isRunning; ) {
    alarm.reset();
    // Asked before reading: whatever it printed before its end is then read below.
    isRunning = holds(await entryOf(store, id), lease);
    if (file === undefined) {
      // A job that was claimed a moment ago has no log yet.
      const log = (await store.logs(id)).find((found) => found.lease === lease);
      if (log?.elsewhere) {
        if (!isRunning) yield* readLog(log, { id, isRunning }, reading);
        else if (!isTold)
          reading.tell(
            `Attempt ${attempt} of job ${id} runs on host ${log.elsewhere.host}; its output comes when it ends.`,
          );
        isTold = true;
      } else if (log) {
        file = open.use(LogFile.open(log.path, reading.tail));
        if (file) open.defer(onGrowth(log.path, () => alarm.ring()));
      }
    }
    if (file) yield* file.readOn();
    if (isRunning) await alarm.sleep(LOOK_AGAIN_MS);
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

/** Wakes whenever a log grows. Returns what ends it. A file that has just been removed grows no more. */
export function onGrowth(path: string, wake: () => void): () => void {
  try {
    const watcher = watch(path, wake);
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
