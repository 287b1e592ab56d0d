/**
 * Everything out of a data directory, and into one. What comes in is committed a batch at a time: a process that dies on
 * the way leaves a part of it, which is as sound as any other queue.
 */
import { QueueError } from "../../job/errors.ts";
import type { Job } from "../../job/job.ts";
import { type PortableJob, portableArchived, portableDeadLetter, portableJob } from "../../job/portable.ts";
import { shown } from "../../job/shown.ts";
import type { Item, QueueItem, Restored, ScheduleItem } from "../item.ts";
import { KeyHolders } from "../key-holders.ts";
import type { EnqueueOptions } from "../store.ts";
import {
  ArchivedAlready,
  queueItems,
  refuseSecondHolder,
  refuseUnlessEmpty,
  scheduleItems,
  settingItems,
  Tallies,
} from "../transfer.ts";
import { adopt, readArchive } from "./archive.ts";
import { type JournalRecord, recordOf, recordOfRule, recordOfSchedule } from "./commit.ts";
import type { ConfigFile } from "./config-file.ts";
import type { Layout } from "./layout.ts";
import type { Decision, Ledger } from "./ledger.ts";
import type { Standing } from "./standing.ts";
import type { QueueState } from "./state.ts";

interface Parts {
  readonly layout: Layout;
  readonly ledger: Ledger;
  readonly config: ConfigFile;
}

const ITEMS_A_BATCH = 1000;

export async function dump(parts: Parts, take: (items: readonly Item[]) => Promise<boolean>): Promise<void> {
  for (const items of everything(parts)) if (!(await take(items))) return;
}

/** As of this moment: the lists are copied before anything is given away. */
function* everything({ layout, ledger, config }: Parts): Generator<readonly Item[]> {
  const state = ledger.state();
  const [jobs, dead] = [Array.from(state.jobs()), Array.from(state.deadLetters())];
  const { archive, queues, schedules } = state.standing;
  yield [...settingItems(config.read()), ...queueItems(queues), ...scheduleItems(Object.values(schedules))];
  for (const batch of inBatches(jobs)) yield batch.map((job) => ({ job: portableJob(job) }));
  for (const batch of inBatches(dead)) yield batch.map((letter) => ({ dead_letter: portableDeadLetter(letter) }));
  for (const batch of readArchive(layout.archive, archive)) {
    yield batch.map((job) => ({ archived: portableArchived(job) }));
  }
}

/** Throws as `Store.restore`, and `E_JOB_EXISTS` when somebody has enqueued a job of the same id meanwhile. */
export async function restore(
  parts: Parts,
  read: () => AsyncIterable<readonly Item[]>,
  { existing }: Required<EnqueueOptions>,
): Promise<Restored> {
  const { layout, ledger } = parts;
  const before = ledger.state();
  if (existing === "refuse") refuseUnlessEmpty({ location: layout.root }, before.counts());
  const already = new ArchivedAlready();
  for (const jobs of readArchive(layout.archive, before.standing.archive)) already.learn(jobs);
  const tallies = new Tallies();
  for await (const items of read()) {
    await restoreSettings(parts, items, { existing, tallies });
    const fresh = items.filter((item) => {
      const isThere = "archived" in item && already.take(item.archived);
      if (isThere) tallies.count(item, { isAdded: false });
      return !isThere;
    });
    const added = await ledger.commit((state, seq) => decide(fresh, { layout, state, seq, existing }), {
      durable: false,
    });
    for (const item of fresh) if (!("setting" in item)) tallies.count(item, { isAdded: added.has(item) });
  }
  ledger.sync();
  return tallies;
}

async function restoreSettings(
  { ledger, config }: Parts,
  items: readonly Item[],
  { existing, tallies }: Required<EnqueueOptions> & { tallies: Tallies },
): Promise<void> {
  for (const item of items) {
    if (!("setting" in item)) continue;
    const { key, value } = item.setting;
    await ledger.locked(() => {
      const isAdded = existing === "refuse" || config.read()[key] === undefined;
      if (isAdded) config.set(key, value);
      tallies.count(item, { isAdded });
    });
  }
}

interface Circumstances extends Required<EnqueueOptions> {
  readonly layout: Layout;
  readonly state: QueueState;
  readonly seq: number;
}

/** What is added, and the records that do it. */
function decide(items: readonly Item[], { layout, state, seq, existing }: Circumstances): Decision<Set<Item>> {
  const records: JournalRecord[] = [];
  const added = new Set<Item>();
  const taken = new Set<string>();
  const keys = new KeyHolders();
  for (const item of items) {
    if ("setting" in item || "archived" in item) continue;
    if ("queue" in item || "schedule" in item) {
      if (existing === "skip" && stands(item, state.standing)) continue;
      records.push(standingRecord(item));
      added.add(item);
      continue;
    }
    const entry = "job" in item ? item.job : item.dead_letter;
    const { id } = entry;
    if (state.entry(id) !== undefined || taken.has(id)) {
      if (existing === "skip") continue;
      throw new QueueError("E_JOB_EXISTS", `A job with ID ${shown(id)} has been enqueued meanwhile.`, {
        hint: "What came before it has been imported. To go on: --merge",
      });
    }
    refuseSecondHolder(entry, (key) => keys.of(key) ?? state.keyHolder(key)?.id);
    keys.add(entry);
    taken.add(id);
    added.add(item);
    records.push(recordOf("imported", undefined, "state" in entry ? leased(entry, seq + records.length) : entry));
  }
  const archived = items.filter((item) => "archived" in item);
  for (const item of archived) added.add(item);
  if (archived.length > 0)
    records.push(
      ...adopt(
        layout.archive,
        archived.map((item) => item.archived),
      ),
    );
  return { records, result: added };
}

function stands(item: QueueItem | ScheduleItem, { queues, schedules }: Standing): boolean {
  return "queue" in item ? queues[item.queue.name] !== undefined : schedules[item.schedule.name] !== undefined;
}

function standingRecord(item: QueueItem | ScheduleItem): JournalRecord {
  if ("schedule" in item) return recordOfSchedule(item.schedule.name, item.schedule);
  const { name, ...rule } = item.queue;
  return recordOfRule(name, rule);
}

/** A claim's lease is the number of its record, and this counts as one: no other ever gets it. */
function leased(job: PortableJob, number: number): Job {
  return job.state === "processing" ? { ...job, lease: number } : job;
}

function* inBatches<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += ITEMS_A_BATCH) yield list.slice(at, at + ITEMS_A_BATCH);
}
