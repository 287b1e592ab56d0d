/** Everything that is at one moment of a schedule: the disk, the writers, the processes of the jobs, what was promised. */
import type { Lease } from "../../src/job/job.ts";
import { commits, isIn } from "./chain.ts";
import {
  type Disk,
  fileOf,
  type Piece,
  type Reading,
  type Snapshot,
  type SnapshotName,
  type Start,
  type Temporary,
} from "./disk.ts";
import type { Obeys } from "./rules.ts";

/** What a writer is asked to do, one after the other. At rest, snapshots are written with the change, or a checkpoint is it. */
export type Task =
  | {
      readonly do: "enqueue";
      readonly id: string;
      readonly maxRetries?: number;
      readonly atRest?: "renewal" | "checkpoint";
    }
  | { readonly do: "claim" }
  | { readonly do: "finish"; readonly how: "completed" | "failed" | "released" }
  | { readonly do: "rescue" }
  /** Reads, as `list` does: without the lock. */
  | { readonly do: "look" }
  | { readonly do: "checkpoint" }
  /** Begins a new generation and remembers the state it begins with: a checkpoint whose snapshots come later. */
  | { readonly do: "roll" }
  /** Writes the snapshots of that state without the lock, and puts them in place. */
  | { readonly do: "install" };

export interface Attempt {
  readonly id: string;
  readonly lease: Lease;
}

export type CheckpointStep =
  | "write queue"
  | "write dlq"
  | "create journal"
  | "commit"
  | "fence"
  | "rename dlq"
  | "rename queue"
  | "remove journals";

/** The commit of a checkpoint, or of a change to a store at rest, and the snapshots that carry it. */
export interface Checkpoint {
  readonly commit: number;
  readonly snapshot: Snapshot;
  readonly plan: readonly CheckpointStep[];
  /** The temporaries of others that were there at the look, and are still to be removed. */
  readonly condemned?: readonly Temporary[];
}

/** What a writer does next. Between two steps anything may happen. */
export type Next =
  | { readonly step: "begin" }
  | { readonly step: "lock" }
  | { readonly step: "load" }
  | { readonly step: "load dlq"; readonly queue: Snapshot }
  | {
      readonly step: "fold";
      readonly queue: Snapshot;
      readonly dlq: Snapshot;
      readonly from: Start;
      readonly known: Reading["dlq"];
    }
  | { readonly step: "look again"; readonly generation: number }
  | { readonly step: "read" }
  | { readonly step: "follow" }
  /** Passed through within a step. */
  | { readonly step: "decide" }
  | { readonly step: "close torn" }
  | { readonly step: "append"; readonly commit: number }
  | { readonly step: "read back"; readonly commit: number; readonly place: number; readonly checkpoint?: Checkpoint }
  | { readonly step: "checkpoint"; readonly checkpoint: Checkpoint }
  /** It has told somebody what is not true. */
  | { readonly step: "misled"; readonly why: string };

export interface Writer {
  readonly name: string;
  alive: boolean;
  /** How many tasks are done. */
  done: number;
  next: Next;
  /** What it has in memory. */
  reading: Reading | undefined;
  /** The attempt that it runs. */
  held: Attempt | undefined;
  /** The attempt of a dead worker that it is about to settle, once nothing is left of it. */
  rescuing: Attempt | undefined;
  /** What the generation began with that it began last, as long as no snapshot in place holds that. */
  rolled: Snapshot | undefined;
  /** What was acknowledged when it began to look. */
  expected: readonly number[] | undefined;
}

export interface World {
  readonly disk: Disk;
  /** Who holds the lock: a living writer, or nobody. It is no more than a request to others to wait. */
  lock: string | undefined;
  readonly writers: readonly Writer[];
  /** The processes of jobs that run. */
  attempts: readonly Attempt[];
  /** What was acknowledged: the latest commit of each chain, and there must be one chain. */
  acknowledged: readonly number[];
  /** The jobs that somebody has seen who reads the two snapshots and nothing else. */
  shown: readonly string[];
  /** Whether lines that the next commit declares torn were set aside. */
  setAside: boolean;
  /** Faults that may still happen, and whether a line was damaged. */
  steals: number;
  crashes: number;
  tears: number;
  flips: number;
  flipped: boolean;
}

