/**
 * `ids.bin`: which ids are taken in a large store, so that a job can be added without reading the million that are there.
 * It holds no ids but hashes of 52 bits of them: a hash that is not there is an id that is not taken; one that is there
 * says that the store has to be read to be sure. All of it is derived: it may be removed at any time, and whoever reads
 * the store then writes it anew.
 *
 * The file is made of pages of 4 KiB. The first says how many pages of a hash table follow and up to which position of
 * the journals they hold every id. Behind the table stand blocks, each appended in one write by whoever had read on:
 * hashes of the ids that were added from one position to another. Every page of the table, and every block, has a
 * checksum of its own. A block that does not go on from where those before it end is passed over: whatever was lost or
 * appended twice, the position that is reached in the end is one up to which all ids are known.
 */
import { closeSync, constants, fstatSync, writeSync } from "node:fs";
import { guard, guardUnless } from "../local/durable.ts";
import { openTrusted } from "../local/trust.ts";
import { isBefore, type Place, type Position, positionOf } from "./position.ts";
import { readAt } from "./read-at.ts";

const PAGE_BYTES = 4096;
/** Before the hashes: the checksum, the length in pages, how many hashes there are, and what they reach to. */
const HEAD_BYTES = 256;
const HASHES_A_PAGE = (PAGE_BYTES - HEAD_BYTES) / 8;
/** On average; the rest is for what chance piles up. */
const FILLED_A_PAGE = HASHES_A_PAGE / 2;
const HASH_RANGE = 2 ** 52;
/** From so many questions on, one set of all hashes is quicker than going through the blocks. */
const MANY_QUESTIONS = 16;
const HASHED_AT_A_TIME = 8192;

/** What a page or block says besides its hashes; in the first page, `pages` is the size of the table. */
interface Head {
  readonly from?: Place;
  readonly to?: Position;
  readonly pages?: number;
}

