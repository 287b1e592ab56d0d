/**
 * One generation's journal: the append-only log of everything since its snapshot. It owns compare-and-append.
 *
 * A writer holding the lock appends a line that says where it stands (`at`) and which commit it follows (`prev`), then
 * reads back whether it stands there. Every reader judges a line alone, by this table:
 *
 *   complete, sum right, `at` where it stands, `prev` the last that counts   counts
 *   complete, sum right, `at` before where it stands                        void: its writer had lost the lock, and knows
 *   empty                                                                   void: the newline that closed a torn line
 *   no newline yet                                                          torn, or being written: not read; the next
 *                                                                           writer closes it with a newline
 *   sum wrong, and the next that counts follows the one before it           torn, certified so by that writer
 *   sum wrong, nothing that counts after it                                 torn, but said and kept: it may be damage
 *   sum wrong in another place; `prev` unknown; `at` beyond where it stands damage: never skipped
 *
 * So whatever the lock does, of two writers that decided on the same state only the first one's line counts; and the
 * journal is never truncated or rewritten. Lines that were lost, doubled or swapped break the chain and show.
 */
import { closeSync, fstatSync } from "node:fs";
import { reach } from "../../failpoint.ts";
import { append, guard, guardUnless, syncData } from "../local/durable.ts";
import { openToExtend } from "../local/trust.ts";
import { type Commit, type CommitContent, encodeCommit, linesIn, NEWLINE, readLine } from "./commit.ts";
import { corrupt } from "./corruption.ts";
import { beginningOf, type ChainEnd, endOf, type Position } from "./position.ts";
import { readAt } from "./read-at.ts";

/** A complete line whose sum is wrong and which nothing has explained yet. */
interface Suspect {
  readonly line: number;
  readonly whole: boolean;
  readonly bytes: Uint8Array;
}

/** Of a long journal so much is in memory at a time. */
const READ_BYTES = 32 * 1024 * 1024;

export class Journal implements Disposable {
  readonly path: string;
  readonly generation: number;
  #fd: number;
  #end: ChainEnd;
  #size: number;
  /** Where the first line starts that has not been judged. */
  #judged: number;
  /** Where reading began, and how many lines were judged since. */
  readonly #from: number;
  #lines = 0;
  #linesBefore: number | undefined;
  #isRead = false;
  #suspects: Suspect[] = [];
  #next: Position | undefined;

  private constructor(path: string, fd: number, from: Position) {
    this.path = path;
    this.#fd = fd;
    this.generation = from.generation;
    this.#end = from.end;
    this.#size = from.at;
    this.#judged = from.at;
    this.#from = from.at;
  }

