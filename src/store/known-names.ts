/**
 * The names that a shell offers to whoever types one: ids of jobs, queues and schedules. Nothing is made, changed or locked for that,
 * and nothing waited for: a queue that is not there, or too large to be read between two keys, has none to offer.
 */
import type { JobState } from "../job/job.ts";
import { EVERY_QUEUE } from "../job/queue.ts";
import { StoreChoice } from "./choice.ts";
import { layoutOf } from "./files/layout.ts";
import { bytesOfSnapshots, load } from "./files/loading.ts";
import type { QueueState } from "./files/state.ts";
import type { StoreOptions } from "./open.ts";

/** Of what names are wanted: of everything that is in these states or in the DLQ, of the queues, or of the schedules. */
export type Named = readonly (JobState | "dead")[] | "queues" | "schedules";

export interface KnownName {
  readonly name: string;
  readonly about: string;
}

export interface Wanted {
  readonly of: Named;
  readonly prefix: string;
  readonly limit: number;
}

/** More takes longer than a tenth of a second to read. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The latest of those that are wanted. Throws what `Store` throws. */
export async function readKnownNames(options: StoreOptions, wanted: Wanted): Promise<readonly KnownName[]> {
  const choice = new StoreChoice(options);
  const chosen = choice.database();
  if (chosen === undefined) return namesInFiles(choice.directory, wanted);
  const { readNamesFrom } = await import("./postgres/known-names.ts");
  return readNamesFrom(chosen.url, options, wanted);
}

function namesInFiles(directory: string, { of, prefix, limit }: Wanted): readonly KnownName[] {
  const layout = layoutOf(directory);
  const loaded = bytesOfSnapshots(layout) > MAX_BYTES ? undefined : load(layout);
  if (!loaded) return [];
  using _journal = loaded.journal;
  return namesIn(loaded.state, of)
    .filter(({ name }) => name.startsWith(prefix))
    .slice(-limit);
}

function namesIn(state: QueueState, of: Named): KnownName[] {
  if (of === "queues") {
    return state.queues().flatMap(({ name }) => (name === EVERY_QUEUE ? [] : [{ name, about: "" }]));
  }
  if (of === "schedules") {
    return Object.values(state.standing.schedules).map(({ name, cron, spec }) => ({
      name,
      about: `${cron}: ${spec.command}`,
    }));
  }
  const dead = Array.from(state.deadLetters(), (letter) => ({ ...letter, state: "dead" as const }));
  return [...state.jobs(), ...dead]
    .filter((entry) => of.includes(entry.state))
    .map(({ id, state: where, command }) => ({ name: id, about: `${where}: ${command}` }));
}
