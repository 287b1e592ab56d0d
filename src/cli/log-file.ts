/** A log that may still grow, read from some line on. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { QueueError } from "../job/errors.ts";

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export class LogFile implements Disposable {
  readonly #fd: number;
  #at: number;

  /** Undefined where it is gone: the log of an attempt that printed nothing is removed at its end. */
  static open(path: string, tail: number | undefined): LogFile | undefined {
    try {
      return new LogFile(openSync(path, "r"), tail);
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      throw new QueueError("E_STORE_IO", `Could not read the log: ${message}.`, { cause });
    }
  }

  /** To be read from its beginning, or from the last `tail` lines that are there now. */
  private constructor(fd: number, tail: number | undefined) {
    this.#fd = fd;
    this.#at = tail === undefined ? 0 : this.#startOfLast(tail);
  }

  /** From where the last reading ended to the present end. */
  *readOn(): Generator<Uint8Array> {
    for (;;) {
      const bytes = this.#read(this.#at, CHUNK_BYTES);
      if (bytes.length === 0) return;
      this.#at += bytes.length;
      yield bytes;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** Found from the end, so that a long log need not be read. */
  #startOfLast(lines: number): number {
    const { size } = fstatSync(this.#fd);
    let left = lines;
    for (let end = size; end > 0; ) {
      const from = Math.max(0, end - CHUNK_BYTES);
      const bytes = this.#read(from, end - from);
      const start = startOfLast(bytes, left, { isEnd: end === size });
      if ("at" in start) return from + start.at;
      left = start.left;
      end = from;
    }
    return 0;
  }

  #read(at: number, length: number): Uint8Array {
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(this.#fd, buffer, 0, length, at));
  }
}

/** The last lines of some bytes. */
export function lastLines(bytes: Uint8Array, lines: number): Uint8Array {
  const start = startOfLast(bytes, lines, { isEnd: true });
  return "at" in start ? bytes.subarray(start.at) : bytes;
}

/** Where the last lines begin, or how many of them are still to be found before these bytes. */
function startOfLast(
  bytes: Uint8Array,
  lines: number,
  { isEnd }: { isEnd: boolean },
): { readonly at: number } | { readonly left: number } {
  if (lines === 0) return { at: bytes.length };
  let left = lines;
  // The newline at the very end begins no line.
  for (let at = bytes.length - (isEnd ? 2 : 1); at >= 0; at--) {
    if (bytes[at] === NEWLINE && --left === 0) return { at: at + 1 };
  }
  return { left };
}
