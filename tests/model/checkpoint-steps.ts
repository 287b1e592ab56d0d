/** The steps of a checkpoint in the order of checkpoint.ts, and in the wrong orders that the broken variants try. */
import type { JournalRecord } from "../../src/store/files/commit.ts";
import { applied, commits, contents } from "./chain.ts";
import { Damage, fileOf, journalNamed, lettersIn, lettersOf, type Reading } from "./disk.ts";
import type { Obeys } from "./rules.ts";
import {
  acknowledge,
  type Checkpoint,
  type CheckpointStep,
  type Doing,
  endTask,
  giveUpTemporaries,
  land,
  temporaryOf,
  unlock,
  type World,
  type Writer,
  wordsOf,
} from "./world.ts";

/** Prepares snapshots of what a writer knows, with the records of a change if there are any; or a checkpoint. */
export function beginSnapshots(
  writer: Writer,
  { records, begins }: { records: readonly JournalRecord[]; begins: boolean },
  obeys: Obeys,
): string {
  const reading = known(writer);
  const { size, end, dlq } = reading;
  const checkpoint = begins ? reading.generation + 1 : undefined;
  const place = { at: size, prev: end, by: writer.name };
  const commit = commits.numberOf({ ...place, records, ...(checkpoint === undefined ? {} : { checkpoint }) });
  let content = contents.get(reading.content);
  for (const record of records) content = applied(content, record, { queue: true, dlq: true }) ?? content;
  const number = contents.numberOf(content);
  const holds = dlq && (dlq.letters === lettersOf(number) || !obeys("name what holds"));
  const keeps = checkpoint === undefined && holds;
  const snapshot = {
    ...(checkpoint === undefined
      ? { generation: reading.generation, at: size + 1 }
      : { generation: checkpoint, at: 0 }),
    sum: commit,
    content: number,
    names: keeps ? dlq.sum : commit,
  };
  writer.reading = { ...reading, content: number };
  const plan = planOf({ begins, withDlq: !keeps }, obeys);
  writer.next = { step: "checkpoint", checkpoint: { commit, snapshot, plan } };
  return `decides: ${wordsOf(commit)}`;
}

/** Takes the next step of the plan. */
export function stepCheckpoint(world: World, writer: Writer, doing: Doing): string {
  const checkpoint = checkpointOf(writer);
  const { snapshot } = checkpoint;
  const { generation } = snapshot;
  const [step] = checkpoint.plan;
  if (!step) throw new Error("a checkpoint went on after its end");
  switch (step) {
    case "write queue":
      return write(world, writer, "queue");
    case "write dlq":
      return write(world, writer, "dlq");
    case "create journal":
      return createJournal(world, writer, doing);
    case "commit":
      return commitCheckpoint(world, writer, doing);
    case "fence":
      return fence(world, writer, doing);
    case "rename dlq":
      return rename(world, writer, "dlq");
    case "rename queue":
      return rename(world, writer, "queue");
    case "remove journals":
      return removeJournal(world, writer, generation);
  }
}

/** The commit of a checkpoint counts. */
export function countCheckpoint(world: World, writer: Writer, checkpoint: Checkpoint): void {
  const { commit, snapshot } = checkpoint;
  const { at } = commits.get(commit);
  const place = { judged: at + 1, size: at + 1, suspects: [] };
  const { next: _, ...reading } = { ...known(writer), ...place, end: commit };
  const isBegun = snapshot.generation > reading.generation;
  const isPlaced = checkpoint.plan.includes("rename dlq");
  const dlq = isPlaced ? { dlq: lettersIn(snapshot) } : {};
  writer.reading = { ...reading, ...dlq, ...(isBegun ? { next: snapshot.generation } : {}) };
  if (isBegun && !isPlaced) writer.rolled = snapshot;
  acknowledge(world, commit);
  goOn(world, writer, checkpoint);
}

/** It does not count: a change is decided anew, a mere checkpoint is left to a later time. */
export function abandonCheckpoint(
  world: World,
  writer: Writer,
  { commit, obeys }: { commit: number; obeys: Obeys },
): void {
  giveUpTemporaries(world, writer.name);
  if (commits.get(commit).records.length === 0) {
    endTask(world, writer);
    return;
  }
  if (obeys("forget void")) writer.reading = undefined;
  unlock(world, writer);
  writer.next = { step: "lock" };
}

/** The steps of a checkpoint, or of a change to a store at rest. */
export function planOf({ begins, withDlq }: { begins: boolean; withDlq: boolean }, obeys: Obeys): CheckpointStep[] {
  const renames: CheckpointStep[] = obeys("dlq first")
    ? ["rename dlq", "rename queue"]
    : ["rename queue", "rename dlq"];
  const fenced: CheckpointStep[] = obeys("fence") ? ["fence", ...renames] : renames;
  const placed: CheckpointStep[] = obeys("journals last")
    ? [...fenced, "remove journals"]
    : ["remove journals", ...fenced];
  const written: CheckpointStep[] = ["write dlq", "write queue"];
  const committed: CheckpointStep[] = obeys("commit first") ? ["commit", ...placed] : [...placed, "commit"];
  const steps: CheckpointStep[] = obeys("write ahead")
    ? [...written, "create journal", ...committed]
    : ["create journal", "commit", ...written, ...placed];
  const left = new Set<CheckpointStep>([
    ...(begins ? [] : (["create journal", "remove journals"] as const)),
    ...(withDlq ? [] : (["write dlq", "rename dlq"] as const)),
  ]);
  return steps.filter((step) => !left.has(step));
}

