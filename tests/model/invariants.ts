/** What must hold at every moment of every schedule. */
import { contents, isIn, truth } from "./chain.ts";
import { Damage, type Disk, load, type Reading } from "./disk.ts";
import { hashOf } from "./explore.ts";
import { runAlone } from "./model.ts";
import type { Obeys } from "./rules.ts";
import type { Task, World } from "./world.ts";

/** What a process that comes new to any state must be able to do with it. */
const AFTERWARDS: readonly Task[] = [
  { do: "rescue" },
  { do: "enqueue", id: "new" },
  { do: "checkpoint" },
  { do: "enqueue", id: "newer", atRest: "renewal" },
  { do: "roll" },
  { do: "install" },
  { do: "enqueue", id: "newest", atRest: "checkpoint" },
];

/** The invariants of the sound protocol and of every broken one: what is wrong with a world, or undefined. */
export function invariants(scripts: readonly (readonly Task[])[], obeys: Obeys): Invariant {
  const checked = new Map<bigint, string | undefined>();
  return (world, isLast) => {
    if (world.flipped) return hiddenLoss(world, obeys);
    const { journals, queue, dlq } = world.disk;
    const disk = hashOf([journals, queue, dlq, world.acknowledged]);
    if (!checked.has(disk)) checked.set(disk, lossOnDisk(world, obeys) ?? deadEnd(world, obeys));
    return (
      misled(world) ??
      checked.get(disk) ??
      overlap(world) ??
      goneFromSight(world) ??
      (isLast ? unfinished(world, scripts) : undefined)
    );
  };
}

type Invariant = (world: World, isLast: boolean) => string | undefined;

/** Nobody ever meets what only damaged files can show, or tells less than was acknowledged when he began. */
function misled({ writers }: World): string | undefined {
  for (const { name, next } of writers) if (next.step === "misled") return `${name} ${next.why}.`;
  return undefined;
}

/** A reader finds all that was acknowledged and nothing that was not written, and every job's life is in order. */
function lossOnDisk({ disk, acknowledged }: World, obeys: Obeys): string | undefined {
  const found = loaded(disk, obeys);
  if (typeof found === "string") return `Whoever loads the store now finds damage: ${found}.`;
  const { wrong, content } = truth(found.end);
  if (wrong !== undefined) return `What counts breaks a rule: ${wrong}.`;
  if (content !== found.content) {
    const [should, is] = [content, found.content].map((number) => JSON.stringify(contents.get(number)));
    return `What is loaded is not what the commits add up to: ${is} instead of ${should}.`;
  }
  if (acknowledged.some((commit) => !isIn(commit, found.end))) return "What was acknowledged is not there any more.";
  return undefined;
}

/** Were all writers killed now, a new one could go on: the state can be brought forward. */
function deadEnd(world: World, obeys: Obeys): string | undefined {
  const after = runAlone(world, AFTERWARDS, obeys);
  if (typeof after === "string") return `Were everyone killed now, the next process would be stuck: ${after}.`;
  const loss = lossOnDisk(after, obeys);
  return loss && `Were everyone killed now, then after the work of the next process: ${loss}`;
}

/** Never two living attempts of one job. */
function overlap({ attempts }: World): string | undefined {
  const ids = attempts.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  return twice && `Two attempts of ${twice} run at a time.`;
}

/** A job that a person has seen in one of the two files stays in one of them, also when it dies. */
function goneFromSight({ shown, disk }: World): string | undefined {
  const { queue } = contents.get(disk.queue.content);
  const { dlq } = contents.get(disk.dlq.content);
  const gone = shown.find((id) => !queue[id] && !dlq[id]);
  return gone && `Whoever reads queue.json and dlq.json by himself finds ${gone} in neither.`;
}

/** Whoever lives has come to the end of his tasks. */
function unfinished({ writers }: World, scripts: readonly (readonly Task[])[]): string | undefined {
  const stuck = writers.find(({ alive, done }, index) => alive && done < (scripts[index]?.length ?? 0));
  return stuck && `${stuck.name} can do nothing any more, but is not done.`;
}

/** A damaged line is reported, or told of and set aside, before anything acknowledged can be missed. */
function hiddenLoss({ disk, acknowledged, setAside, writers }: World, obeys: Obeys): string | undefined {
  const found = loaded(disk, obeys);
  const isTold = typeof found === "string" || found.suspects.length > 0 || setAside;
  if (isTold || writers.some(({ next }) => next.step === "misled")) return undefined;
  const isWhole = found.content === truth(found.end).content;
  if (isWhole && acknowledged.every((commit) => isIn(commit, found.end))) return undefined;
  return "What was acknowledged is not there any more, and nobody is told of the damage.";
}

function loaded(disk: Disk, obeys: Obeys): Reading | string {
  try {
    return load(disk, obeys);
  } catch (error) {
    if (error instanceof Damage) return error.message;
    throw error;
  }
}
