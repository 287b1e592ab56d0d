/** The disk of the model, and how its journals are judged and folded: the counterpart of journal.ts and replica.ts. */
import { applied, commits, contents, isIn, NOTHING, ROOT } from "./chain.ts";
import type { Obeys } from "./rules.ts";

/**
 * What one append left in a journal; each takes one place, so a place stands for a byte offset. A line that lacks no
 * more than its newline is another thing than one that was cut before.
 */
export type Piece = { readonly line: number } | { readonly unended: number } | "cut" | "newline" | "flipped";

/** A file keeps its content for those who have it open, also when its name is gone. */
export interface JournalFile {
  readonly inode: number;
  readonly generation: number;
  named: boolean;
  pieces: readonly Piece[];
}

export interface Snapshot {
  readonly generation: number;
  /** The place in the journal of that generation behind which it goes on. */
  readonly at: number;
  /** The commit that it is as of. */
  readonly sum: number;
  readonly content: number;
  /** Of queue.json: the commit of the dlq.json that holds the dead letters as of this one. */
  readonly names?: number;
}

export type SnapshotName = "queue" | "dlq";

/** A snapshot that is not in place. Those of a dead writer, and those given up, are left out: nobody renames them. */
export interface Temporary {
  readonly owner: string;
  readonly name: SnapshotName;
  readonly snapshot: Snapshot;
}

export interface Disk {
  journals: JournalFile[];
  queue: Snapshot;
  dlq: Snapshot;
  temporaries: readonly Temporary[];
}

/** How far somebody has read one journal, and what he knows since. */
export interface Reading {
  readonly inode: number;
  readonly generation: number;
  /** How many places of it have been judged, and how many there were at the last look. */
  readonly judged: number;
  readonly size: number;
  readonly end: number;
  readonly content: number;
  readonly next?: number;
  /** The commit of a dlq.json that was in place, and its dead letters. */
  readonly dlq?: { readonly sum: number; readonly letters: string } | undefined;
  /** Of each line with a wrong sum that nothing has explained yet: whether it has the shape of a whole one. */
  readonly suspects: readonly boolean[];
}

/** Where a reader takes a journal up. */
export type Start = Pick<Reading, "generation" | "end" | "content"> & { readonly at: number };

/** What only damaged files may make a reader say. */
export class Damage extends Error {}

const FIRST: Snapshot = { generation: 1, at: 0, sum: ROOT, content: NOTHING };

export function emptyDisk(): Disk {
  const journal = { inode: 0, generation: 1, named: true, pieces: [] };
  return { journals: [journal], queue: { ...FIRST, names: ROOT }, dlq: FIRST, temporaries: [] };
}

export function journalNamed(disk: Disk, generation: number): JournalFile | undefined {
  return disk.journals.find((journal) => journal.named && journal.generation === generation);
}

export function fileOf(disk: Disk, { inode }: Pick<Reading, "inode">): JournalFile {
  const file = disk.journals.find((journal) => journal.inode === inode);
  if (!file) throw new Error(`no file has the inode ${inode}`);
  return file;
}

/** Takes a journal up at a place and reads it. */
export function readFrom(
  { inode, pieces, named }: JournalFile,
  { generation, at, end, content }: Start,
  how: { obeys: Obeys; sidesOf?: SidesOf },
): Reading {
  const start: Reading = { inode, generation, judged: at, size: at, end, content, suspects: [] };
  return readNew({ pieces, named }, start, how);
}

/** To which of the two files a commit is still to be applied that stands at a place. */
type SidesOf = (at: number) => { queue: boolean; dlq: boolean };

const TO_BOTH: SidesOf = () => ({ queue: true, dlq: true });

/** Judges what was appended since, and applies what counts. Throws `Damage`. */
export function readNew(
  { pieces, named }: Pick<JournalFile, "pieces" | "named">,
  from: Reading,
  { obeys, sidesOf = TO_BOTH }: { obeys: Obeys; sidesOf?: SidesOf },
): Reading {
  let reading: Reading = { ...from, size: pieces.length };
  let start = from.judged;
  for (let end = start; end < pieces.length; end++) {
    if (!endsLine(pieces[end])) continue;
    reading = {
      ...judge(pieces.slice(start, end + 1), { ...reading, judged: start }, { obeys, sidesOf }),
      judged: end + 1,
    };
    start = end + 1;
  }
  if (reading.suspects.slice(0, -1).includes(true)) throw new Damage("a checksum does not match");
  if (!named && reading.next === undefined) throw new Damage("the journal was removed while in use");
  return reading;
}

