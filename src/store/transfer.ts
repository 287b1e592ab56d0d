/** What every store needs to give everything away and to take it in. */
import { CONFIG_KEYS, type Config } from "../config.ts";
import { QueueError } from "../job/errors.ts";
import type { CompletedJob } from "../job/job.ts";
import { isUnfinished } from "../job/key.ts";
import { portableArchived } from "../job/portable.ts";
import type { QueueRules } from "../job/queue.ts";
import type { Schedule } from "../job/schedule.ts";
import { shown } from "../job/shown.ts";
import type { Item, Restored, Tally } from "./item.ts";
import { byName } from "./schedule-book.ts";
import type { Counts } from "./store.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A restore's result, as it grows. */
export class Tallies implements Restored {
  readonly added: Mutable<Tally> = noTally();
  readonly skipped: Mutable<Tally> = noTally();

  count(item: Item, { isAdded }: { isAdded: boolean }): void {
    this[isAdded ? "added" : "skipped"][kindOf(item)] += 1;
  }
}

export function noTally(): Mutable<Tally> {
  return { settings: 0, jobs: 0, dead_letters: 0, archived: 0 };
}

/** Where it is counted. */
export function kindOf(item: Item): keyof Tally {
  if ("job" in item) return "jobs";
  if ("archived" in item) return "archived";
  return "dead_letter" in item ? "dead_letters" : "settings";
}

/** In the order in which this program lists them. */
export function settingItems(stored: Partial<Config>): Item[] {
  return CONFIG_KEYS.flatMap((key) => {
    const value = stored[key];
    return value === undefined ? [] : [{ setting: { key, value } }];
  });
}

/** By name. */
export function queueItems(rules: QueueRules): Item[] {
  const names = Object.keys(rules).toSorted((a, b) => (a < b ? -1 : 1));
  return names.map((name) => ({ queue: { name, ...rules[name] } }));
}

/** By name. */
export function scheduleItems(schedules: Iterable<Schedule>): Item[] {
  return byName(schedules).map((schedule) => ({ schedule }));
}

/** All jobs, archived ones among the completed, and all dead letters. */
export function totalOf({ pending, processing, completed, failed, dead }: Counts): number {
  return pending + processing + completed + failed + dead;
}

/** Throws `E_STORE_NOT_EMPTY`. */
export function refuseUnlessEmpty({ location }: { readonly location: string }, counts: Counts): void {
  const count = totalOf(counts);
  if (count === 0) return;
  const [jobs, them] = count === 1 ? ["a job", "it"] : [`${count} jobs`, "them"];
  throw new QueueError("E_STORE_NOT_EMPTY", `There ${count === 1 ? "is" : "are"} ${jobs} in ${location} already.`, {
    hint: `To add to ${them} what is not there yet: --merge`,
  });
}

/** Throws `E_JOB_EXISTS` for an unfinished job whose key another one has. */
export function refuseSecondHolder(
  entry: { readonly id: string; readonly key?: string },
  holderOf: (key: string) => string | undefined,
): void {
  const holder = entry.key === undefined || !isUnfinished(entry) ? undefined : holderOf(entry.key);
  if (holder === undefined) return;
  const { id, key } = entry;
  throw new QueueError("E_JOB_EXISTS", `The key ${shown(key)} of job ${shown(id)} is taken by job ${shown(holder)}.`, {
    hint: "One of the two has to end first: import again, with --merge, when it has.",
  });
}

/**
 * Archived jobs of which there are equal ones, however often: an archived job has no id of its own to be known by. Of
 * each only a checksum is kept.
 */
export class ArchivedAlready {
  readonly #counts = new Map<bigint, number>();

  learn(jobs: readonly CompletedJob[]): void {
    for (const job of jobs) {
      const sum = sumOf(job);
      this.#counts.set(sum, (this.#counts.get(sum) ?? 0) + 1);
    }
  }

  /** Whether it is one of them; each counts once. */
  take(job: CompletedJob): boolean {
    const sum = sumOf(job);
    const count = this.#counts.get(sum) ?? 0;
    if (count > 0) this.#counts.set(sum, count - 1);
    return count > 0;
  }
}

function sumOf(job: CompletedJob): bigint {
  return Bun.hash.xxHash64(JSON.stringify(portableArchived(job)));
}
