/**
 * Everything in a data directory that is whole, put together as `replica.ts` would where nothing is damaged, and every
 * place where something is not. Changes nothing.
 */
import type { Entry } from "../../../job/job.ts";
import type { Finding } from "../../doctor.ts";
import { namesIn } from "../../local/durable.ts";
import { wholeArchive } from "../archive.ts";
import type { Commit } from "../commit.ts";
import { journalGeneration, type Layout } from "../layout.ts";
import { sidesFrom } from "../loading.ts";
import { ORIGINAL } from "../original-format.ts";
import { isBefore, type Position } from "../position.ts";
import type { Standing } from "../standing.ts";
import { QueueState, type Sides } from "../state.ts";
import { DamageList } from "./damage.ts";
import { endsAt, type SalvagedJournal, salvageJournal } from "./salvage-journal.ts";
import { type SalvagedSnapshot, salvageDeadLetters, salvageQueue } from "./salvage-snapshot.ts";

export interface Salvage {
  readonly state: QueueState;
  /** The highest generation that any file speaks of. */
  readonly generation: number;
  /** No sequence number from here on was ever given out. */
  readonly seq: number;
  readonly damage: readonly Finding[];
}

/** Throws `E_STORE_VERSION` and `E_STORE_IO`. */
export function salvage(layout: Layout): Salvage {
  const queue = salvageQueue(layout.queue);
  const dlq = salvageDeadLetters(layout.dlq);
  const state = new QueueState(queue.entries, dlq.entries, queue.standing ?? lostStanding(layout));
  const since = { queue: sinceOf(layout, queue), dlq: sinceOf(layout, dlq) };
  const first = isBefore(since.dlq, since.queue) ? since.dlq : since.queue;
  const heads = [queue.head, dlq.head].filter((head) => head !== undefined);
  const generations = journalsFrom(layout, first.generation);
  const damage = [...queue.damage, ...dlq.damage];
  const journals: SalvagedJournal[] = [];
  let follows: Position | undefined;
  for (const generation of generations) {
    const path = layout.journal(generation);
    if (follows && follows.generation !== generation) damage.push(...missing(layout.journal(follows.generation)));
    const begins = [first, follows, ...heads.filter(({ at }) => at === 0)];
    const journal = salvageJournal(
      path,
      begins.find((position) => position?.generation === generation),
    );
    const sidesOf = sidesFrom(since.queue, since.dlq, generation);
    damage.push(...journal.damage, ...replay(state, journal, { path, sidesOf }));
    follows = journal.next;
    journals.push(journal);
  }
  const needed = Math.max(0, ...heads.map(({ generation }) => generation));
  if (!generations.includes(needed) && heads.length > 0) damage.push(...missing(layout.journal(needed)));
  damage.push(...settleDoubles(state, layout));
  return {
    state,
    generation: Math.max(needed, ...generations),
    seq: Math.max(
      ...heads.map(({ end }) => end.seq),
      ...journals.map(({ seq }) => seq),
      ...Array.from(state.processing(), ({ lease }) => lease + 1),
      1,
    ),
    damage,
  };
}

/** Of a store whose head is lost: its archive can be found, and what held for its queues and its schedules cannot. */
function lostStanding({ archive }: Layout): Standing {
  return { archive: wholeArchive(archive), queues: {}, begun: {}, schedules: {} };
}

/**
 * From where on journals are applied to a snapshot. To a damaged one all are, for its head may lie: to apply again what it
 * holds already comes to the same in the end. But that would undo an edit by hand: where no entry is lost and the journal
 * bears the head out, it is believed.
 */
function sinceOf(layout: Layout, { head, damage, isComplete }: SalvagedSnapshot<Entry>): Position {
  if (!head) return ORIGINAL;
  const isBelieved = damage.length === 0 || (isComplete && endsAt(layout.journal(head.generation), head));
  return isBelieved ? head : ORIGINAL;
}

/** The journals that something may still have to be taken from, by generation. */
function journalsFrom(layout: Layout, oldest: number): number[] {
  return namesIn(layout.root)
    .map(journalGeneration)
    .filter((generation) => generation !== undefined)
    .filter((generation) => generation >= oldest)
    .sort((a, b) => a - b);
}

function replay(
  state: QueueState,
  { commits }: SalvagedJournal,
  { path, sidesOf }: { path: string; sidesOf: (commit: Commit) => Sides },
): Finding[] {
  const damage = new DamageList(path);
  const strangers = new Set<string>();
  for (const commit of commits) {
    for (const record of commit.records) if (!state.apply(record, sidesOf(commit))) strangers.add(record.id);
  }
  const jobs = [...strangers];
  if (jobs.length > 0)
    damage.add("it changes jobs that no readable file holds: what they were to run is lost.", { jobs });
  return damage.found;
}

function missing(path: string): Finding[] {
  const damage = new DamageList(path);
  damage.add("it is missing, and with it every change since the snapshots before it.");
  return damage.found;
}

/** An id that ended up in both files is where it was put last. */
function settleDoubles(state: QueueState, layout: Layout): Finding[] {
  const damage = new DamageList(layout.queue);
  for (const letter of Array.from(state.deadLetters())) {
    const job = state.job(letter.id);
    if (!job) continue;
    damage.add("it holds a job that is in the DLQ as well; the later one is kept.", { jobs: [letter.id] });
    const later: Entry = job.updated_at > letter.failed_at ? job : letter;
    const to = later === job ? "queue" : "dlq";
    state.apply({ event: "salvaged", id: later.id, to, set: { ...later } });
  }
  return damage.found;
}
