/**
 * Everything out of a schema, as of one snapshot and through a cursor, so that no more than a batch is in memory; and into
 * one, by COPY, in one transaction.
 */
import type { SQL } from "bun";
import type { Config } from "../../config.ts";
import { QueueError } from "../../job/errors.ts";
import { portableArchived, portableDeadLetter, portableJob } from "../../job/portable.ts";
import type { JobTerms } from "../../job/terms.ts";
import type { EntryItem, Item, Restored, SettingItem } from "../item.ts";
import type { EnqueueOptions } from "../store.ts";
import { ArchivedAlready, refuseUnlessEmpty, settingItems, Tallies } from "../transfer.ts";
import { array } from "./array.ts";
import { copyField, NULL } from "./arrival.ts";
import { type Database, stateOf } from "./database.ts";
import { transactOnce } from "./once.ts";
import { readCounts } from "./reading.ts";
import { type ArchivedRow, completedOf, deadLetterOf, type JobRow, jobOf, storedTerms } from "./row.ts";
import { selectSettings, upsertSetting } from "./settings.ts";

/** Of the longest commands there are, so many are some 60 MB. */
const ROWS_A_BATCH = 500;
/** Whoever reads what is given away may take his time. */
const A_DAY_MS = 86_400_000;
const UNIQUE_VIOLATION = "23505";
/** How often somebody may enqueue an id between the question whether it is taken and the answer's use. */
const MOST_COLLISIONS = 10;
const JOB_COLUMNS =
  "id, state, due, priority, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, worker_id, last_error, terms, command";
const ARCHIVE_COLUMNS =
  "id, priority, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, worker_id, last_error, terms, command";

/** Throws `E_STORE_IO` when the connection is lost after something was given away. */
export async function dump(database: Database, take: (items: readonly Item[]) => Promise<boolean>): Promise<void> {
  let hasBegun = false;
  const give = async (items: readonly Item[]): Promise<boolean> => {
    hasBegun = true;
    return take(items);
  };
  const work = async (sql: SQL): Promise<void> => {
    if (hasBegun) throw new QueueError("E_STORE_IO", "The connection was lost on the way.", { hint: "Do it again." });
    await sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`;
    await sql`SET LOCAL idle_in_transaction_session_timeout = 0`;
    for (const select of SELECTIONS) if (!(await select(sql, give))) return;
  };
  await database.transact(work, { timeoutMs: A_DAY_MS });
}

type Give = (items: readonly Item[]) => Promise<boolean>;

const SELECTIONS: readonly ((sql: SQL, give: Give) => Promise<boolean>)[] = [
  async (sql, give) => give(settingItems(await selectSettings(sql))),
  async (sql, give) =>
    fetchAll(sql, "SELECT * FROM jobs WHERE state <> 'dead' ORDER BY place", (rows: JobRow[]) =>
      give(rows.map((row) => ({ job: portableJob(jobOf(row)) }))),
    ),
  async (sql, give) =>
    fetchAll(sql, "SELECT * FROM jobs WHERE state = 'dead' ORDER BY place", (rows: JobRow[]) =>
      give(rows.map((row) => ({ dead_letter: portableDeadLetter(deadLetterOf(row)) }))),
    ),
  async (sql, give) =>
    fetchAll(sql, "SELECT * FROM archive ORDER BY place", (rows: ArchivedRow[]) =>
      give(rows.map((row) => ({ archived: portableArchived(completedOf(row)) }))),
    ),
];

/** Whether all were taken. */
async function fetchAll<Row>(sql: SQL, query: string, take: (rows: Row[]) => Promise<boolean>): Promise<boolean> {
  await sql.unsafe(`DECLARE everything NO SCROLL CURSOR FOR ${query}`);
  let rows: Row[];
  do {
    rows = Array.from((await sql.unsafe(`FETCH ${ROWS_A_BATCH} FROM everything`)) as Iterable<Row>);
    if (rows.length > 0 && !(await take(rows))) return false;
  } while (rows.length === ROWS_A_BATCH);
  await sql.unsafe("CLOSE everything");
  return true;
}

interface Terms extends Required<EnqueueOptions> {
  readonly now: number;
}

/** All or nothing. */
export async function restore(
  database: Database,
  read: () => AsyncIterable<readonly Item[]>,
  terms: Terms,
): Promise<Restored> {
  const work = async (sql: SQL): Promise<Restored> => {
    await sql`SET LOCAL idle_in_transaction_session_timeout = 0`;
    return new Restoration(sql, terms).run(read());
  };
  for (let collisions = 0; ; collisions++) {
    if (terms.existing === "refuse") refuseUnlessEmpty(database, await readCounts(database));
    try {
      return await transactOnce(database, work, { timeoutMs: A_DAY_MS });
    } catch (error) {
      if (stateOf(error) !== UNIQUE_VIOLATION || collisions === MOST_COLLISIONS) throw error;
    }
  }
}

/** One reading of everything into the tables, in a transaction. */
class Restoration {
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
    for await (const items of batches) {
      for (const item of items) if ("setting" in item) await this.#set(item, stored);
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
    const lines: string[] = [];
    for (const { item, row } of entries) {
      const isAdded = !taken.has(row.id);
      this.#tallies.count(item, { isAdded });
      if (!isAdded) continue;
      if (this.#terms.existing === "skip") taken.add(row.id);
      lines.push(copyLine([row.id, row.state, this.#isDue(row) ? "t" : "f", ...restOf(row)]));
    }
    await this.#copy(`jobs (${JOB_COLUMNS})`, lines);
  }

  #isDue({ state, run_at }: Row): boolean {
    return state === "pending" && Number(run_at) <= this.#terms.now;
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
  Partial<Pick<JobRow, "processing_started_at" | "worker_id" | "last_error">> &
  JobTerms;

const NOT_STARTED = { processing_started_at: null, worker_id: null, last_error: null };

function rowOf(item: EntryItem): Row {
  const entry = "job" in item ? item.job : item.dead_letter;
  if ("state" in entry) return { ...NOT_STARTED, ...entry };
  const { error, failed_at, ...kept } = entry;
  return { ...NOT_STARTED, ...kept, state: "dead", run_at: failed_at, updated_at: failed_at, last_error: error };
}

/** From `priority` on, as in the columns. */
function restOf(row: Omit<Row, "state">): (string | number | null)[] {
  const { priority = 0, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, ...texts } = row;
  const numbers = [priority, run_at, attempts, max_retries, created_at, updated_at, processing_started_at ?? null];
  const terms = storedTerms(row);
  const written = terms === null ? null : JSON.stringify(terms);
  return [...numbers, texts.worker_id ?? null, texts.last_error ?? null, written, texts.command];
}

function copyLine(fields: readonly (string | number | null)[]): string {
  return `${fields.map((field) => (field === null ? NULL : copyField(String(field)))).join("\t")}\n`;
}
