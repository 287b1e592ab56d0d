/** Reads the output of an attempt: what is there, or, following, also what comes until the attempt ends. */
import { closeSync, openSync, readSync, watch } from "node:fs";
import { QueueError } from "../job/errors.ts";
import type { Entry } from "../job/job.ts";
import { size } from "../output/size.ts";
import type { AttemptLog } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";

const CHUNK_BYTES = 64 * 1024;
/** For the file systems where nothing tells of a change. */
const LOOK_AGAIN_MS = 1000;

/**
 * The log of an attempt, the newest where a requeue began the count anew. There is none when it printed nothing: of the
 * attempt that was made last, an older log of the same number does not count while a newer one has another number.
 */
export function logOfAttempt(logs: readonly AttemptLog[], attempt: number, entry: Entry): AttemptLog | undefined {
  if (attempt !== entry.attempts) return logs.findLast((log) => log.attempt === attempt);
  const newest = logs.at(-1);
  return newest?.attempt === attempt ? newest : undefined;
}

/** Whose output it is, and to whom is told what of it is not shown. */
export interface Reading {
  readonly entry: Entry;
  readonly attempt: number;
  readonly tell: (sentence: string) => void;
}

/** The bytes that are in the file now, or where it is elsewhere, what the store has of them. */
export async function* readLog(log: AttemptLog, reading: Reading): AsyncGenerator<Uint8Array> {
  const { path, elsewhere } = log;
  if (elsewhere === undefined) {
    using file = new LogFile(path);
    yield* file.readOn();
    return;
  }
  const { host, end } = elsewhere;
  const { entry, attempt, tell } = reading;
  if (end === undefined) {
    const which = `attempt ${attempt} of job ${entry.id}`;
    if (isRunning(entry, attempt)) tell(`The output of ${which} is on host ${host} until it ends: ${path}`);
    else tell(`The output of ${which} is on host ${host}, which was lost while it ran: ${path}`);
    return;
  }
  if (end.bytes > end.tail.length) {
    tell(
      `Showing the last ${size(end.tail.length)} of ${size(end.bytes)}; all of it was written on host ${host}: ${path}`,
    );
  }
  yield end.tail;
}

/**
 * The bytes in the log, then those that are added to it until this attempt is no longer being run; of one that runs
 * elsewhere, what the store has of them then.
 */
export async function* followLog(store: Store, reading: Reading): AsyncGenerator<Uint8Array> {
  const { attempt, tell } = reading;
  const { id } = reading.entry;
  const bell = new Bell();
  using open = new DisposableStack();
  open.use(store.changes(() => bell.ring()));
  let file: LogFile | undefined;
  let isTold = false;
  for (let running = true; running; ) {
    // Asked before reading: whatever it printed before its end is then read below.
    const entry = await store.get(id);
    running = isRunning(entry, attempt);
    if (file === undefined) {
      // A job that was claimed a moment ago has no log yet.
      const log = logOfAttempt(await store.logs(id), attempt, entry);
      if (log?.elsewhere) {
        if (!running) yield* readLog(log, { entry, attempt, tell });
        else if (!isTold)
          tell(`Attempt ${attempt} of job ${id} runs on host ${log.elsewhere.host}; its output comes when it ends.`);
        isTold = true;
      } else if (log) {
        file = open.use(new LogFile(log.path));
        open.adopt(
          watch(log.path, () => bell.ring()),
          (watcher) => watcher.close(),
        );
      }
    }
    if (file) yield* file.readOn();
    if (running) await bell.rung(LOOK_AGAIN_MS);
  }
}

function isRunning(entry: Entry, attempt: number): boolean {
  return "state" in entry && entry.state === "processing" && entry.attempts === attempt;
}

class LogFile implements Disposable {
  readonly #fd: number;

  constructor(path: string) {
    try {
      this.#fd = openSync(path, "r");
    } catch (cause) {
      throw new QueueError("E_STORE_IO", `Could not read the log: ${(cause as Error).message}.`, { cause });
    }
  }

  /** From where the last reading ended to the present end. */
  *readOn(): Generator<Uint8Array> {
    for (;;) {
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      const bytes = readSync(this.#fd, buffer);
      if (bytes === 0) return;
      yield buffer.subarray(0, bytes);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** Remembers a ring until somebody waits for it, so that none is missed between a look and the next wait. */
class Bell {
  #next = Promise.withResolvers<void>();

  ring(): void {
    this.#next.resolve();
  }

  /** Resolves at the next ring, at once if there was one since the last wait, and after `timeoutMs` at the latest. */
  async rung(timeoutMs: number): Promise<void> {
    const timer = setTimeout(this.#next.resolve, timeoutMs);
    await this.#next.promise;
    clearTimeout(timer);
    this.#next = Promise.withResolvers<void>();
  }
}
