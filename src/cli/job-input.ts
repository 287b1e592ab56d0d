/**
 * Where many jobs come from: a file, or standard input for `-`. Read piece by piece; what may keep us waiting can be stopped
 * in the wait.
 */
import { closeSync, fstatSync, openSync, read, type Stats } from "node:fs";
import { QueueError } from "../job/errors.ts";

const STANDARD_INPUT = 0;
const PIECE_BYTES = 256 * 1024;

export class JobInput implements Disposable {
  /** Undefined for standard input. */
  readonly #path: string | undefined;
  readonly #fd: number;
  readonly #stat: Stats;
  #reader: { cancel(): Promise<void> } | undefined;
  #isStopped = false;

  /** Throws `E_USAGE` for what cannot be read. */
  constructor(path: string) {
    this.#path = path === "-" ? undefined : path;
    this.#fd = this.#path === undefined ? STANDARD_INPUT : this.#guard(() => openSync(path, "r"));
    this.#stat = this.#guard(() => fstatSync(this.#fd));
  }

  /** In bytes; undefined where it cannot be known. */
  get size(): number | undefined {
    return this.#stat.isFile() ? this.#stat.size : undefined;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Nothing comes any more. */
  stop(): void {
    this.#isStopped = true;
    void this.#reader?.cancel();
  }

  /**
   * Its bytes, in pieces that are overwritten by the next: from where it stands, or of a file from any place. Throws
   * `E_USAGE`.
   */
  async *pieces(from: number | null = null): AsyncGenerator<Uint8Array> {
    try {
      // Bun's stream reads a file from its beginning, wherever the descriptor stands; a call of `read` cannot be called off.
      yield* this.#fd === STANDARD_INPUT && !this.#stat.isFile() ? this.#streamed() : this.#read(from);
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  [Symbol.dispose](): void {
    // Left open, a pipe that nobody reads to its end would keep the process alive.
    void this.#reader?.cancel();
    if (this.#fd !== STANDARD_INPUT) closeSync(this.#fd);
  }

  async *#streamed(): AsyncGenerator<Uint8Array> {
    const reader = Bun.stdin.stream().getReader();
    this.#reader = reader;
    while (!this.#isStopped) {
      const { value } = await reader.read();
      if (value === undefined) return;
      yield value;
    }
  }

  async *#read(from: number | null): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = from; !this.#isStopped; ) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      read(this.#fd, buffer, 0, buffer.length, at, (error, count) => (error ? reject(error) : resolve(count)));
      const count = await promise;
      if (count === 0) return;
      if (at !== null) at += count;
      yield buffer.subarray(0, count);
    }
  }

  #guard<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  #unreadable(cause: unknown): QueueError {
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    const reason = REASONS[code] ?? "the system refused";
    return new QueueError("E_USAGE", `Cannot read ${this.#path ?? "standard input"}: ${reason} (${code}).`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EIO: "the disk reports an error",
  EISDIR: "it is a directory",
  ENOENT: "no such file",
  ENOTDIR: "a part of the path is not a directory",
};
