/**
 * How jobs come into the table: a few by one statement, many by COPY, all of a call or none. Each call has a number that
 * is kept with its jobs: when the answer to a commit was lost, it tells whether it was done.
 */
import type { SQL } from "bun";
import type { Entry, PendingJob } from "../../job/job.ts";
import type { JobSpec } from "../../job/spec.ts";
import { type Admission, admit } from "../admission.ts";
import { array } from "./array.ts";
import { type Database, stateOf } from "./database.ts";
import { entryOf, type JobRow, storedTerms } from "./row.ts";
import { channelOf } from "./wakes.ts";

const FEW = 500;
const COPY_CHUNK = 64 * 1024;
const COPY_MS = 600_000;
const UNIQUE_VIOLATION = "23505";

type Terms = Omit<Admission, "holderOf">;

/** Adds what the terms admit. Throws `E_JOB_EXISTS` as `admit` does. */
export async function enqueue(database: Database, specs: readonly JobSpec[], terms: Terms): Promise<PendingJob[]> {
  const call = newCall();
  const holders = new Map<string, Entry>();
  const learn = async (ids: readonly { readonly id?: string }[]): Promise<void> => {
    for (const [id, holder] of await holdersOf(database, ids)) holders.set(id, holder);
  };
  // Mostly no id is taken. So nobody is asked first, unless what is there is to be left out, or an id stands twice anyway.
  if (terms.existing === "skip" || standsTwice(specs)) await learn(specs);
  for (;;) {
    const jobs = admit(specs, { ...terms, holderOf: (id) => holders.get(id) });
    if (jobs.length === 0) return jobs;
    try {
      await insert(database, jobs, { call, now: terms.now });
      return jobs;
    } catch (error) {
      if (stateOf(error) !== UNIQUE_VIOLATION) throw error;
      if (await database.ask((sql) => isDone(sql, call, jobs))) return jobs;
      await learn(jobs);
    }
  }
}

function standsTwice(specs: readonly JobSpec[]): boolean {
  const ids = specs.flatMap(({ id }) => (id === undefined ? [] : [id]));
  return new Set(ids).size < ids.length;
}

async function holdersOf(database: Database, wanted: readonly { readonly id?: string }[]): Promise<Map<string, Entry>> {
  const ids = wanted.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const rows: JobRow[] = await database.ask((sql) => sql`SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[])`, {
    timeoutMs: COPY_MS,
  });
  return new Map(rows.map((row) => [row.id, entryOf(row)]));
}

/**
 * Whether an earlier asking of this call was done. One commit brought all of its jobs; some, or all, may be in the archive by
 * now. If all have been removed by hand meanwhile, it counts as not done.
 */
async function isDone(sql: SQL, call: string, jobs: readonly PendingJob[]): Promise<boolean> {
  const [first] = jobs;
  const [row] = await sql`
    SELECT EXISTS (SELECT FROM jobs WHERE id = ANY (${array(jobs.map(({ id }) => id))}::text[]) AND call = ${call})
      OR EXISTS (
        SELECT FROM archive
        WHERE id = ${first?.id} AND created_at = ${first?.created_at} AND command = ${first?.command}
      ) AS is_done`;
  return row.is_done;
}

async function insert(
  database: Database,
  jobs: readonly PendingJob[],
  { call, now }: { call: string; now: number },
): Promise<void> {
  let isAskedAgain = false;
  const unlessDone = async (sql: SQL, add: () => Promise<void>): Promise<void> => {
    // What is there already would be refused for its id; what has left already would be there once more.
    if (isAskedAgain && (await isDone(sql, call, jobs))) return;
    isAskedAgain = true;
    await add();
  };
  if (jobs.length <= FEW) {
    const channel = channelOf(database.schema);
    await database.ask((sql) => unlessDone(sql, () => insertFew(sql, jobs, { call, now, channel })));
    return;
  }
  await database.transact((sql) => unlessDone(sql, () => copy(sql, copyText(jobs, { call, now }))), {
    timeoutMs: COPY_MS,
  });
}

/** In one statement and no function, for a connection that was made for it alone: loading PL/pgSQL takes longer than this. */
async function insertFew(
  sql: SQL,
  jobs: readonly PendingJob[],
  { call, now, channel }: { call: string; now: number; channel: string },
): Promise<void> {
  const rows = jobs.map(({ id, priority, run_at, max_retries, command, ...job }) => {
    return { id, priority, run_at, max_retries, command, terms: storedTerms(job) };
  });
  await sql`
    WITH added AS (
      INSERT INTO jobs (
        id, state, due, priority, run_at, attempts, max_retries, created_at, updated_at, call, terms, command
      )
      SELECT id, 'pending', run_at <= ${now}, coalesce(priority, 0), run_at, 0, max_retries, ${now}, ${now}, ${call},
        terms, command
      FROM ROWS FROM (
        json_to_recordset(${rows}::json)
          AS (id text, priority integer, run_at bigint, max_retries integer, terms json, command text)
      ) WITH ORDINALITY AS j (id, priority, run_at, max_retries, terms, command, number)
      ORDER BY number
    )
    SELECT pg_notify(${channel}, 'work')`;
}

async function copy(sql: SQL, text: Iterable<string>): Promise<void> {
  const query = sql`
    COPY jobs (id, state, due, priority, run_at, attempts, max_retries, created_at, updated_at, call, terms, command)
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
    const { id, run_at, priority = 0, attempts, max_retries, created_at, updated_at, command } = job;
    const terms = storedTerms(job);
    const fields = [run_at <= now ? "t" : "f", priority, run_at, attempts, max_retries, created_at, updated_at, call];
    const texts = [terms === null ? NULL : copyField(JSON.stringify(terms)), copyField(command)];
    chunk += `${copyField(id)}\tpending\t${fields.join("\t")}\t${texts.join("\t")}\n`;
    if (chunk.length < COPY_CHUNK) continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** What stands for no value in the text format of COPY. */
export const NULL = "\\N";

/** The text format of COPY. */
export function copyField(text: string): string {
  return text.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

/** 63 random bits, as text. */
function newCall(): string {
  return BigInt.asUintN(63, crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n).toString();
}
