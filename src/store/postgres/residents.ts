/**
 * Those whom new jobs have to do with, in the transaction that brings them: who has their ids and keys, whom they wait for, and
 * who waits for a job whose place they take. Nobody moves one of them on before its end. Of two that come with the same key
 * at the same moment, the index `jobs_key` refuses the later.
 */
import type { SQL } from "bun";
import type { Entry, PendingJob } from "../../job/job.ts";
import { isUnfinished, type Replacement, type UnfinishedJob, whyReplaced } from "../../job/key.ts";
import type { JobSpec } from "../../job/spec.ts";
import type { Residents } from "../residents.ts";
import { array, NO_TEXTS } from "./array.ts";
import { entryOf, type JobRow } from "./row.ts";

export async function lockResidents(sql: SQL, specs: readonly JobSpec[]): Promise<Residents> {
  const holders = await lockKeyHolders(sql, specs);
  const ids = specs.flatMap(({ id, after = [] }) => (id === undefined ? after : [id, ...after]));
  const rows: JobRow[] = await sql`SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[]) ORDER BY id FOR SHARE`;
  const entries = new Map(rows.map((row) => [row.id, entryOf(row)]));
  const isAnyReplaced = specs.some(({ if_exists }) => if_exists === "replace");
  const behind = isAnyReplaced
    ? await jobsBehind(
        sql,
        Array.from(holders.values(), ({ id }) => id),
      )
    : [];
  return {
    entry: (id) => entries.get(id),
    keyHolder: (key) => holders.get(key),
    waitersOf: (id) => behind.filter(({ waits_for }) => waits_for?.includes(id)),
  };
}

/** By key, the unfinished jobs that have those of these. */
export async function lockKeyHolders(
  sql: SQL,
  wanted: readonly { readonly key?: string }[],
): Promise<Map<string, UnfinishedJob>> {
  const keys = array([...new Set(wanted.flatMap(({ key }) => key ?? []))]);
  if (keys === NO_TEXTS) return new Map();
  // By id, so that one that has to be waited for is given as it is then.
  const rows: JobRow[] = await sql`
    SELECT * FROM jobs WHERE id = ANY (ARRAY(
      SELECT id FROM jobs
      WHERE (terms->>'key') COLLATE "C" = ANY (${keys}::text[])
        AND terms->>'key' IS NOT NULL AND state IN ('pending', 'processing')
    ))
    ORDER BY id FOR UPDATE`;
  const unfinished = rows.map(entryOf).filter((entry): entry is UnfinishedJob => isUnfinished(entry));
  return new Map(unfinished.map((job) => [job.key ?? "", job]));
}

/** Has these jobs take the place of those: as `replace` in src/job/key.ts. */
export async function applyReplacements(sql: SQL, replacements: readonly Replacement[], now: number): Promise<void> {
  for (const { old, by } of replacements) {
    await sql`
      UPDATE jobs SET state = 'failed', due = false, waits_for = NULL, updated_at = ${now}, last_error = ${whyReplaced(by)}
      WHERE id = ${old.id}`;
  }
  for (const { old, by } of replacements) {
    // Of the row itself, as it is once it can be locked: the end of another may have taken something out of it meanwhile.
    await sql`
      UPDATE jobs SET waits_for = array_replace(waits_for, ${old.id}, ${by.id}), updated_at = ${now}
      WHERE waits_for @> ${array([old.id])}::text[]`;
  }
}

/** Those that wait for one of these, and those that wait for them, to the end. */
async function jobsBehind(sql: SQL, ids: readonly string[]): Promise<PendingJob[]> {
  const rows: JobRow[] = await sql`
    WITH RECURSIVE behind AS (
      SELECT id FROM jobs WHERE waits_for && ${array(ids)}::text[]
      UNION SELECT jobs.id FROM behind JOIN jobs ON waits_for @> ARRAY[behind.id]
    )
    SELECT * FROM jobs WHERE id IN (SELECT id FROM behind)`;
  return rows.map((row): Entry => entryOf(row)).filter((entry): entry is PendingJob => "waits_for" in entry);
}
