/** The table of queues: one row for each that has a rule or ever had a job. */
import type { SQL } from "bun";
import {
  changedRule,
  type QueueRule,
  type QueueRuleChange,
  type QueueRules,
  type QueueStatus,
} from "../../job/queue.ts";
import type { Database } from "./database.ts";

interface RuleRow {
  readonly name: string;
  readonly concurrency: number | null;
  readonly paused: boolean;
}

export async function readQueues(database: Database): Promise<QueueStatus[]> {
  const rows: (RuleRow & { pending: string; waiting: string; processing: string })[] = await database.ask(
    (sql) => sql`
      SELECT name, concurrency, coalesce(paused, false) AS paused, coalesce(pending, 0) AS pending,
        coalesce(waiting, 0) AS waiting, coalesce(processing, 0) AS processing
      FROM queues FULL JOIN (
        SELECT queue AS name, count(*) FILTER (WHERE state = 'pending') AS pending,
          count(*) FILTER (WHERE state = 'pending' AND waits_for IS NOT NULL) AS waiting,
          count(*) FILTER (WHERE state = 'processing') AS processing
        FROM jobs WHERE state IN ('pending', 'processing') GROUP BY queue
      ) counted USING (name) ORDER BY name`,
  );
  return rows
    .map((row) => ({
      name: row.name,
      pending: Number(row.pending),
      waiting: Number(row.waiting),
      processing: Number(row.processing),
      ...ruleOf(row),
    }))
    .filter(({ pending, processing, concurrency, paused }) => concurrency || paused || pending + processing > 0);
}

export async function selectRules(sql: SQL): Promise<QueueRules> {
  const rows: RuleRow[] = await sql`
    SELECT name, concurrency, paused FROM queues WHERE paused OR concurrency IS NOT NULL ORDER BY name`;
  return Object.fromEntries(rows.map((row) => [row.name, ruleOf(row)]));
}

export async function changeQueue(database: Database, name: string, change: QueueRuleChange): Promise<QueueRule> {
  return database.transact(async (sql) => {
    // There to be locked, so that of two changes none is lost.
    await sql`INSERT INTO queues (name) VALUES (${name}) ON CONFLICT DO NOTHING`;
    const [row]: RuleRow[] = await sql`SELECT name, concurrency, paused FROM queues WHERE name = ${name} FOR UPDATE`;
    const rule = changedRule(row && ruleOf(row), change);
    await writeRule(sql, name, rule);
    await sql`SELECT tell('work')`;
    return rule;
  });
}

export async function writeRule(sql: SQL, name: string, { concurrency, paused = false }: QueueRule): Promise<void> {
  await sql`
    INSERT INTO queues (name, concurrency, paused) VALUES (${name}, ${concurrency ?? null}, ${paused})
    ON CONFLICT (name) DO UPDATE SET concurrency = excluded.concurrency, paused = excluded.paused`;
}

function ruleOf({ concurrency, paused }: RuleRow): QueueRule {
  return { ...(concurrency === null ? {} : { concurrency }), ...(paused ? { paused } : {}) };
}
