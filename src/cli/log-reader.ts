/** Reads the output of an attempt: what is there, or, following, also what comes until the attempt ends. */
import { watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { QueueError } from "../job/errors.ts";
import type { AttemptLog, Store } from "../store/store.ts";

const CHUNK_BYTES = 64 * 1024;
/** For the file systems where nothing tells of a change. */
const LOOK_AGAIN_MS = 1000;

/** The bytes that are in the file now. */
export async function* readLog(path: string): AsyncGenerator<Uint8Array> {
  const file = await openLog(path);
  try {
    yield* readToEnd(file);
  } finally {
    await file.close();
  }
}

/** The bytes in the file, then those that are added to it until this attempt is no longer being run. */
export async function* followLog(store: Store, id: string, log: AttemptLog): AsyncGenerator<Uint8Array> {
  const file = await openLog(log.path);
  const bell = new Bell();
  const changes = store.changes(() => bell.ring());
  const watcher = watch(log.path, () => bell.ring());
  try {
    for (let running = true; running; ) {
      // Asked before reading: whatever it printed before its end is then read below.
      running = await isRunning(store, id, log.attempt);
      yield* readToEnd(file);
      if (running) await bell.rung(LOOK_AGAIN_MS);
    }
  } finally {
    watcher.close();
    changes[Symbol.dispose]();
    await file.close();
  }
}

async function openLog(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
    throw new QueueError("E_STORE_IO", `Could not read the log: ${(cause as Error).message}.`, { cause });
  }
}

async function* readToEnd(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function isRunning(store: Store, id: string, attempt: number): Promise<boolean> {
  const entry = await store.get(id);
  return "state" in entry && entry.state === "processing" && entry.attempts === attempt;
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