  /** Opens the journal that goes on from a snapshot or from a checkpoint; undefined when none reaches as far as there. */
  static open(path: string, from: Position): Journal | undefined {
    const fd = guardUnless(["ENOENT"], { verb: "read", path }, () => openToExtend(path));
    if (fd === undefined) return undefined;
    const journal = new Journal(path, fd, from);
    if (from.at === 0 || journal.#sizeNow() >= from.at) return journal;
    journal[Symbol.dispose]();
    return undefined;
  }

  /** Where the chain stands: what the next commit follows. */
  get end(): ChainEnd {
    return this.#end;
  }

  get size(): number {
    return this.#size;
  }

  /** Where one can go on reading who knows all that has been read here. */
  get position(): Position {
    return { generation: this.generation, at: this.#judged, end: this.#end };
  }

  /** Whether the line before a position is the commit that it says. False also where it follows one that did not count. */
  follows({ at, end }: Position): boolean {
    const ending = `${JSON.stringify({ sum: end.sum }).slice(1)}\n`;
    return at === 0 || this.text(Math.max(0, at - ending.length), at) === ending;
  }

  /** What stands between two places. */
  text(from: number, to: number): string {
    return this.#read(from, to).toString();
  }

  /** Where the generation goes on that its checkpoint began, once that has been read: nothing after it counts. */
  get next(): Position | undefined {
    return this.#next;
  }

  /** Complete lines at the end whose sum is wrong. The next commit declares them torn: keep a copy first. */
  get suspects(): readonly Suspect[] {
    return this.#suspects;
  }

  /** Judges what was appended since the last call and returns what counts; of much, a part: call it until `isRead`. */
  readNew(): Commit[] {
    const { size, nlink } = guard("read", this.path, () => fstatSync(this.#fd));
    if (size < this.#judged) throw corrupt(this.path, `it was cut from ${this.#judged} to ${size} bytes while in use.`);
    this.#size = size;
    const bytes = this.#readLines(size);
    this.#isRead = this.#judged + bytes.length === size;
    const counted: Commit[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const commit = this.#judge(bytes.subarray(start, end), this.#judged + start);
      if (commit) counted.push(commit);
      start = end + 1;
    }
    this.#judged += start;
    if (!this.#isRead) return counted;
    const damaged = this.#suspects.slice(0, -1).find((suspect) => suspect.whole);
    if (damaged) throw corrupt(this.path, "its checksum does not match.", { line: damaged.line });
    if (nlink === 0 && this.#next === undefined) throw corrupt(this.path, "it was removed while in use.");
    return counted;
  }

  /** Whether `readNew` came to the end of what there was. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Whether nothing at its end is torn or suspect; with everything read. */
  get isSound(): boolean {
    return this.#isRead && this.#suspects.length === 0 && this.#judged === this.#size;
  }

  /**
   * Appends a commit; to be called with the lock held and everything read. False when it does not count: another writer
   * came first because the lock was lost, or a torn line had to be closed. Then read what is new, and decide again.
   */
  append(content: CommitContent): boolean {
    if (this.#judged < this.#size) {
      append(this.#fd, Buffer.of(NEWLINE), { path: this.path, step: "append" });
      return false;
    }
    const { line, sum } = this.#encodeNext(content);
    const bytes = Buffer.from(`${line}\n`);
    const step = content.checkpoint === undefined ? "append" : "append-checkpoint";
    append(this.#fd, bytes, { path: this.path, step });
    const end = this.#size + bytes.length;
    const written = guard("read", this.path, () => {
      reach("appended");
      return this.#read(this.#size, end);
    });
    if (!written.equals(bytes)) return false;
    this.#size = end;
    this.#judged = end;
    this.#lines += 1;
    this.#suspects = [];
    this.#count({ ...content, sum });
    return true;
  }

  /** Where the line stands once it is there that `append` would write now: snapshots name the place ahead of it. */
  positionAfter(content: CommitContent): Position {
    const { line, sum } = this.#encodeNext(content);
    const end = endOf({ sum, seq: this.#end.seq, records: content.records });
    if (content.checkpoint !== undefined) return beginningOf(content.checkpoint, end);
    return { generation: this.generation, at: this.#size + Buffer.byteLength(line) + 1, end };
  }

  /** Whether anyone has appended since the last look. */
  hasGrown(): boolean {
    return this.#sizeNow() > this.#size;
  }

  /** Forces everything appended so far, by anyone, to the disk. */
  sync(): void {
    const step = this.#next === undefined ? "sync-journal" : "sync-checkpoint";
    syncData(this.#fd, { path: this.path, step });
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #encodeNext(content: CommitContent): { line: string; sum: string } {
    return encodeCommit({ at: this.#size, prev: this.#end.sum, seq: this.#end.seq, ...content });
  }

  #judge(bytes: Uint8Array, offset: number): Commit | undefined {
    this.#lines += 1;
    if (bytes.length === 0 || this.#next !== undefined) return undefined;
    const line = readLine(bytes);
    if (line.kind === "broken") {
      this.#suspects.push({ line: this.#line(), whole: line.whole, bytes });
      return undefined;
    }
    const { commit } = line;
    if (commit.at < offset) return undefined;
    if (commit.at > offset) {
      throw corrupt(this.path, `${commit.at - offset} bytes before it are missing.`, { line: this.#line() });
    }
    if (commit.prev !== this.#end.sum || commit.seq !== this.#end.seq) {
      const suspect = this.#suspects[0];
      if (suspect) throw corrupt(this.path, "its checksum does not match.", { line: suspect.line });
      throw corrupt(this.path, "it does not follow the line before it.", { line: this.#line() });
    }
    if (commit.checkpoint !== undefined && commit.checkpoint !== this.generation + 1) {
      throw corrupt(this.path, "it begins a generation that is not the next.", { line: this.#line() });
    }
    this.#suspects = [];
    this.#count(commit);
    return commit;
  }

  #count({ sum, records, checkpoint }: CommitContent & { readonly sum: string }): void {
    this.#end = endOf({ sum, seq: this.#end.seq, records });
    if (checkpoint !== undefined) this.#next = beginningOf(checkpoint, this.#end);
  }

  /** What is not judged up to `size`, or a part of it that holds a whole line. */
  #readLines(size: number): Buffer {
    for (let most = READ_BYTES; ; most *= 2) {
      const bytes = this.#read(this.#judged, Math.min(size, this.#judged + most));
      if (this.#judged + bytes.length >= size || bytes.length < most || bytes.includes(NEWLINE)) return bytes;
    }
  }

  #sizeNow(): number {
    return guard("read", this.path, () => fstatSync(this.#fd)).size;
  }

  /** The 1-based number of the line judged last; those before where reading began are counted when somebody is to be told. */
  #line(): number {
    this.#linesBefore ??= linesIn(this.#read(0, this.#from));
    return this.#linesBefore + this.#lines;
  }

  #read(from: number, to: number): Buffer {
    return guard("read", this.path, () => readAt(this.#fd, from, to - from));
  }
}
