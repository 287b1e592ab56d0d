/** What is read of the tables as a whole. */
import type { SQL } from "bun";
import type { Glance } from "../../job/foremost.ts";
import type { CompletedJob, DeadLetter, Entry, FailedJob, Job, JobState, PendingJob } from "../../job/job.ts";
import { jobNotFound } from "../admission.ts";
import type { Counts } from "../store.ts";
import { array } from "./array.ts";
import type { Database } from "./database.ts";
import { type ArchivedRow, completedOf, deadLetterOf, entryOf, type JobRow, jobOf, processingOf } from "./row.ts";

const ARCHIVED_A_BATCH = 5000;

/** Throws `E_JOB_NOT_FOUND`. */
export async function readEntry(database: Database, id: string): Promise<Entry> {
  const [row]: JobRow[] = await database.ask((sql) => sql`SELECT * FROM jobs WHERE id = ${id}`);
  if (row) return entryOf(row);
  const [queue] = await database.ask((sql) => sql`SELECT archived > 0 AS has_archive FROM queue`);
  throw jobNotFound(id, { hasArchive: queue.has_archive });
}

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

/** One statement, which sees one moment; each part of it is a short walk along an index. */
export async function readGlance(database: Database, now: number, limit: number): Promise<Glance> {
  const [found]: { processing: JobRow[]; due: JobRow[]; later: JobRow[]; failures: JobRow[] }[] = await database.ask(
    (sql) => sql`
      SELECT
        (SELECT coalesce(json_agg(p), '[]') FROM (
          SELECT * FROM jobs WHERE state = 'processing' ORDER BY processing_started_at, place LIMIT ${limit}
        ) p) AS processing,
        (SELECT coalesce(json_agg(d), '[]') FROM (
          SELECT found.* FROM queues q CROSS JOIN LATERAL (
            SELECT * FROM jobs WHERE due AND queue = q.name ORDER BY priority DESC, place LIMIT ${limit}
          ) found ORDER BY priority DESC, place LIMIT ${limit}
        ) d) AS due,
        (SELECT coalesce(json_agg(l), '[]') FROM (
          SELECT found.* FROM queues q CROSS JOIN LATERAL (
            SELECT * FROM jobs WHERE state = 'pending' AND NOT due AND waits_for IS NULL AND queue = q.name
            ORDER BY run_at LIMIT ${limit}
          ) found ORDER BY run_at, place LIMIT ${limit}
        ) l) AS later,
        (SELECT coalesce(json_agg(f), '[]') FROM (
          SELECT * FROM jobs WHERE state IN ('failed', 'dead') ORDER BY updated_at DESC, place DESC LIMIT ${limit}
        ) f) AS failures`,
  );
  if (!found) throw new Error("a SELECT without FROM gives one row");
  // Some may have come due since a worker last looked: they are marked so by the next that does.
  const ripe = found.later.filter(({ run_at }) => Number(run_at) <= now);
  const due = [...found.due, ...ripe].sort((a, b) => b.priority - a.priority || Number(a.place) - Number(b.place));
  return {
    processing: found.processing.map(processingOf),
    next: [...due, ...found.later.slice(ripe.length)].slice(0, limit).map((row) => jobOf(row) as PendingJob),
    failures: found.failures.map((row) => entryOf(row) as FailedJob | DeadLetter),
  };
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
