/** A checkpoint whose snapshots come later, in the order of late-checkpoint.ts. */
import { commits } from "./chain.ts";
import { known, planOf } from "./checkpoint-steps.ts";
import type { Obeys } from "./rules.ts";
import { type CheckpointStep, endTask, giveUpTemporaries, type World, type Writer, wordsOf } from "./world.ts";

const BEFORE_PLACING: readonly CheckpointStep[] = ["write dlq", "write queue", "create journal", "commit"];

/** Begins a generation with what a writer knows, and leaves the snapshots of it to a later time. */
export function roll(writer: Writer): string {
  const { generation, size, end, content } = known(writer);
  const checkpoint = generation + 1;
  const commit = commits.numberOf({ at: size, prev: end, by: writer.name, records: [], checkpoint });
  const snapshot = { generation: checkpoint, at: 0, sum: commit, content, names: commit };
  writer.next = { step: "checkpoint", checkpoint: { commit, snapshot, plan: ["create journal", "commit"] } };
  return `decides: ${wordsOf(commit)}`;
}

/** Writes the snapshots that are to be put in place, if there are any. */
export function beginToInstall(world: World, writer: Writer): string {
  const { rolled } = writer;
  if (!rolled) {
    endTask(world, writer);
    return "has nothing to put in place";
  }
  const plan: CheckpointStep[] = ["write dlq", "write queue"];
  writer.next = { step: "checkpoint", checkpoint: { commit: rolled.sum, snapshot: rolled, plan } };
  return `sets about writing what generation ${rolled.generation} began with`;
}

/** Puts them in place, with the lock and all that was committed read. */
export function install(world: World, writer: Writer, obeys: Obeys): string {
  const { rolled } = writer;
  const { generation } = known(writer);
  if (!rolled) throw new Error("nothing to put in place");
  writer.rolled = undefined;
  if (generation !== rolled.generation && obeys("yield to what is later")) {
    giveUpTemporaries(world, writer.name);
    endTask(world, writer);
    return "sees that there is something later, and leaves it at that";
  }
  const all = planOf({ begins: true, withDlq: true }, obeys);
  const plan = all.filter((step) => !BEFORE_PLACING.includes(step));
  writer.next = { step: "checkpoint", checkpoint: { commit: rolled.sum, snapshot: rolled, plan } };
  return "decides to put its snapshots in place";
}
