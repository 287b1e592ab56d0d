/**
 * The protocol of the files store (db/README.md), as a model in which everything can happen that can happen to it: two or
 * three writers, their steps in any order, and crashes and torn lines between them.
 *
 * A lock can be lost at any moment, so in the model it is stolen at any moment, a limited number of times. A freeze is
 * nothing but that: others go first. Without a limit two writers could make each other's lines void for ever.
 *
 * A step is what a process does to the disk in one call, or what it decides after a look at it. What only it can see is
 * no step of its own. Power cuts are left out: what was written is there, synced or not.
 */
import { emptyDisk, load, type Piece } from "./disk.ts";
import type { Model, Move } from "./explore.ts";
import type { Obeys } from "./rules.ts";
import {
  draftOf,
  giveUpTemporaries,
  land,
  type Scenario,
  type Task,
  tidied,
  unlock,
  type World,
  type Writer,
  writerNamed,
} from "./world.ts";
import { needsLock, takeStep } from "./writer.ts";

/** All that can happen in a scenario. */
export function modelOf(scenario: Scenario, obeys: Obeys): Pick<Model<World>, "start" | "moves"> {
  const scripts = Object.values(scenario.writers);
  return {
    start: startOf(scenario, obeys),
    moves: (world) => [
      ...world.writers.flatMap((_, index) => movesOf(world, index, { script: scripts[index] ?? [], obeys })),
      ...flips(world),
    ],
  };
}

/** Lets one writer do its tasks on a disk, alone and undisturbed; where that takes no end, says so. */
export function runAlone(world: World, tasks: readonly Task[], obeys: Obeys): World | string {
  // The temporary snapshots of those who are gone are nothing to it.
  const disk = { ...world.disk, temporaries: [] };
  const alone = draftOf({ ...world, disk, writers: [writerNamed("someone")], lock: undefined });
  const [writer] = alone.writers;
  for (let steps = 0; writer; steps++) {
    const task = tasks[writer.done];
    if (writer.next.step === "misled") return `it ${writer.next.why}`;
    if (!task) return tidied(alone);
    if (steps > 100) return "it goes on for ever";
    takeStep(alone, writer, { task, obeys, choice: 0 });
  }
  return "nobody is there";
}

function startOf(
  { before, writers, newcomers = [], steals = 0, crashes = 0, tears = 0, flips = 0 }: Scenario,
  obeys: Obeys,
): World {
  const faults = { steals, crashes, tears, flips, flipped: false };
  const nothing = { lock: undefined, attempts: [], acknowledged: [], shown: [], setAside: false };
  const world = runAlone({ disk: emptyDisk(), writers: [], ...nothing, ...faults }, before, obeys);
  if (typeof world === "string") throw new Error(`the beginning fails: ${world}`);
  const reading = load(world.disk, obeys);
  const names = Object.keys(writers);
  return {
    ...world,
    writers: names.map((name) => writerNamed(name, newcomers.includes(name) ? undefined : reading)),
  };
}

function movesOf(
  world: World,
  index: number,
  { script, obeys }: { script: readonly Task[]; obeys: Obeys },
): Move<World>[] {
  const writer = world.writers[index];
  if (!writer?.alive || writer.next.step === "misled") return [];
  const task = script[writer.done];
  const moves: Move<World>[] = [];
  const change = (does: (draft: World, drafted: Writer) => string): void => {
    const draft = draftOf(world);
    const drafted = draft.writers[index];
    if (drafted) moves.push({ says: `${writer.name} ${does(draft, drafted)}`, to: tidied(draft) });
  };
  if (task && mayGoOn(world, writer, task)) {
    for (let choice = 0; choice < choicesOf(writer); choice++) {
      change((draft, drafted) => takeStep(draft, drafted, { task, obeys, choice }));
    }
    const commit = aboutToAppend(writer, obeys);
    if (commit !== undefined && world.tears > 0) {
      change((draft, drafted) => tear(draft, drafted, "cut"));
      change((draft, drafted) => tear(draft, drafted, { unended: commit }));
    }
  }
  if (world.crashes > 0 && (task || writer.held)) {
    change((draft, drafted) => {
      draft.crashes -= 1;
      die(draft, drafted);
      return "is killed";
    });
  }
  return moves;
}

function mayGoOn({ lock, steals }: World, writer: Writer, task: Task): boolean {
  return !needsLock(writer, task) || lock === undefined || lock === writer.name || steals > 0;
}

function choicesOf({ next }: Writer): number {
  return next.step === "checkpoint" ? Math.max(1, next.checkpoint.condemned?.length ?? 1) : 1;
}

function aboutToAppend({ next, reading }: Writer, obeys: Obeys): number | undefined {
  if (next.step === "append") return next.commit;
  const isCommitting = next.step === "checkpoint" && next.checkpoint.plan[0] === "commit";
  const closesFirst = reading && reading.judged < reading.size && obeys("close torn");
  return isCommitting && !closesFirst ? next.checkpoint.commit : undefined;
}

function tear(world: World, writer: Writer, piece: Piece): string {
  world.tears -= 1;
  land(world, writer, piece);
  die(world, writer);
  return piece === "cut"
    ? "is killed while it appends: the beginning of its line lands"
    : "is killed while it appends: all of its line but the newline lands";
}

function die(world: World, writer: Writer): void {
  // Whoever waits for the lock of a dead process takes it at once.
  unlock(world, writer);
  writer.alive = false;
  writer.next = { step: "begin" };
  writer.reading = undefined;
  writer.held = undefined;
  writer.rescuing = undefined;
  writer.rolled = undefined;
  writer.expected = undefined;
  giveUpTemporaries(world, writer.name);
}

/** Any whole line in a journal that has a name may be damaged by something else. */
function flips(world: World): Move<World>[] {
  if (world.flips === 0) return [];
  return world.disk.journals.flatMap(({ named, generation, pieces }, index) =>
    pieces.flatMap((piece, place) => {
      if (!named || typeof piece !== "object" || !("line" in piece)) return [];
      const draft = draftOf(world);
      const journal = draft.disk.journals[index];
      if (journal) journal.pieces = pieces.with(place, "flipped");
      draft.flips -= 1;
      draft.flipped = true;
      return [{ says: `something else changes bytes in place ${place} of journal ${generation}`, to: draft }];
    }),
  );
}
