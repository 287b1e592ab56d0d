/**
 * Reads of a journal every commit that is whole, in the order of their sequence numbers, even where lines around it are
 * broken, missing, doubled or swapped. What `journal.ts` refuses in order to lose nothing, this takes apart. Changes
 * nothing.
 *
 * A commit counts when it goes on from the one before it, or when nothing else goes on from where it does: the second one
 * that follows the same commit was written too late by a process that had lost the lock, or is a copy.
 */
import { readFileSync } from "node:fs";
import type { Finding } from "../../doctor.ts";
import { guardUnless } from "../../local/durable.ts";
import { type Commit, linesIn, NEWLINE, readLine } from "../commit.ts";
import { beginningOf, endOf, type Position } from "../position.ts";
import { DamageList, idsIn } from "./damage.ts";

export interface SalvagedJournal {
  readonly commits: readonly Commit[];
  /** Where one goes on from its end, where it was ended by a checkpoint. */
  readonly next: Position | undefined;
  /** At least as large as any sequence number that was ever given out here, also in what is lost. */
  readonly seq: number;
  readonly damage: readonly Finding[];
}

/** Reads it from a position on; undefined where it is not known what the journal goes on from: then all of it. */
export function salvageJournal(path: string, from: Position | undefined): SalvagedJournal {
  const bytes = readJournal(path);
  let start = from?.at ?? 0;
  const reading = new Reading(path, { follows: from?.end.sum, line: linesIn(bytes.subarray(0, start)) });
  for (let end = bytes.indexOf(NEWLINE, start); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    reading.take(bytes.subarray(start, end), start);
    start = end + 1;
  }
  return reading.end();
}

/** Whether a commit ends at that place of a journal, and is the one that the position names. */
export function endsAt(path: string, { at, end }: Position): boolean {
  const bytes = readJournal(path).subarray(0, at);
  if (bytes.length < at || bytes.at(-1) !== NEWLINE) return false;
  const line = readLine(bytes.subarray(bytes.lastIndexOf(NEWLINE, -2) + 1, -1));
  if (line.kind === "broken") return false;
  const { sum, seq } = endOf(line.commit);
  return sum === end.sum && seq === end.seq;
}

function readJournal(path: string): Buffer {
  return guardUnless(["ENOENT"], { verb: "read", path }, () => readFileSync(path)) ?? Buffer.alloc(0);
}

interface Broken {
  readonly line: number;
  readonly whole: boolean;
  readonly text: string;
}

/** One pass over the lines. */
class Reading {
  readonly #damage: DamageList;
  readonly #commits: Commit[] = [];
  /** Sums that a commit which counts goes on from. */
  readonly #followed = new Set<string>();
  #last: string | undefined;
  #broken: Broken[] = [];
  #next: Position | undefined;
  #line: number;
  #lostBytes = 0;

  /** `line` is how many there are before the first one that is taken. */
  constructor(path: string, { follows, line }: { follows: string | undefined; line: number }) {
    this.#damage = new DamageList(path);
    this.#last = follows;
    this.#line = line;
  }

  take(bytes: Uint8Array, offset: number): void {
    this.#line += 1;
    if (bytes.length === 0 || this.#next) return;
    const line = readLine(bytes);
    if (line.kind === "broken") {
      this.#broken.push({ line: this.#line, whole: line.whole, text: Buffer.from(bytes).toString() });
      return;
    }
    const { commit } = line;
    if (this.#followed.has(commit.prev)) return;
    const isFirst = this.#last === undefined && this.#broken.length === 0 && commit.at === offset;
    const goesOn = commit.prev === this.#last || isFirst;
    if (goesOn) this.#broken = [];
    else this.#tellOfGap(commit, offset);
    this.#followed.add(commit.prev);
    this.#last = commit.sum;
    this.#commits.push(commit);
    if (commit.checkpoint !== undefined) this.#next = beginningOf(commit.checkpoint, endOf(commit));
  }

  end(): SalvagedJournal {
    // As journal.ts has it: a last line whose sum is wrong is torn, and so are those before it that were never whole.
    if (this.#broken.slice(0, -1).some(({ whole }) => whole)) this.#tellOfBroken();
    const commits = this.#commits.toSorted((a, b) => a.seq - b.seq);
    const given = commits.map((commit) => endOf(commit).seq);
    const lost = this.#lostBytes + this.#broken.reduce((sum, { text }) => sum + text.length, 0);
    return {
      commits,
      next: this.#next,
      // A record has more bytes than one, so no lost line can have given out more numbers than this.
      seq: Math.max(0, ...given) + lost,
      damage: this.#damage.found,
    };
  }

  #tellOfGap(commit: Commit, offset: number): void {
    if (this.#broken.length > 0) this.#tellOfBroken();
    else if (commit.at > offset) {
      this.#damage.add(`${commit.at - offset} bytes before it are missing.`, { line: this.#line });
    } else this.#damage.add("it does not follow the line before it.", { line: this.#line, jobs: idsOf(commit) });
  }

  #tellOfBroken(): void {
    for (const { line, text } of this.#broken) {
      this.#damage.add("its checksum does not match.", { line, jobs: idsIn(text) });
      this.#lostBytes += text.length;
    }
    this.#broken = [];
  }
}

function idsOf({ records }: Commit): string[] {
  return [...new Set(records.map(({ id }) => id))];
}
