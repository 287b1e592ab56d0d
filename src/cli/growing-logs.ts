/** The files of an attempt that may go on writing to them: one, or where its streams are split, one for each. */
import { watch } from "node:fs";
import type { LogChunk } from "../output/output.ts";
import type { AttemptLog, Stream } from "../store/attempt-log.ts";
import { LogFile } from "./log-file.ts";

export class GrowingLogs implements Disposable {
  readonly #open = new DisposableStack();
  readonly #files: { readonly log: AttemptLog; readonly file: LogFile }[] = [];
  readonly #wake: () => void;

  /** `wake` is called whenever one of them grows. */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  /** Whether there can be no other, of all or of one stream. */
  isComplete({ only }: { readonly only?: Stream | undefined }): boolean {
    const most = only === undefined ? 2 : 1;
    return this.#files.length === most || this.#files.some(({ log }) => log.stream === undefined);
  }

  /** To be read from its beginning, or from its last `tail` lines. One that is gone, or was added before, is none. */
  add(log: AttemptLog, tail: number | undefined): void {
    if (this.#files.some((known) => known.log.path === log.path)) return;
    const file = LogFile.open(log.path, tail);
    if (file === undefined) return;
    this.#files.push({ log, file: this.#open.use(file) });
    this.#open.defer(onGrowth(log.path, this.#wake));
  }

  /** What has come since it was called last. */
  *readOn(): Generator<LogChunk> {
    for (const { log, file } of this.#files) yield* chunksOf(log, file.readOn());
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }
}

/** The bytes of this log, each with the stream that they were written to. */
export function* chunksOf({ stream }: AttemptLog, pieces: Iterable<Uint8Array>): Generator<LogChunk> {
  for (const bytes of pieces) yield { bytes, stream };
}

/** Returns what ends it. A file that has just been removed grows no more. */
function onGrowth(path: string, wake: () => void): () => void {
  try {
    const watcher = watch(path, wake);
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
