/**
 * The ids that a shell offers to whoever types one. Nothing is made, changed or locked for that, and nothing waited for: a
 * queue that is not there, or too large to be read between two keys, has none to offer.
 */
import type { JobState } from "../job/job.ts";
import { StoreChoice } from "./choice.ts";
import { layoutOf } from "./files/layout.ts";
import { bytesOfSnapshots, load } from "./files/loading.ts";
import type { StoreOptions } from "./open.ts";

/** Where what has an id may be. */
export type Whereabouts = JobState | "dead";

export interface KnownId {
  readonly id: string;
  readonly state: Whereabouts;
  readonly command: string;
}

export interface Wanted {
  readonly states: readonly Whereabouts[];
  readonly prefix: string;
  readonly limit: number;
}

/** More takes longer than a tenth of a second to read. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The latest of those that are wanted. Throws what `Store` throws. */
export async function readKnownIds(options: StoreOptions, wanted: Wanted): Promise<readonly KnownId[]> {
  const choice = new StoreChoice(options);
  const chosen = choice.database();
  if (chosen === undefined) return idsInFiles(choice.directory, wanted);
  const { readIdsFrom } = await import("./postgres/known-ids.ts");
  return readIdsFrom(chosen.url, options, wanted);
}

function idsInFiles(directory: string, { states, prefix, limit }: Wanted): readonly KnownId[] {
  const layout = layoutOf(directory);
  const loaded = bytesOfSnapshots(layout) > MAX_BYTES ? undefined : load(layout);
  if (!loaded) return [];
  using _journal = loaded.journal;
  const isDead = { state: "dead" } as const;
  return [...loaded.state.jobs(), ...Array.from(loaded.state.deadLetters(), (dead) => ({ ...dead, ...isDead }))]
    .filter(({ id, state }) => states.includes(state) && id.startsWith(prefix))
    .slice(-limit);
}
