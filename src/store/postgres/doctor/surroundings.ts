/** What is worth a look around a queue: who is dead, and what keeps the server from cleaning its table up. */

import type { Finding } from "../../doctor.ts";
import { isRunning } from "../../local/identity.ts";
import type { Database } from "../database.ts";
import { DEAD_AFTER_MS, type PresenceRow } from "../roster.ts";

export interface Thresholds {
  /** A transaction that is open for longer is told. */
  readonly openMs: number;
  /** So many dead rows are nothing to speak of. */
  readonly deadRows: number;
  /** For so long after a vacuum, the dead are those that came since. */
  readonly vacuumedMs: number;
}

const THRESHOLDS: Thresholds = { openMs: 3_600_000, deadRows: 10_000, vacuumedMs: 3_600_000 };

export async function examineSurroundings(database: Database, limits: Thresholds = THRESHOLDS): Promise<Finding[]> {
  return [
    ...(await invalidIndexes(database)),
    ...(await deadWorkers(database)),
    ...(await deadRows(database, limits)),
    ...(await openTransactions(database, limits)),
  ];
}

/** Left so by a REINDEX or CREATE INDEX CONCURRENTLY that failed. No query uses them. */
async function invalidIndexes(database: Database): Promise<Finding[]> {
  const rows: { name: string }[] = await database.ask(
    (sql) => sql`
      SELECT i.relname AS name FROM pg_index x JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
      WHERE t.relnamespace = current_schema()::regnamespace AND NOT (indisvalid AND indisready) ORDER BY i.relname`,
  );
  return rows.map(({ name }) => ({
    severity: "damage",
    path: `index ${name}`,
    problem: `it is invalid, so nothing is found by it. REINDEX INDEX ${name};`,
    jobs: [],
  }));
}

async function deadWorkers(database: Database): Promise<Finding[]> {
  const rows: PresenceRow[] = await database.ask(
    (sql) => sql`
      SELECT *, extract(epoch FROM clock_timestamp() - renewed_at)::float8 * 1000 AS age_ms FROM presence ORDER BY id`,
  );
  return rows
    .filter((row) => !(isRunning(row) ?? row.age_ms < DEAD_AFTER_MS))
    .map(({ id, host }) =>
      concern("presence", `${id} on ${host} is dead and left its row; a worker sees to its jobs and removes it.`),
    );
}

async function deadRows(database: Database, { deadRows: few, vacuumedMs }: Thresholds): Promise<Finding[]> {
  const [row] = await database.ask(
    (sql) => sql`
      SELECT n_live_tup::float8 AS live, n_dead_tup::float8 AS dead FROM pg_stat_user_tables
      WHERE schemaname = current_schema() AND relname = 'jobs' AND n_dead_tup > greatest(n_live_tup, ${few})
        AND coalesce(greatest(last_vacuum, last_autovacuum), '-infinity')
          < clock_timestamp() - ${vacuumedMs} * interval '1 ms'`,
  );
  if (!row) return [];
  const problem = `about ${row.dead} dead rows stand beside ${row.live} live ones, and no vacuum has removed them lately.`;
  return [concern("table jobs", problem)];
}

/** What is deleted or written anew after the beginning of such a transaction cannot be removed before its end. */
async function openTransactions(database: Database, { openMs }: Thresholds): Promise<Finding[]> {
  const rows: { pid: number; application: string; open_ms: number }[] = await database.ask(
    (sql) => sql`
      SELECT pid, application_name AS application,
        extract(epoch FROM clock_timestamp() - xact_start)::float8 * 1000 AS open_ms
      FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND xact_start < clock_timestamp() - ${openMs} * interval '1 ms'
      ORDER BY xact_start`,
  );
  return rows.map(({ pid, application, open_ms }) =>
    concern(
      `backend ${pid}`,
      `a transaction of ${application || "a client without a name"} is open for ${Math.floor(open_ms / 60_000)} minutes and keeps dead rows from being removed.`,
    ),
  );
}

function concern(path: string, problem: string): Finding {
  return { severity: "concern", path, problem, jobs: [] };
}
