/** The table of queues: one row for each that has a rule or ever had a job. */
import type { SQL } from "bun";
import {
  changedRule,
  type QueueRule,
  type QueueRuleChange,
  type QueueRules,
  type QueueStatus,
} from "../../job/queue.ts";
import { rateOf, rateParts } from "../../job/rate.ts";
import type { Database } from "./database.ts";

interface RuleRow {
  readonly name: string;
  readonly concurrency: number | null;
  readonly rate_count: number | null;
  readonly rate_ms: number | null;
  readonly paused: boolean;
}

export async function readQueues(database: Database): Promise<QueueStatus[]> {
  const rows: (RuleRow & { begun: number[] | null; pending: string; waiting: string; processing: string })[] =
    await database.ask(
      (sql) => sql`
      SELECT name, concurrency, rate_count, rate_ms, array_to_json(begun) AS begun, coalesce(paused, false) AS paused,
        coalesce(pending, 0) AS pending,
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
      ...(row.rate_count === null ? {} : { begun: row.begun ?? [] }),
    }))
    .filter(
      ({ pending, processing, concurrency, rate, paused }) => concurrency || rate || paused || pending + processing > 0,
    );
}

export async function selectRules(sql: SQL): Promise<QueueRules> {
  const rows: RuleRow[] = await sql`
    SELECT name, concurrency, rate_count, rate_ms, paused FROM queues
    WHERE paused OR concurrency IS NOT NULL OR rate_count IS NOT NULL ORDER BY name`;
  return Object.fromEntries(rows.map((row) => [row.name, ruleOf(row)]));
}

export async function changeQueue(database: Database, name: string, change: QueueRuleChange): Promise<QueueRule> {
  return database.transact(async (sql) => {
    // There to be locked, so that of two changes none is lost.
    await sql`INSERT INTO queues (name) VALUES (${name}) ON CONFLICT DO NOTHING`;
    const [row]: RuleRow[] = await sql`
      SELECT name, concurrency, rate_count, rate_ms, paused FROM queues WHERE name = ${name} FOR UPDATE`;
    const rule = changedRule(row && ruleOf(row), change);
    await writeRule(sql, name, rule);
    await sql`SELECT tell('work')`;
    return rule;
  });
}

export async function writeRule(
  sql: SQL,
  name: string,
  { concurrency, rate, paused = false }: QueueRule,
): Promise<void> {
  const { count, perMs } = rate === undefined ? { count: null, perMs: null } : rateParts(rate);
  await sql`
    INSERT INTO queues (name, concurrency, rate_count, rate_ms, paused)
    VALUES (${name}, ${concurrency ?? null}, ${count}, ${perMs}, ${paused})
    ON CONFLICT (name) DO UPDATE SET concurrency = excluded.concurrency, rate_count = excluded.rate_count,
      rate_ms = excluded.rate_ms, paused = excluded.paused,
      begun = CASE WHEN excluded.rate_count IS NULL THEN '{}' ELSE queues.begun END`;
}

function ruleOf({ concurrency, rate_count: count, rate_ms: perMs, paused }: RuleRow): QueueRule {
  return {
    ...(concurrency === null ? {} : { concurrency }),
    ...(count === null || perMs === null ? {} : { rate: rateOf({ count, perMs }) }),
    ...(paused ? { paused } : {}),
  };
}
