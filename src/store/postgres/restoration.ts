/** What another store gave away, on its way into the tables: by COPY, a batch at a time, in one transaction. */
import type { SQL } from "bun";
import type { Config } from "../../config.ts";
import { type QueueRules, queueOf } from "../../job/queue.ts";
import type { Schedule } from "../../job/schedule.ts";
import type { JobTerms } from "../../job/terms.ts";
import type { EntryItem, Item, QueueItem, Restored, ScheduleItem, SettingItem } from "../item.ts";
import { KeyHolders } from "../key-holders.ts";
import type { EnqueueOptions } from "../store.ts";
import { ArchivedAlready, refuseSecondHolder, Tallies } from "../transfer.ts";
import { array } from "./array.ts";
import { copyField, NULL } from "./copy-text.ts";
import { nameQueues } from "./insertion.ts";
import { selectSchedules, writeSchedule } from "./postgres-schedules.ts";
import { selectRules, writeRule } from "./queues.ts";
import { fetchAll } from "./reading.ts";
import { lockKeyHolders } from "./residents.ts";
import { type ArchivedRow, completedOf, type JobRow, storedTerms } from "./row.ts";
import { selectSettings, upsertSetting } from "./settings.ts";

const JOB_COLUMNS =
  "id, state, due, queue, priority, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, worker_id, last_error, terms, history, command, waits_for";
const ARCHIVE_COLUMNS =
  "id, queue, priority, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, worker_id, last_error, terms, history, command";

export interface Terms extends Required<EnqueueOptions> {
  readonly now: number;
}

/** One reading of everything into the tables, in a transaction. */
export class Restoration {
  readonly #sql: SQL;
  readonly #terms: Terms;
  readonly #tallies = new Tallies();
  readonly #already = new ArchivedAlready();

  constructor(sql: SQL, terms: Terms) {
    this.#sql = sql;
    this.#terms = terms;
  }

  async run(batches: AsyncIterable<readonly Item[]>): Promise<Restored> {
    const sql = this.#sql;
    const isMerging = this.#terms.existing === "skip";
    if (isMerging) {
      await fetchAll(sql, "SELECT * FROM archive", async (rows: ArchivedRow[]) => {
        this.#already.learn(rows.map(completedOf));
        return true;
      });
    }
    const stored = isMerging ? await selectSettings(sql) : {};
    const rules = isMerging ? await selectRules(sql) : {};
    const schedules = isMerging ? await selectSchedules(sql) : [];
    for await (const items of batches) {
      for (const item of items) {
        if ("setting" in item) await this.#set(item, stored);
        if ("queue" in item) await this.#rule(item, rules);
        if ("schedule" in item) await this.#schedule(item, schedules);
      }
      await this.#addEntries(items);
      await this.#addArchived(items);
    }
    await sql`UPDATE jobs SET lease = nextval('leases') WHERE state = 'processing' AND lease IS NULL`;
    // Last, for workers that archive wait for this row.
    await sql`UPDATE queue SET archived = archived + ${this.#tallies.added.archived}`;
    await sql`SELECT tell('work')`;
    return this.#tallies;
  }

  async #set(item: SettingItem, stored: Partial<Config>): Promise<void> {
    const { key, value } = item.setting;
    const isAdded = stored[key] === undefined;
    this.#tallies.count(item, { isAdded });
    if (isAdded) await upsertSetting(this.#sql, key, value);
  }

  async #rule(item: QueueItem, rules: QueueRules): Promise<void> {
    const { name, ...rule } = item.queue;
    const isAdded = rules[name] === undefined;
    this.#tallies.count(item, { isAdded });
    if (isAdded) await writeRule(this.#sql, name, rule);
  }

  async #schedule(item: ScheduleItem, stored: readonly Schedule[]): Promise<void> {
    const isAdded = stored.every(({ name }) => name !== item.schedule.name);
    this.#tallies.count(item, { isAdded });
    if (isAdded) await writeSchedule(this.#sql, item.schedule);
  }