export class IdIndex implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #pages: number;
  readonly #table = new Map<number, Float64Array>();
  readonly #blocks: Float64Array[] = [];
  #all: Set<number> | undefined;
  #questions = 0;
  #position: Position;

  private constructor(path: string, fd: number, { pages, to }: Required<Pick<Head, "pages" | "to">>) {
    this.#path = path;
    this.#fd = fd;
    this.#pages = pages;
    this.#position = to;
  }

  /** Undefined where there is none that can be used. */
  static open(path: string): IdIndex | undefined {
    const flags = constants.O_RDWR | constants.O_APPEND;
    const fd = guardUnless(["ENOENT", "EACCES", "EROFS"], { verb: "read", path }, () => openTrusted(path, flags));
    if (fd === undefined) return undefined;
    const { pages, to } = blockIn(read(fd, path, { at: 0, bytes: PAGE_BYTES }))?.head ?? {};
    if (pages === undefined || to === undefined) {
      closeSync(fd);
      return undefined;
    }
    const index = new IdIndex(path, fd, { pages, to });
    index.#readBlocks();
    return index;
  }

  /** Up to where every id is known. */
  get position(): Position {
    return this.#position;
  }

  /** False for an id that is not in the store as of `position`. Almost always true only for one that is. */
  mayHold(id: string): boolean {
    const hash = hashOf(id);
    const page = this.#pageOf(hash);
    // A page that is damaged knows nothing.
    if (page === undefined || page.includes(hash)) return true;
    this.#questions += 1;
    if (this.#questions <= MANY_QUESTIONS) return this.#blocks.some((hashes) => hashes.includes(hash));
    this.#all ??= new Set(this.#blocks.flatMap((hashes) => Array.from(hashes)));
    return this.#all.has(hash);
  }

  /** Adds the ids that came in from its position to another one. Written at once; what a power cut takes is added again. */
  extend(ids: Iterable<string>, to: Position): void {
    const hashes = Float64Array.from(ids, hashOf);
    const { generation, at } = this.#position;
    const block = encodeBlock({ from: { generation, at }, to: positionOf(to) }, hashes);
    // Behind what a full disk or a crash left of a block, where a page begins.
    const gap = -this.#size() & (PAGE_BYTES - 1);
    guard("write", this.#path, () => writeSync(this.#fd, Buffer.concat([Buffer.alloc(gap), block])));
    this.#blocks.push(hashes);
    for (const hash of hashes) this.#all?.add(hash);
    this.#position = to;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #pageOf(hash: number): Float64Array | undefined {
    const number = pageNumber(hash, this.#pages);
    let page = this.#table.get(number);
    if (page) return page;
    page = blockIn(read(this.#fd, this.#path, { at: (1 + number) * PAGE_BYTES, bytes: PAGE_BYTES }))?.hashes;
    if (page) this.#table.set(number, page);
    return page;
  }

  #size(): number {
    return guard("read", this.#path, () => fstatSync(this.#fd).size);
  }

  #readBlocks(): void {
    const start = (1 + this.#pages) * PAGE_BYTES;
    const bytes = read(this.#fd, this.#path, { at: start, bytes: Math.max(0, this.#size() - start) });
    for (let at = 0; at < bytes.length; ) {
      const block = blockIn(bytes.subarray(at));
      at += block ? block.bytes : PAGE_BYTES;
      const { from, to } = block?.head ?? {};
      if (!block || !from || !to || isBefore(this.#position, from)) continue;
      this.#blocks.push(block.hashes);
      if (isBefore(this.#position, to)) this.#position = to;
    }
  }
}

/** The pages of a new index of all `count` ids there are at a position. Stops (with nothing) now and then on the way. */
export function* encodeIndex(ids: Iterable<string>, count: number, to: Position): Generator<Uint8Array> {
  const hashes = new Float64Array(count);
  let place = 0;
  for (const id of ids) {
    hashes[place] = hashOf(id);
    if (place % HASHED_AT_A_TIME === 0) yield new Uint8Array();
    place += 1;
  }
  const pages = Math.max(1, Math.ceil(count / FILLED_A_PAGE));
  // By hash they stand in the order of the pages.
  hashes.sort();
  yield encodeBlock({ pages, to: positionOf(to) }, new Float64Array());
  for (let number = 0, from = 0; number < pages; number++) {
    let until = from;
    while (until < count && pageNumber(hashes[until] ?? 0, pages) === number) until++;
    // So full a page by chance is unheard of; the store is then read, as if there were no index.
    const isFull = until - from > HASHES_A_PAGE;
    yield isFull ? new Uint8Array(PAGE_BYTES) : encodeBlock({}, hashes.subarray(from, until));
    from = until;
  }
}

/** In whole pages. */
function encodeBlock(head: Head, hashes: Float64Array): Uint8Array {
  const pages = Math.max(1, Math.ceil((HEAD_BYTES + hashes.length * 8) / PAGE_BYTES));
  const block = Buffer.alloc(pages * PAGE_BYTES);
  block.writeUInt32LE(pages, 8);
  block.writeUInt32LE(hashes.length, 12);
  block.write(JSON.stringify(head), 16);
  block.set(Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength), HEAD_BYTES);
  block.writeBigUInt64LE(Bun.hash.xxHash64(block.subarray(8)));
  return block;
}

/** The block that begins with some bytes, if it is whole. */
function blockIn(bytes: Buffer): { head: Head; hashes: Float64Array; bytes: number } | undefined {
  const length = bytes.length < PAGE_BYTES ? 0 : bytes.readUInt32LE(8) * PAGE_BYTES;
  if (length === 0 || length > bytes.length) return undefined;
  const block = bytes.subarray(0, length);
  if (block.readBigUInt64LE() !== Bun.hash.xxHash64(block.subarray(8))) return undefined;
  const head = JSON.parse(block.toString("latin1", 16, HEAD_BYTES).replace(/\0+$/, "")) as Head;
  const end = HEAD_BYTES + block.readUInt32LE(12) * 8;
  // Copied, for numbers have to stand where a number may.
  const hashes = new Float64Array(new Uint8Array(block.subarray(HEAD_BYTES, end)).buffer);
  return { head, hashes, bytes: length };
}

function hashOf(id: string): number {
  return (Bun.hash.xxHash32(id, 1) % 2 ** 20) * 2 ** 32 + Bun.hash.xxHash32(id, 0);
}

function pageNumber(hash: number, pages: number): number {
  return Math.floor((hash / HASH_RANGE) * pages);
}

function read(fd: number, path: string, { at, bytes }: { at: number; bytes: number }): Buffer {
  return guard("read", path, () => readAt(fd, at, bytes));
}
