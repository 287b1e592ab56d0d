/** What is read of the tables as a whole. */
import type { SQL } from "bun";
import type { CompletedJob, DeadLetter, Entry, Job, JobState } from "../../job/job.ts";
import type { Counts } from "../store.ts";
import { array } from "./array.ts";
import type { Database } from "./database.ts";
import { type ArchivedRow, completedOf, deadLetterOf, entryOf, type JobRow, jobOf } from "./row.ts";

const ARCHIVED_A_BATCH = 5000;

/** In the order they were enqueued; all states when none is named. */
export async function readJobs(database: Database, state?: JobState): Promise<Job[]> {
  const rows: JobRow[] = await database.ask((sql) =>
    state === undefined
      ? sql`SELECT * FROM jobs WHERE state <> 'dead' ORDER BY place`
      : sql`SELECT * FROM jobs WHERE state = ${state} ORDER BY place`,
  );
  return rows.map(jobOf);
}

/** Oldest first. */
export async function readDeadLetters(database: Database): Promise<DeadLetter[]> {
  const rows: JobRow[] = await database.ask((sql) => sql`SELECT * FROM jobs WHERE state = 'dead' ORDER BY place`);
  return rows.map(deadLetterOf);
}

export async function readCounts(database: Database): Promise<Counts> {
  const [row] = await database.ask(
    (sql) => sql`
      SELECT archived, (
        SELECT json_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM jobs GROUP BY state) AS s
      ) AS counts FROM queue`,
  );
  const archived = Number(row.archived);
  const { pending = 0, processing = 0, completed = 0, failed = 0, dead = 0 } = row.counts ?? {};
  return { pending, processing, completed: completed + archived, archived, failed, dead };
}

export async function readEntries(database: Database, ids: readonly string[]): Promise<Entry[]> {
  if (ids.length === 0) return [];
  const rows: JobRow[] = await database.ask((sql) => sql`SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[])`);
  return rows.map(entryOf);
}

/** A batch at a time, in the order in which they were archived. */
export async function* readArchive(database: Database): AsyncGenerator<readonly CompletedJob[]> {
  for (let last = "0"; ; ) {
    const rows: (ArchivedRow & { place: string })[] = await database.ask(
      (sql) => sql`SELECT * FROM archive WHERE place > ${last} ORDER BY place LIMIT ${ARCHIVED_A_BATCH}`,
    );
    if (rows.length === 0) return;
    yield rows.map(completedOf);
    last = rows.at(-1)?.place ?? last;
  }
}

/** Of the longest commands there are, so many are some 60 MB. */
const ROWS_A_BATCH = 500;

/** All rows of a query, through a cursor of the transaction: no more than a batch is in memory. Whether all were taken. */
export async function fetchAll<Row>(
  sql: SQL,
  query: string,
  take: (rows: Row[]) => Promise<boolean>,
): Promise<boolean> {
  await sql.unsafe(`DECLARE everything NO SCROLL CURSOR FOR ${query}`);
  let rows: Row[];
  do {
    rows = Array.from((await sql.unsafe(`FETCH ${ROWS_A_BATCH} FROM everything`)) as Iterable<Row>);
    if (rows.length > 0 && !(await take(rows))) return false;
  } while (rows.length === ROWS_A_BATCH);
  await sql.unsafe("CLOSE everything");
  return true;
}