  async #addEntries(items: readonly Item[]): Promise<void> {
    const entries = items.flatMap((item) =>
      "job" in item || "dead_letter" in item ? [{ item, row: rowOf(item) }] : [],
    );
    const taken = new Set<string>();
    if (this.#terms.existing === "skip") {
      const ids = array(entries.map(({ row }) => row.id));
      const rows: { id: string }[] = await this.#sql`SELECT id FROM jobs WHERE id = ANY (${ids}::text[])`;
      for (const { id } of rows) taken.add(id);
    }
    const keys = new KeyHolders();
    for (const holder of (
      await lockKeyHolders(
        this.#sql,
        entries.map(({ row }) => row),
      )
    ).values())
      keys.add(holder);
    const lines: string[] = [];
    for (const { item, row } of entries) {
      const isAdded = !taken.has(row.id);
      this.#tallies.count(item, { isAdded });
      if (!isAdded) continue;
      refuseSecondHolder(row, (key) => keys.of(key));
      keys.add(row);
      if (this.#terms.existing === "skip") taken.add(row.id);
      const waits = row.waits_for ? array(row.waits_for) : null;
      lines.push(copyLine([row.id, row.state, this.#isDue(row) ? "t" : "f", ...restOf(row), waits]));
    }
    await nameQueues(
      { ask: (question) => question(this.#sql) },
      entries.map(({ row }) => row),
    );
    await this.#copy(`jobs (${JOB_COLUMNS})`, lines);
  }

  #isDue({ state, run_at, waits_for }: Row): boolean {
    return state === "pending" && !waits_for && Number(run_at) <= this.#terms.now;
  }

  async #addArchived(items: readonly Item[]): Promise<void> {
    const lines: string[] = [];
    for (const item of items) {
      if (!("archived" in item)) continue;
      const isAdded = !this.#already.take(item.archived);
      this.#tallies.count(item, { isAdded });
      if (isAdded) lines.push(copyLine([item.archived.id, ...restOf({ ...NOT_STARTED, ...item.archived })]));
    }
    await this.#copy(`archive (${ARCHIVE_COLUMNS})`, lines);
  }

  async #copy(into: string, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const query = this.#sql.unsafe(`COPY ${into} FROM STDIN`);
    const writer = query.writable().getWriter();
    await writer.write(lines.join(""));
    await writer.close();
    await query;
  }
}

type Row = Pick<
  JobRow,
  "id" | "state" | "run_at" | "attempts" | "max_retries" | "created_at" | "updated_at" | "command"
> &
  Partial<Pick<JobRow, "processing_started_at" | "worker_id" | "waits_for" | "last_error" | "history">> &
  JobTerms;

const NOT_STARTED = { processing_started_at: null, worker_id: null, last_error: null };

function rowOf(item: EntryItem): Row {
  const entry = "job" in item ? item.job : item.dead_letter;
  if ("state" in entry) return { ...NOT_STARTED, ...entry };
  const { error, failed_at, ...kept } = entry;
  return { ...NOT_STARTED, ...kept, state: "dead", run_at: failed_at, updated_at: failed_at, last_error: error };
}

/** From `queue` on, as in the columns. */
function restOf(row: Omit<Row, "state">): (string | number | null)[] {
  const { priority = 0, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, ...texts } = row;
  const numbers = [
    queueOf(row),
    priority,
    run_at,
    attempts,
    max_retries,
    created_at,
    updated_at,
    processing_started_at ?? null,
  ];
  const written = [storedTerms(row), row.history ?? null].map((value) => value && JSON.stringify(value));
  return [...numbers, texts.worker_id ?? null, texts.last_error ?? null, ...written, texts.command];
}

function copyLine(fields: readonly (string | number | null)[]): string {
  return `${fields.map((field) => (field === null ? NULL : copyField(String(field)))).join("\t")}\n`;
}