function write(world: World, writer: Writer, name: "queue" | "dlq"): string {
  const checkpoint = checkpointOf(writer);
  const temporary = { owner: writer.name, name, snapshot: checkpoint.snapshot };
  world.disk.temporaries = [...world.disk.temporaries, temporary];
  goOn(world, writer, checkpoint);
  return `writes ${name}.json of generation ${checkpoint.snapshot.generation} under a temporary name`;
}

function createJournal(world: World, writer: Writer, { obeys }: Doing): string {
  const { disk } = world;
  const checkpoint = checkpointOf(writer);
  const { generation } = checkpoint.snapshot;
  const there = journalNamed(disk, generation);
  if (there && there.pieces.length > 0) {
    if (!obeys("yield to a successor")) throw new Damage(`journal ${generation} holds commits before it has begun`);
    abandonCheckpoint(world, writer, { commit: checkpoint.commit, obeys });
    return `finds journal ${generation} with commits in it: somebody else began it`;
  }
  goOn(world, writer, checkpoint);
  if (there) return `finds journal ${generation} there, and empty`;
  // The smallest that is free, so that equal disks look equal.
  const taken = disk.journals.map(({ inode }) => inode);
  const inode = taken.concat(0).findIndex((_, candidate) => !taken.includes(candidate));
  disk.journals.push({ inode, generation, named: true, pieces: [] });
  return `creates journal ${generation}`;
}

function commitCheckpoint(world: World, writer: Writer, { obeys }: Doing): string {
  const checkpoint = checkpointOf(writer);
  const { commit } = checkpoint;
  const reading = known(writer);
  if (reading.judged < reading.size && obeys("close torn")) {
    land(world, writer, "newline");
    abandonCheckpoint(world, writer, { commit, obeys });
    return "appends a newline to close the torn line, and gives the checkpoint up";
  }
  land(world, writer, { line: commit });
  if (obeys("read back")) writer.next = { step: "read back", commit, place: commits.get(commit).at, checkpoint };
  else countCheckpoint(world, writer, checkpoint);
  return `appends ${wordsOf(commit)}, to journal ${fileOf(world.disk, reading).generation}`;
}

/** One look at the directory, and then a removal a step, in any order. */
function fence(world: World, writer: Writer, { choice }: Doing): string {
  const checkpoint = checkpointOf(writer);
  if (!checkpoint.condemned) {
    const condemned = world.disk.temporaries.filter(({ owner }) => owner !== writer.name);
    if (condemned.length === 0) goOn(world, writer, checkpoint);
    else writer.next = { step: "checkpoint", checkpoint: { ...checkpoint, condemned } };
    return `sees ${condemned.length} temporary snapshots of others`;
  }
  const condemned = checkpoint.condemned[choice];
  const left = checkpoint.condemned.filter((temporary) => temporary !== condemned);
  world.disk.temporaries = world.disk.temporaries.filter(
    ({ owner, name }) => owner !== condemned?.owner || name !== condemned.name,
  );
  if (left.length === 0) goOn(world, writer, checkpoint);
  else writer.next = { step: "checkpoint", checkpoint: { ...checkpoint, condemned: left } };
  return condemned ? `removes the temporary ${condemned.name}.json of ${condemned.owner}` : "finds them gone";
}

function rename(world: World, writer: Writer, name: "queue" | "dlq"): string {
  const checkpoint = checkpointOf(writer);
  const temporary = temporaryOf(world, writer.name, name);
  if (!temporary) {
    giveUpTemporaries(world, writer.name);
    endTask(world, writer);
    return `finds its temporary ${name}.json gone, and leaves it at that`;
  }
  const { disk } = world;
  disk.temporaries = disk.temporaries.filter((other) => other !== temporary);
  disk[name] = temporary.snapshot;
  const ids = [
    ...Object.keys(contents.get(disk.queue.content).queue),
    ...Object.keys(contents.get(disk.dlq.content).dlq),
  ];
  world.shown = [...new Set([...world.shown, ...ids])].sort((a, b) => a.localeCompare(b));
  goOn(world, writer, checkpoint);
  return `renames its ${name}.json of generation ${temporary.snapshot.generation} into place`;
}

function removeJournal(world: World, writer: Writer, generation: number): string {
  const old = world.disk.journals.filter((journal) => journal.named && journal.generation < generation);
  const [first] = old.sort((a, b) => a.generation - b.generation);
  if (first) first.named = false;
  if (old.length < 2) goOn(world, writer, checkpointOf(writer));
  return first ? `removes journal ${first.generation}` : "finds no old journal to remove";
}

/** On to the next step of the plan, or out of it. */
function goOn(world: World, writer: Writer, { plan, commit, snapshot }: Checkpoint): void {
  const [, ...left] = plan;
  if (left.length > 0) {
    writer.next = { step: "checkpoint", checkpoint: { commit, snapshot, plan: left } };
    return;
  }
  if (writer.rolled && plan[0] === "write queue") {
    writer.next = { step: "lock" };
    return;
  }
  giveUpTemporaries(world, writer.name);
  endTask(world, writer);
}

function checkpointOf({ next }: Writer): Checkpoint {
  if (next.step !== "checkpoint" && next.step !== "read back") throw new Error("not at a checkpoint");
  if (!next.checkpoint) throw new Error("not at a checkpoint");
  return next.checkpoint;
}

export function known({ reading }: Writer): Reading {
  if (!reading) throw new Error("knows nothing");
  return reading;
}
