/**
 * What people have done to jobs and dead letters by hand: one transaction that holds their rows while the rule decides. Rows
 * of jobs that are processing are held, too, but never written: their workers rely on that (turn.ts).
 */
import type { SQL } from "bun";
import type { Config } from "../../config.ts";
import { type Alteration, alterationsOf, lostBy, type Rule } from "../../job/alteration.ts";
import type { Entry } from "../../job/job.ts";
import { queueOf } from "../../job/queue.ts";
import { remove as removeFile } from "../local/durable.ts";
import type { LogDirectory } from "../local/log-directory.ts";
import { array, NO_TEXTS } from "./array.ts";
import type { Database } from "./database.ts";
import { ownSettings } from "./hooks.ts";
import { nameQueues } from "./insertion.ts";
import { transactOnce, unlessTaken } from "./once.ts";
import { lockKeyHolders } from "./residents.ts";
import { changeOf, entryOf, type JobRow, storedTerms } from "./row.ts";

interface Circumstances {
  readonly rule: Rule;
  readonly now: number;
  readonly overrides: Partial<Config>;
  /** Of this machine. */
  readonly logs: LogDirectory;
}

/** Throws as `Store.alter`. */
export async function alter(
  database: Database,
  ids: readonly string[],
  { rule, now, logs, overrides }: Circumstances,
): Promise<Alteration[]> {
  if (ids.length === 0) return [];
  const own = ownSettings(overrides);
  const work = async (sql: SQL): Promise<{ done: Alteration[]; paths: string[] }> => {
    // In one order, so that of two who want the same rows one waits for the other.
    const rows: JobRow[] = await sql`
      SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[]) ORDER BY id FOR UPDATE`;
    const entries = new Map<string, Entry>(rows.map((row) => [row.id, entryOf(row)]));
    for (const [id, entry] of await waitedFor(sql, [...entries.values()])) if (!entries.has(id)) entries.set(id, entry);
    const holders = await lockKeyHolders(sql, rows.map(entryOf));
    const done = alterationsOf(ids, rule, {
      now,
      entryOf: (id) => entries.get(id),
      keyHolder: (key) => holders.get(key),
    });
    const removed = done.flatMap(({ event, job }) => (event === "removed" ? [job.id] : []));
    if (removed.length > 0) await remove(sql, removed);
    if (removed.length < done.length) await write(sql, done, now);
    const lost = array(lostBy(done, now).map(({ id }) => id));
    if (lost !== NO_TEXTS) {
      const failed = array(done.flatMap(({ event, job }) => (event === "failed" ? [job.id] : [])));
      await sql`
        SELECT fire_hooks(${failed}::text[] || tell_waiters('{}', ${lost}::text[], ${now}), ${own}::json, ${now})`;
    }
    if (done.length > 0) await sql`SELECT tell(${isWork(done) ? "work" : "change"})`;
    // Looked for as long as no other job can have these ids.
    return { done, paths: logs.pathsOf(removed) };
  };
  const { done, paths } = await unlessTaken(() => transactOnce(database, work));
  for (const path of paths) removeFile(path);
  return done;
}

/** What these are to run after, as it is until this is done. */
async function waitedFor(sql: SQL, entries: readonly Entry[]): Promise<(readonly [string, Entry])[]> {
  const ids = array(entries.flatMap(({ after = [] }) => after));
  if (ids === NO_TEXTS) return [];
  const rows: JobRow[] = await sql`SELECT * FROM jobs WHERE id = ANY (${ids}::text[]) ORDER BY id FOR SHARE`;
  return rows.map((row) => [row.id, entryOf(row)]);
}

async function write(sql: SQL, done: readonly Alteration[], now: number): Promise<void> {
  const rows = done.flatMap(({ event, job }) => {
    if (event === "removed") return [];
    const { id, command, max_retries, priority = 0 } = job;
    const waits_for = "waits_for" in job ? job.waits_for : undefined;
    const terms = { queue: queueOf(job), priority, terms: storedTerms(job), waits_for };
    return { id, command, max_retries, ...terms, to_end: event === "requeued", ...changeOf(job) };
  });
  await nameQueues({ ask: (question) => question(sql) }, rows);
  await sql`
    WITH altered AS (
      SELECT a.*, CASE WHEN a.to_end THEN nextval('places') END AS place FROM ROWS FROM (
        json_to_recordset(${rows}::json) AS (
          id text, command text, max_retries integer, queue text, priority integer, terms json, waits_for text[],
          to_end boolean, state text, run_at bigint, attempts integer, updated_at bigint, last_error text, history json,
          worker_id text
        )
      ) WITH ORDINALITY AS a (
        id, command, max_retries, queue, priority, terms, waits_for, to_end, state, run_at, attempts, updated_at, last_error,
        history, worker_id, number
      ) ORDER BY a.number
    )
    UPDATE jobs j SET state = a.state,
      due = a.state = 'pending' AND a.run_at <= ${now} AND a.waits_for IS NULL,
      place = coalesce(a.place, j.place), queue = a.queue, priority = a.priority,
      run_at = coalesce(a.run_at, j.run_at), attempts = a.attempts, max_retries = a.max_retries,
      updated_at = a.updated_at, processing_started_at = NULL,
      lease = CASE WHEN a.to_end THEN NULL ELSE j.lease END, worker_id = a.worker_id, waits_for = a.waits_for,
      last_error = a.last_error, terms = a.terms, history = a.history, command = a.command
    FROM altered a WHERE j.id = a.id`;
}

/** With the ends of what they printed: another job of the same id must not pass for having printed them. */
async function remove(sql: SQL, removed: readonly string[]): Promise<void> {
  const ids = array(removed);
  await sql`DELETE FROM jobs WHERE id = ANY (${ids}::text[])`;
  await sql`DELETE FROM output WHERE id = ANY (${ids}::text[])`;
}

/** Whether a worker may have something to do now. */
function isWork(done: readonly Alteration[]): boolean {
  return done.some(({ event, job }) => event !== "removed" && "state" in job && job.state === "pending");
}