export interface Scenario {
  /** What one writer has done, undisturbed, before the others begin. */
  readonly before: readonly Task[];
  /** What each of the others does. */
  readonly writers: Readonly<Record<string, readonly Task[]>>;
  /** Those of them that come new, and have to load the store first; the others know it from before. */
  readonly newcomers?: readonly string[];
  /** How often the lock is taken from a writer that lives: because it was frozen, or by two who break a stale one. */
  readonly steals?: number;
  readonly crashes?: number;
  /** Appends of which only a part lands, as their writer dies. */
  readonly tears?: number;
  /** Lines whose bytes are changed by something else. */
  readonly flips?: number;
}

/** What a step needs to know besides the world. */
export interface Doing {
  readonly task: Task;
  readonly obeys: Obeys;
  /** Which, where the system may do several things first. */
  readonly choice: number;
}

export function writerNamed(name: string, reading?: Reading): Writer {
  const nothing = { held: undefined, rescuing: undefined, rolled: undefined, expected: undefined };
  return { name, alive: true, done: 0, next: { step: "begin" }, reading, ...nothing };
}

/** A copy whose fields may be set; what is in them is replaced, never changed. */
export function draftOf(world: World): World {
  const journals = world.disk.journals.map((journal) => ({ ...journal }));
  return { ...world, disk: { ...world.disk, journals }, writers: world.writers.map((writer) => ({ ...writer })) };
}

/** Drops what nobody can reach any more, so that equal worlds look equal. */
export function tidied(world: World): World {
  const { disk, writers } = world;
  disk.journals = disk.journals.filter(
    ({ named, inode }) => named || writers.some(({ reading }) => reading?.inode === inode),
  );
  return world;
}

/** Remembers that a commit was acknowledged. */
export function acknowledge(world: World, commit: number): void {
  if (world.acknowledged.some((known) => isIn(commit, known))) return;
  world.acknowledged = [...world.acknowledged.filter((known) => !isIn(known, commit)), commit];
}

/** Takes away the temporaries of a writer that will not rename them any more; nobody needs to remove them then. */
export function giveUpTemporaries(world: World, owner: string): void {
  const others = (temporaries: readonly Temporary[]): Temporary[] =>
    temporaries.filter((temporary) => temporary.owner !== owner);
  world.disk.temporaries = others(world.disk.temporaries);
  for (const writer of world.writers) {
    const { next } = writer;
    if (next.step !== "checkpoint" || !next.checkpoint.condemned) continue;
    const condemned = others(next.checkpoint.condemned);
    writer.next = { ...next, checkpoint: { ...next.checkpoint, condemned } };
  }
}

export function temporaryOf(world: World, owner: string, name: SnapshotName): Temporary | undefined {
  return world.disk.temporaries.find((temporary) => temporary.owner === owner && temporary.name === name);
}

/** Appends to the journal that the writer has open, wherever its end is by now. */
export function land(world: World, writer: Writer, piece: Piece): void {
  const { reading } = writer;
  if (!reading) throw new Error("appended to nothing");
  const file = fileOf(world.disk, reading);
  file.pieces = [...file.pieces, piece];
}

/** What a commit says, for a person. */
export function wordsOf(number: number): string {
  const { at, records, checkpoint } = commits.get(number);
  const changes = records.map(({ event, id, set }) =>
    event === "claimed" ? `${id} claimed (lease ${set.lease})` : `${id} ${event}`,
  );
  if (checkpoint !== undefined) changes.push(`checkpoint ${checkpoint}`);
  return `"${changes.join(", ")}", meant for place ${at}`;
}

/** On to the next task. */
export function endTask(world: World, writer: Writer): void {
  unlock(world, writer);
  writer.done += 1;
  writer.next = { step: "begin" };
  writer.rescuing = undefined;
  writer.expected = undefined;
}

/** Only its own: a lock that was stolen stays with the thief. */
export function unlock(world: World, { name }: Writer): void {
  if (world.lock === name) world.lock = undefined;
}
