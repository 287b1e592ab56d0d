/** A writer's steps in the order of ledger.ts, replica.ts and journal.ts. */
import { commits, isIn } from "./chain.ts";
import { abandonCheckpoint, beginSnapshots, countCheckpoint, stepCheckpoint } from "./checkpoint-steps.ts";
import { Damage, fileOf, type Piece, type Reading, readNew } from "./disk.ts";
import { beginToInstall, install, roll } from "./late-steps.ts";
import { beginToLoad, fold, follow, loadDeadLetters, lookAgain, readOn } from "./reading-steps.ts";
import { decide, lostAttempt } from "./tasks.ts";
import {
  acknowledge,
  type Doing,
  endTask,
  land,
  type Next,
  type Task,
  unlock,
  type World,
  type Writer,
  wordsOf,
} from "./world.ts";

/** Whether its next step is to take the lock. */
export function needsLock({ next, held }: Writer, { do: what }: Task): boolean {
  if (next.step !== "begin") return next.step === "lock";
  const beginsOutside = what === "rescue" || what === "look" || what === "install";
  return !beginsOutside && (what !== "finish" || held === undefined);
}

/** Takes a writer's next step in a draft of the world, and says in words what that was. */
export function takeStep(world: World, writer: Writer, doing: Doing): string {
  try {
    const says = take(world, writer, doing);
    // Others can do nothing between the last look and what comes of it that they could not have done before it.
    return writer.next.step === "decide" ? `${says} and ${decideNext(world, writer, doing)}` : says;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    unlock(world, writer);
    writer.next = { step: "misled", why: `reports damage: ${error.message}` };
    return `finds damage: ${error.message}`;
  }
}

function take(world: World, writer: Writer, doing: Doing): string {
  const { next } = writer;
  switch (next.step) {
    case "begin":
      return begin(world, writer, doing);
    case "lock":
      return lock(world, writer, doing);
    case "load":
      return beginToLoad(world, writer);
    case "load dlq":
      return loadDeadLetters(world, writer);
    case "fold":
      return fold(world, writer, doing);
    case "look again":
      return lookAgain(world, writer);
    case "read":
      return readOn(world, writer, doing);
    case "follow":
      return follow(world, writer, doing);
    case "close torn":
      land(world, writer, "newline");
      unlock(world, writer);
      writer.next = { step: "lock" };
      return "appends a newline to close the torn line";
    case "append":
      land(world, writer, { line: next.commit });
      writer.next = { step: "read back", commit: next.commit, place: commits.get(next.commit).at };
      if (!doing.obeys("read back")) count(world, writer, doing);
      return `appends ${wordsOf(next.commit)}`;
    case "read back":
      return readBack(world, writer, doing);
    case "checkpoint":
      return stepCheckpoint(world, writer, doing);
    case "decide":
    case "misled":
      throw new Error(`${next.step} is not a step`);
  }
}

function begin(world: World, writer: Writer, doing: Doing): string {
  const { task } = doing;
  if (needsLock(writer, task)) return lock(world, writer, doing);
  if (task.do === "install") return beginToInstall(world, writer);
  const ended = task.do === "finish" ? writer.held : writer.rescuing;
  if (!ended) {
    if (task.do === "look") writer.expected = world.acknowledged;
    writer.next = firstLook(writer);
    return take(world, writer, doing);
  }
  const { id, lease } = ended;
  world.attempts = world.attempts.filter((attempt) => attempt.id !== id || attempt.lease !== lease);
  writer.next = { step: "lock" };
  return task.do === "finish"
    ? `sees the process of ${id} (lease ${lease}) end by itself`
    : `ends what is left of the attempt of ${id} with lease ${lease}`;
}

/** Takes the lock, from whoever holds it, and looks. */
function lock(world: World, writer: Writer, doing: Doing): string {
  const { lock: holder } = world;
  world.lock = writer.name;
  if (holder !== undefined) world.steals -= 1;
  writer.next = firstLook(writer);
  const how = holder === undefined ? "takes the lock" : `steals the lock of ${holder}`;
  return `${how}, ${take(world, writer, doing)}`;
}

function firstLook({ reading }: Writer): Next {
  return { step: reading ? "read" : "load" };
}

