/**
 * Reads of a snapshot whatever is whole: as it is where its checksum is right, else entry by entry. What cannot be a job
 * is left out and told. Changes nothing.
 */
import type { DeadLetter, Entry, Job } from "../../../job/job.ts";
import { hasDeadLetterShape, isJob } from "../../../job/shape.ts";
import type { Finding } from "../../doctor.ts";
import { Corruption } from "../corruption.ts";
import { adoptDeadLetters, adoptJobs } from "../original-format.ts";
import type { Position } from "../position.ts";
import { positionIn, readDeadLetters, readQueue, readText, type Snapshot, type SnapshotFile } from "../snapshot.ts";
import { type Standing, standingIn } from "../standing.ts";
import { DamageList, idsIn } from "./damage.ts";

export interface SalvagedSnapshot<T extends Entry> {
  /** What its head says, even if the rest is damaged; undefined where the head is lost. */
  readonly head: Position | undefined;
  /** Whether no entry was lost that it held: then it may be that somebody edited it. */
  readonly isComplete: boolean;
  readonly entries: readonly T[];
  /** What its head says beside that; undefined where the head is lost. */
  readonly standing: Standing | undefined;
  readonly damage: readonly Finding[];
}

interface Format<T extends Entry> {
  readonly read: (path: string) => Snapshot<T> | undefined;
  readonly isEntry: (value: unknown) => value is T;
  /** Of the original tool, whose entries may lack almost everything. */
  readonly adopt: (path: string, value: unknown) => T[];
  readonly list: "jobs" | "dlq";
  readonly noun: string;
}

const QUEUE: Format<Job> = { read: readQueue, isEntry: isJob, adopt: adoptJobs, list: "jobs", noun: "job" };
const DLQ: Format<DeadLetter> = {
  read: readDeadLetters,
  isEntry: hasDeadLetterShape,
  adopt: adoptDeadLetters,
  list: "dlq",
  noun: "dead letter",
};

/** `queue.json`. Throws `E_STORE_VERSION` and `E_STORE_IO`: what is newer or cannot be read is not damaged. */
export function salvageQueue(path: string): SalvagedSnapshot<Job> {
  return salvage(path, QUEUE);
}

/** `dlq.json` likewise. */
export function salvageDeadLetters(path: string): SalvagedSnapshot<DeadLetter> {
  return salvage(path, DLQ);
}

function salvage<T extends Entry>(path: string, format: Format<T>): SalvagedSnapshot<T> {
  try {
    const sound = format.read(path);
    if (sound) return { head: sound, isComplete: true, entries: sound.entries, standing: sound.standing, damage: [] };
  } catch (error) {
    if (!(error instanceof Corruption)) throw error;
  }
  const damage = new DamageList(path);
  const text = readText(path);
  if (text === undefined) damage.add("it is missing.");
  else if (text.trim() === "") damage.add("it is empty.");
  else if (isOurs(text)) return { ...readLines(text, format, damage), damage: damage.found };
  else return { ...readPretty(path, text, { format, damage }), damage: damage.found };
  return { head: undefined, isComplete: false, entries: [], standing: undefined, damage: damage.found };
}

/** By its first or its last line, whatever else has become of it. */
function isOurs(text: string): boolean {
  return text.startsWith('{"version"') || END.test(text.trimEnd().split("\n").at(-1) ?? "");
}

const HEAD =
  /^\{"version":1,"generation":(\d+),"at":(\d+),"seq":(\d+),"sum":"([0-9a-f]{16})",(?:"dlq_check":"[0-9a-f]{16}",(?:"archive":\[[^\]]*\],)?(?:"(?:queues|schedules)":\{.*\},)?"jobs"|"dlq"):\[$/;
const END = /^\],"check":"[0-9a-f]{16}"\}$/;

/** Our own form: a line an entry. */
function readLines<T extends Entry>(
  text: string,
  format: Format<T>,
  damage: DamageList,
): Omit<SalvagedSnapshot<T>, "damage"> {
  const [first = "", ...rest] = text.split("\n");
  const head = readHead(first);
  if (!head) damage.add("its head cannot be read.", { line: 1 });
  const entries: T[] = [];
  const hasEnd = rest.some((line) => END.test(line));
  for (const [index, line] of rest.entries()) {
    if (line === "" || END.test(line)) continue;
    const value = parsed(line.replace(/,$/, ""));
    if (format.isEntry(value)) entries.push(value);
    else damage.add(`it is not a whole ${format.noun}.`, { line: index + 2, jobs: idsIn(line) });
  }
  if (!hasEnd) damage.add("its end is missing: entries may have been cut off.", { line: rest.length + 1 });
  const isComplete = damage.found.length === 0;
  if (isComplete) {
    const jobs = entries.map(({ id }) => id);
    damage.add("its checksum does not match, though every line can be read: a flipped bit, or an edit by hand.", {
      jobs,
    });
  }
  return { head, isComplete, entries, standing: head && standingIn(parsed(`${first}]}`) as SnapshotFile<T>) };
}

function readHead(line: string): Position | undefined {
  const [, generation, at, seq, sum] = HEAD.exec(line) ?? [];
  if (sum === undefined) return undefined;
  return { generation: Number(generation), at: Number(at), end: { seq: Number(seq), sum } };
}

/** Formatted by an editor, or written by the original tool: entries are taken that parse by themselves. */
function readPretty<T extends Entry>(
  path: string,
  text: string,
  { format, damage }: { format: Format<T>; damage: DamageList },
): Omit<SalvagedSnapshot<T>, "damage"> {
  const whole = parsed(text) as Record<string, unknown> | undefined;
  const list = whole?.[format.list];
  if (whole && isList(list)) {
    const entries = list.filter(format.isEntry);
    const jobs = list.flatMap((value) => (format.isEntry(value) ? [value.id] : idsIn(JSON.stringify(value) ?? "")));
    damage.add("it was formatted anew, so its checksum does not match.", { jobs });
    const head = positionIn(whole as unknown as SnapshotFile<T>);
    const standing = standingIn(whole as unknown as SnapshotFile<T>);
    return { head, isComplete: entries.length === list.length, entries, standing };
  }
  const values: unknown[] = [];
  for (const match of text.matchAll(/^ {4}\{$[\s\S]*?^ {4}\},?$/gm)) {
    const value = parsed(match[0].replace(/,$/, ""));
    if (value !== undefined) values.push(value);
    else damage.add(`it is not a whole ${format.noun}.`, { line: lineAt(text, match.index), jobs: idsIn(match[0]) });
  }
  if (damage.found.length === 0) damage.add("it is not valid JSON.", { jobs: idsIn(text) });
  const entries = format.adopt(path, { [format.list]: values });
  return { head: undefined, isComplete: false, entries, standing: undefined };
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