/** Where a reader without a memory has to begin: at the older of both snapshots. */
export function startOf(queue: Snapshot, dlq: Snapshot): Start {
  const { generation, at, sum } = isBefore(dlq, queue) ? dlq : queue;
  const content = { queue: contents.get(queue.content).queue, dlq: contents.get(dlq.content).dlq };
  return { generation, at, end: sum, content: contents.numberOf(content) };
}

/** What is remembered of a dlq.json. */
export function lettersIn({ sum, content }: Snapshot): NonNullable<Reading["dlq"]> {
  return { sum, letters: lettersOf(content) };
}

/** The dead letters of a content. */
export function lettersOf(content: number): string {
  return JSON.stringify(contents.get(content).dlq);
}

/** A dlq.json that queue.json names stands where that one stands, whatever it says itself. */
export function asNamed(queue: Snapshot, dlq: Snapshot): Snapshot {
  if (queue.names !== dlq.sum) return dlq;
  const { generation, at, sum } = queue;
  return { ...dlq, generation, at, sum };
}

type Place = Pick<Snapshot, "generation" | "at">;

function isBefore(one: Place, other: Place): boolean {
  return one.generation < other.generation || (one.generation === other.generation && one.at < other.at);
}

/** Reads a journal on the way from the older of two snapshots on; undefined when the files do not fit together. */
export function foldNext(
  disk: Disk,
  start: Start,
  { queue, dlq, obeys }: { queue: Snapshot; dlq: Snapshot; obeys: Obeys },
): Reading | undefined {
  const { generation, at: from } = start;
  const file = journalNamed(disk, generation);
  if (!file || (file.pieces.length < from && obeys("reach the place"))) return undefined;
  const sidesOf: SidesOf = (at) => ({
    queue: !isBefore({ generation, at }, queue),
    dlq: !isBefore({ generation, at }, dlq),
  });
  const reading = readFrom(file, start, { obeys, sidesOf });
  for (const snapshot of [queue, dlq]) {
    if (snapshot.generation === generation && !isBetween(snapshot.sum, start.end, reading.end)) return undefined;
  }
  const isWhole = queue.generation <= generation && dlq.generation <= generation;
  return reading.next === undefined && !isWhole ? undefined : reading;
}

/** Whether a commit is one of those from one to another. */
function isBetween(commit: number, from: number, to: number): boolean {
  return isIn(commit, to) && isIn(from, commit);
}

/** What a reader finds for whom everything stands still. Throws `Damage`. */
export function load(disk: Disk, obeys: Obeys): Reading {
  const { queue } = disk;
  const dlq = asNamed(queue, disk.dlq);
  for (let start = startOf(queue, dlq); ; ) {
    const reading = foldNext(disk, start, { queue, dlq, obeys });
    if (!reading) throw new Damage(`journal ${start.generation} is missing, or the files beside it are not its own`);
    if (reading.next === undefined) return { ...reading, dlq: lettersIn(disk.dlq) };
    start = { generation: reading.next, at: 0, end: reading.end, content: reading.content };
  }
}

function judge(
  line: readonly Piece[],
  reading: Reading,
  { obeys, sidesOf }: { obeys: Obeys; sidesOf: SidesOf },
): Reading {
  if (line.length === 1 && line[0] === "newline") return reading;
  if (reading.next !== undefined && obeys("end at checkpoint")) return reading;
  const number = soundLine(line);
  if (number === undefined) return { ...reading, suspects: [...reading.suspects, line.at(-1) !== "newline"] };
  const { at, prev, records, checkpoint } = commits.get(number);
  if (obeys("judge at")) {
    if (at < reading.judged) return reading;
    if (at > reading.judged) throw new Damage("bytes before a line are missing");
  }
  if (obeys("judge prev") && prev !== reading.end) throw new Damage("a line does not follow the one before it");
  let content = contents.get(reading.content);
  for (const record of records) {
    const after = applied(content, record, sidesOf(at));
    if (!after) throw new Damage(`a record changes ${record.id}, which is not there`);
    content = after;
  }
  const next = checkpoint === undefined ? {} : { next: checkpoint };
  return { ...reading, ...next, end: number, content: contents.numberOf(content), suspects: [] };
}

/** The commit that a complete line is, if its sum is right. */
function soundLine(line: readonly Piece[]): number | undefined {
  const [first, second] = line;
  if (typeof first !== "object") return undefined;
  if ("line" in first) return first.line;
  return line.length === 2 && second === "newline" ? first.unended : undefined;
}

function endsLine(piece: Piece | undefined): boolean {
  return piece === "newline" || piece === "flipped" || (typeof piece === "object" && "line" in piece);
}
