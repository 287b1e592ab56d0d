/**
 * Cuts bytes into lines of text as they come. Lines end in LF or CRLF, the last one may do without; blank lines are passed
 * over; a byte order mark before the first one is, too. Never holds more than one line and what it was given last.
 */
import { jsonNotUtf8, jsonTooLong, MAX_JSON_BYTES } from "../job/spec.ts";

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** An unfinished line may yet turn out to begin with a mark and to end in CR. */
const MAX_UNFINISHED_BYTES = BYTE_ORDER_MARK.length + MAX_JSON_BYTES + 1;

export class LineReader {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The line that has begun. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;
  #number = 0;

  /** The 1-based number of the line that was yielded or refused last, blank ones counted. */
  get number(): number {
    return this.#number;
  }

  /** The lines that end in these bytes, which may be reused afterwards. Throws `E_USAGE` for one that is none. */
  *read(bytes: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      const line = this.#finish(bytes.subarray(start, end));
      start = end + 1;
      if (line !== undefined) yield line;
    }
    this.#begin(bytes.subarray(start));
  }

  /** The last line, when it does not end in a newline. Throws as `read`. */
  *end(): Generator<string> {
    const line = this.#begunBytes === 0 ? undefined : this.#finish(new Uint8Array());
    if (line !== undefined) yield line;
  }

  #begin(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#begun.push(new Uint8Array(bytes));
    this.#begunBytes += bytes.length;
    if (this.#begunBytes <= MAX_UNFINISHED_BYTES) return;
    this.#number += 1;
    throw jsonTooLong("more");
  }

  #finish(rest: Uint8Array): string | undefined {
    const bytes = this.#begunBytes === 0 ? rest : Buffer.concat([...this.#begun, rest]);
    this.#begun = [];
    this.#begunBytes = 0;
    this.#number += 1;
    const start = this.#number === 1 && startsWithMark(bytes) ? BYTE_ORDER_MARK.length : 0;
    const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    return isBlank(bytes, start, end) ? undefined : this.#decode(bytes.subarray(start, end));
  }

  #decode(bytes: Uint8Array): string {
    if (bytes.length > MAX_JSON_BYTES) throw jsonTooLong(bytes.length);
    try {
      return this.#decoder.decode(bytes);
    } catch (cause) {
      throw jsonNotUtf8(cause);
    }
  }
}

function startsWithMark(bytes: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte);
}

/** Nothing but what JSON takes for white space. */
function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] !== 0x20 && bytes[i] !== 0x09 && bytes[i] !== CR) return false;
  }
  return true;
}