/** Decides on what has just been read. */
function decideNext(world: World, writer: Writer, doing: Doing): string {
  const { reading } = writer;
  const { task, obeys } = doing;
  if (!reading) throw new Error("decided on nothing");
  if (reading.next !== undefined) {
    writer.next = { step: "follow" };
    return `sees that it was ended by checkpoint ${reading.next}`;
  }
  if (task.do === "look") return tell(world, writer, reading);
  if (task.do === "install") return install(world, writer, obeys);
  if (task.do === "rescue" && !writer.rescuing) return lookForLost(world, writer, doing);
  const { records, ends } = decide(task, writer, obeys);
  if (task.do === "roll" && reading.size > 0) return roll(writer);
  const isCheckpoint = task.do === "checkpoint" && reading.size > 0;
  if (records.length === 0 && !isCheckpoint) {
    leave(world, writer, task);
    return "has nothing to do";
  }
  if (reading.suspects.length > 0) world.setAside = true;
  const atRest = task.do === "enqueue" ? task.atRest : undefined;
  if (isCheckpoint || atRest) {
    const isToCome = world.disk.queue.generation < reading.generation && obeys("renew what is there");
    return beginSnapshots(writer, { records, begins: isCheckpoint || isToCome || atRest === "checkpoint" }, obeys);
  }
  if (reading.judged < reading.size && obeys("close torn")) {
    writer.next = { step: "close torn" };
    return "sees a torn line";
  }
  const held = ends ? { held: ends.lease } : {};
  const commit = commits.numberOf({ at: reading.size, prev: reading.end, by: writer.name, records, ...held });
  writer.next = { step: "append", commit };
  return `decides: ${wordsOf(commit)}`;
}

function tell(world: World, writer: Writer, { end }: Reading): string {
  const isMissing = !writer.expected?.every((commit) => isIn(commit, end));
  endTask(world, writer);
  if (isMissing) writer.next = { step: "misled", why: "does not show what was acknowledged before it began" };
  return "shows what it knows";
}

function lookForLost(world: World, writer: Writer, { task, obeys }: Doing): string {
  const lost = lostAttempt(world, writer);
  if (!lost) {
    leave(world, writer, task);
    return "finds no job without its worker";
  }
  writer.rescuing = lost;
  writer.next = { step: obeys("end survivors") ? "begin" : "lock" };
  return `finds that the worker of ${lost.id} (lease ${lost.lease}) is dead`;
}

function readBack(world: World, writer: Writer, doing: Doing): string {
  const { next } = writer;
  if (next.step !== "read back") throw new Error("nothing to read back");
  const piece = writer.reading && fileOf(world.disk, writer.reading).pieces[next.place];
  if (typeof piece === "object" && "line" in piece && piece.line === next.commit) {
    if (next.checkpoint) countCheckpoint(world, writer, next.checkpoint);
    else count(world, writer, doing);
    return "reads it back where it should be: it counts";
  }
  if (next.checkpoint) {
    abandonCheckpoint(world, writer, { commit: next.commit, obeys: doing.obeys });
    return "reads back something else there: the checkpoint is void";
  }
  unlock(world, writer);
  writer.next = { step: "lock" };
  return "reads back something else there: it is void, and to be decided anew";
}

/** The commit counts: its writer knows what it makes of the state, and tells. */
function count(world: World, writer: Writer, { task, obeys }: Doing): void {
  const { next, reading } = writer;
  if (next.step !== "read back" || !reading) throw new Error("nothing to count");
  const { at } = commits.get(next.commit);
  const { claims } = decide(task, writer, obeys);
  const pieces: Piece[] = Array.from({ length: at }, () => "newline" as const);
  const known = { ...reading, judged: at, size: at };
  writer.reading = readNew({ pieces: [...pieces, { line: next.commit }], named: true }, known, { obeys });
  acknowledge(world, next.commit);
  if (claims) {
    writer.held = claims;
    world.attempts = [...world.attempts, claims];
  }
  leave(world, writer, task);
}

function leave(world: World, writer: Writer, task: Task): void {
  if (task.do === "finish") writer.held = undefined;
  endTask(world, writer);
}
