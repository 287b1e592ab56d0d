/** New rows of the table `jobs`: a few by one statement, many by COPY. */
import type { SQL } from "bun";
import type { PendingJob } from "../../job/job.ts";
import { DEFAULT_QUEUE, queueOf } from "../../job/queue.ts";
import type { JobTerms } from "../../job/terms.ts";
import { array, NO_TEXTS } from "./array.ts";
import { copyField, NULL } from "./copy-text.ts";
import type { Database } from "./database.ts";
import { storedTerms } from "./row.ts";

/** Up to so many jobs are a few. */
export const FEW = 500;
const COPY_CHUNK = 64 * 1024;

/** What is written with the jobs of one call. */
export interface Coming {
  readonly call: string;
  readonly now: number;
  readonly channel: string;
}

/** Adds these jobs, in the statement or the transaction that `sql` stands for. */
export async function add(sql: SQL, jobs: readonly PendingJob[], coming: Coming): Promise<void> {
  if (jobs.length <= FEW) await insertFew(sql, jobs, coming);
  else await copy(sql, copyText(jobs, coming));
}

/** Claims look only at queues that are named. One that is named in vain does no harm. */
export async function nameQueues(asking: Pick<Database, "ask">, jobs: readonly JobTerms[]): Promise<void> {
  const names = array([...new Set(jobs.map(queueOf))].filter((name) => name !== DEFAULT_QUEUE));
  if (names === NO_TEXTS) return;
  await asking.ask(
    (sql) => sql`INSERT INTO queues (name) SELECT unnest(${names}::text[]) ORDER BY 1 ON CONFLICT DO NOTHING`,
  );
}

/** In one statement and no function, for a connection that was made for it alone: loading PL/pgSQL takes longer than this. */
async function insertFew(sql: SQL, jobs: readonly PendingJob[], { call, now, channel }: Coming): Promise<void> {
  const rows = jobs.map((job) => {
    const { id, priority, run_at, max_retries, waits_for, command } = job;
    return { id, queue: queueOf(job), priority, run_at, max_retries, waits_for, command, terms: storedTerms(job) };
  });
  await sql`
    WITH added AS (
      INSERT INTO jobs (
        id, state, due, queue, priority, run_at, attempts, max_retries, created_at, updated_at, call,
        waits_for, terms, command
      )
      SELECT id, 'pending', run_at <= ${now} AND waits_for IS NULL, queue, coalesce(priority, 0), run_at, 0, max_retries, ${now}, ${now}, ${call},
        waits_for, terms, command
      FROM ROWS FROM (
        json_to_recordset(${rows}::json)
          AS (
            id text, queue text, priority integer, run_at bigint, max_retries integer, waits_for text[], terms json,
            command text
          )
      ) WITH ORDINALITY AS j (id, queue, priority, run_at, max_retries, waits_for, terms, command, number)
      ORDER BY number
    )
    SELECT pg_notify(${channel}, 'work')`;
}

async function copy(sql: SQL, text: Iterable<string>): Promise<void> {
  const query = sql`
    COPY jobs (
      id, state, due, queue, priority, run_at, attempts, max_retries, created_at, updated_at, call,
      waits_for, terms, command
    )
    FROM STDIN`;
  const writer = query.writable().getWriter();
  for (const chunk of text) await writer.write(chunk);
  await writer.close();
  await query;
  await sql`SELECT tell('work')`;
}

function* copyText(jobs: readonly PendingJob[], { call, now }: { call: string; now: number }): Generator<string> {
  let chunk = "";
  for (const job of jobs) {
    const { id, run_at, priority = 0, attempts, max_retries, created_at, updated_at, waits_for, command } = job;
    const terms = storedTerms(job);
    const fields = [
      run_at <= now && waits_for === undefined ? "t" : "f",
      queueOf(job),
      priority,
      run_at,
      attempts,
      max_retries,
      created_at,
      updated_at,
      call,
    ];
    const waits = waits_for ? copyField(array(waits_for)) : NULL;
    const texts = [waits, terms === null ? NULL : copyField(JSON.stringify(terms)), copyField(command)];
    chunk += `${copyField(id)}\tpending\t${fields.join("\t")}\t${texts.join("\t")}\n`;
    if (chunk.length < COPY_CHUNK) continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

/** 63 random bits, as text. */
export function newCall(): string {
  return BigInt.asUintN(63, crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n).toString();
}
