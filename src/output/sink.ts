/** Where text and bytes go. */
import { writeSync } from "node:fs";
import { QueueError } from "../job/errors.ts";

export interface Sink {
  /** Writes all of it. Returns false once nobody reads any more, so that a long listing can stop. */
  write(data: string | Uint8Array): boolean;
}

/** The two streams of a process, for four purposes: only a result that cannot be written is an error. */
export interface Sinks {
  readonly results: Sink;
  /** The part of a result that belongs on stderr: what a job wrote there. */
  readonly errors: Sink;
  /** The log of running workers. */
  readonly log: Sink;
  readonly messages: Sink;
}

export function processSinks(): Sinks {
  return {
    results: new Descriptor(1, { lossy: false }),
    errors: new Descriptor(2, { lossy: false }),
    log: new Descriptor(1, { lossy: true }),
    messages: new Descriptor(2, { lossy: true }),
  };
}

/** Writes many pieces in few system calls, and stops early, with false, when nobody reads any more. */
export function writeAll(sink: Sink, pieces: Iterable<string>): boolean {
  let buffered = "";
  for (const piece of pieces) {
    buffered += piece;
    if (buffered.length < WRITE_AT_LENGTH) continue;
    if (!sink.write(buffered)) return false;
    buffered = "";
  }
  return buffered === "" || sink.write(buffered);
}

const WRITE_AT_LENGTH = 64 * 1024;
const EAGAIN_PAUSE_MS = 2;

/**
 * A file descriptor, written synchronously, so that what was printed is out before the process ends. `writeSync` and not
 * the stream: the stream of a pipe is asynchronous and opening it costs start-up time.
 */
class Descriptor implements Sink {
  readonly #fd: number;
  readonly #lossy: boolean;
  #reader: "there" | "gone" = "there";

  constructor(fd: number, options: { lossy: boolean }) {
    this.#fd = fd;
    this.#lossy = options.lossy;
  }

  write(data: string | Uint8Array): boolean {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    let written = 0;
    while (this.#reader === "there" && written < bytes.length) {
      try {
        written += writeSync(this.#fd, bytes, written);
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException;
        if (code === "EAGAIN") pause(EAGAIN_PAUSE_MS);
        else if (code === "EPIPE") this.#reader = "gone";
        else if (this.#lossy) return true;
        else throw new QueueError("E_OUTPUT", `Could not write the output: ${message}.`, { cause });
      }
    }
    return this.#reader === "there";
  }
}

/** Blocks: a shared terminal or pipe in non-blocking mode takes more in a moment. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
