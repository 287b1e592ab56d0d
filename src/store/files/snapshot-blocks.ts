/**
 * The bytes of a snapshot, a MiB at a time: however many jobs there are, the file is never in memory as a whole, neither
 * when it is written nor when it is read. Its checksum goes the same way: each block is hashed with the sum of those
 * before it as the seed, so that of a file of one block it is the plain xxHash64.
 */
import { NEWLINE } from "./commit.ts";
import { readAt } from "./read-at.ts";

const BLOCK_BYTES = 1024 * 1024;
/** Entries are put together in pieces of so many characters before they become bytes. */
const PIECE_LENGTH = 64 * 1024;
const END = /^\],"check":"([0-9a-f]{16})"\}\n$/;
const END_BYTES = '],"check":"0123456789abcdef"}\n'.length;

/** A snapshot to be written: its blocks, once, and then their checksum. */
export class Encoding implements Iterable<Uint8Array> {
  readonly #head: string;
  readonly #entries: Iterable<object | string>;
  #check: string | undefined;

  /** `head` is everything up to the bracket that opens the list; a string is one or more entries as they are written. */
  constructor(head: string, entries: Iterable<object | string>) {
    this.#head = head;
    this.#entries = entries;
  }

  /** To be asked for when all blocks have been taken. */
  get check(): string {
    if (this.#check === undefined) throw new Error("the blocks of a snapshot were not all taken");
    return this.#check;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    const sum = new RunningSum();
    let rest: Uint8Array = new Uint8Array();
    for (const piece of this.#pieces()) {
      const bytes = Buffer.from(piece);
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      while (rest.length > BLOCK_BYTES) {
        const block = rest.subarray(0, BLOCK_BYTES);
        sum.add(block);
        yield block;
        rest = rest.subarray(BLOCK_BYTES);
      }
    }
    sum.add(rest);
    this.#check = sum.hex;
    yield Buffer.concat([rest, Buffer.from(`,"check":"${this.#check}"}\n`)]);
  }

  *#pieces(): Generator<string> {
    let piece = `${this.#head}\n`;
    let separator = "";
    for (const entry of this.#entries) {
      piece += separator + (typeof entry === "string" ? entry : JSON.stringify(entry));
      separator = ",\n";
      if (piece.length < PIECE_LENGTH) continue;
      yield piece;
      piece = "";
    }
    yield `${piece}${separator && "\n"}]`;
  }
}

/** The checksum of some bytes, as of the blocks of a snapshot. */
export function checksumOfBlocks(bytes: Uint8Array): string {
  const sum = new RunningSum();
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) sum.add(bytes.subarray(at, at + BLOCK_BYTES));
  return sum.hex;
}

/** What stands in a snapshot; `head` is everything up to the bracket that opens the list. */
export interface ReadSnapshot {
  readonly head: string;
  readonly entries: readonly unknown[];
  readonly check: string;
}

/**
 * The head and the entries of a snapshot that is exactly as it was written; undefined for any other, which has to be
 * looked at as a whole to be told what is wrong.
 */
export function readBlocks(fd: number, bytes: number): ReadSnapshot | undefined {
  const end = bytes - END_BYTES;
  const check = end > 0 ? checkIn(readAt(fd, end, END_BYTES)) : undefined;
  if (check === undefined) return undefined;
  const sum = new RunningSum();
  const entries: unknown[] = [];
  let head: string | undefined;
  let rest: Buffer = Buffer.alloc(0);
  // The bracket that closes the list is summed with what is before it.
  for (let at = 0; at <= end; at += BLOCK_BYTES) {
    const block = readAt(fd, at, Math.min(BLOCK_BYTES, end + 1 - at));
    sum.add(block);
    const text = Buffer.concat([rest, block]);
    const whole = text.lastIndexOf(NEWLINE) + 1;
    const first = head === undefined ? text.indexOf(NEWLINE) + 1 : 0;
    head ??= text.toString("utf8", 0, first);
    for (const entry of entriesIn(text.toString("utf8", first, whole))) entries.push(entry);
    rest = text.subarray(whole);
  }
  return head !== undefined && sum.hex === check ? { head, entries, check } : undefined;
}

/** A snapshot as text; `head` is everything up to the bracket that opens the list. */
export interface SnapshotText {
  readonly head: string;
  /** As they are written, one a line; empty where there are none. */
  readonly entries: string;
  readonly check: string;
}

/** Of one that is exactly as it was written, from all of its bytes; undefined for any other. */
export function textOf(bytes: Buffer): SnapshotText | undefined {
  const end = bytes.length - END_BYTES;
  const check = end > 0 ? checkIn(bytes.subarray(end)) : undefined;
  if (check === undefined || checksumOfBlocks(bytes.subarray(0, end + 1)) !== check) return undefined;
  const first = bytes.indexOf(NEWLINE) + 1;
  return {
    head: bytes.toString("utf8", 0, first),
    entries: bytes.toString("utf8", first, Math.max(first, end - 1)),
    check,
  };
}

/** The checksum that a snapshot ends in. */
function checkIn(ending: Buffer): string | undefined {
  return END.exec(ending.toString("latin1"))?.[1];
}

/** Of whole lines. Throws `SyntaxError`. */
function entriesIn(lines: string): unknown[] {
  return JSON.parse(`[${lines.replace(/,?\n$/, "")}]`) as unknown[];
}

class RunningSum {
  #sum = 0n;

  add(block: Uint8Array): void {
    this.#sum = Bun.hash.xxHash64(block, this.#sum);
  }

  /** 16 hexadecimal digits. */
  get hex(): string {
    return this.#sum.toString(16).padStart(16, "0");
  }
}
