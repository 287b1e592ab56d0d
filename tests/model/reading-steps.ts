/**
 * How a writer comes to know what there is, in the order of replica.ts: it loads the snapshots and folds the journals, or
 * reads on in the journal that it has open. When it knows all, it decides.
 */
import { asNamed, fileOf, foldNext, journalNamed, lettersIn, readFrom, readNew, startOf } from "./disk.ts";
import type { Doing, World, Writer } from "./world.ts";

export function beginToLoad({ disk }: World, writer: Writer): string {
  writer.next = { step: "load dlq", queue: disk.queue };
  return `begins to load: reads queue.json (generation ${disk.queue.generation})`;
}

export function loadDeadLetters({ disk }: World, writer: Writer): string {
  const { next } = writer;
  if (next.step !== "load dlq") throw new Error("not loading");
  const { queue } = next;
  const dlq = asNamed(queue, disk.dlq);
  writer.next = { step: "fold", queue, dlq, from: startOf(queue, dlq), known: lettersIn(disk.dlq) };
  return `reads dlq.json (generation ${disk.dlq.generation})`;
}

export function fold({ disk }: World, writer: Writer, { obeys }: Doing): string {
  const { next } = writer;
  if (next.step !== "fold") throw new Error("not folding");
  const { queue, dlq, from } = next;
  const reading = foldNext(disk, from, { queue, dlq, obeys });
  if (!reading) {
    writer.next = { step: "load" };
    return `finds no journal ${from.generation} that fits, and starts over`;
  }
  if (reading.next !== undefined) {
    const { end, content } = reading;
    writer.next = { ...next, from: { generation: reading.next, at: 0, end, content } };
    return `reads journal ${from.generation} up to its checkpoint`;
  }
  writer.reading = { ...reading, dlq: next.known };
  // A journal that a snapshot stands in is no other of the same name.
  const looks = obeys("look again, loading") && from.at === 0;
  writer.next = looks ? { step: "look again", generation: queue.generation } : { step: "decide" };
  return `reads journal ${from.generation} to place ${reading.size}`;
}

/**
 * A journal that queue.json has not passed, the last to be renamed, was still there when it was opened. Otherwise it may
 * be another of the same name, created by a writer that was frozen just before.
 */
export function lookAgain({ disk }: World, writer: Writer): string {
  const { next } = writer;
  if (next.step !== "look again") throw new Error("not looking");
  const { generation } = disk.queue;
  if (generation > next.generation) {
    writer.reading = undefined;
    writer.next = { step: "load" };
    return `looks again, and finds that queue.json (generation ${generation}) has passed that journal`;
  }
  writer.next = { step: "decide" };
  return `looks again (queue.json is of generation ${generation})`;
}

export function readOn({ disk }: World, writer: Writer, doing: Doing): string {
  const { reading: before } = writer;
  if (!before) throw new Error("read nothing");
  const reading = readNew(fileOf(disk, before), before, doing);
  writer.reading = reading;
  writer.next = { step: "decide" };
  return `reads journal ${reading.generation} to place ${reading.size}`;
}

/** Goes on at the journal after a checkpoint; where that one is gone already, loads anew. */
export function follow({ disk }: World, writer: Writer, doing: Doing): string {
  const { next: generation, end, content, dlq } = writer.reading ?? {};
  if (generation === undefined || end === undefined || content === undefined) throw new Error("nothing to follow");
  const file = journalNamed(disk, generation);
  if (!file) {
    writer.reading = undefined;
    writer.next = { step: "load" };
    return `finds no journal ${generation}, and has to load anew`;
  }
  const reading = readFrom(file, { generation, at: 0, end, content }, doing);
  // Whoever made the checkpoint himself knows what he wrote.
  writer.reading = dlq?.sum === end ? { ...reading, dlq } : reading;
  const looks = doing.obeys("look again, following");
  writer.next = looks ? { step: "look again", generation } : { step: "decide" };
  return `opens journal ${generation} and reads it to place ${reading.size}`;
}
