/**
 * How jobs come into the table: a few by one statement, many by COPY, all of a call or none. Each call has a number that
 * is kept with its jobs: when the answer to a commit was lost, it tells whether it was done.
 */
import type { SQL } from "bun";
import { type Entry, isDeadLetter, type PendingJob } from "../../job/job.ts";
import { DEFAULT_QUEUE, queueOf } from "../../job/queue.ts";
import type { JobSpec } from "../../job/spec.ts";
import type { JobTerms } from "../../job/terms.ts";
import { type Admission, admit, readmit } from "../admission.ts";
import { array, NO_TEXTS } from "./array.ts";
import { copyField, NULL } from "./copy-text.ts";
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
  if (specs.some(({ after }) => after)) return enqueueAfter(database, specs, { ...terms, call });
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

/** As `enqueue`, of jobs that wait for others: none of those may end between the question how it is and the answer's use. */
async function enqueueAfter(
  database: Database,
  specs: readonly JobSpec[],
  { call, ...terms }: Terms & { call: string },
): Promise<PendingJob[]> {
  const ids = specs.flatMap(({ id, after = [] }) => (id === undefined ? after : [id, ...after]));
  let jobs: PendingJob[] = [];
  const work = async (sql: SQL): Promise<PendingJob[]> => {
    if (jobs.length > 0 && (await isDone(sql, call, jobs))) return jobs;
    const rows: JobRow[] = await sql`SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[]) ORDER BY id FOR SHARE`;
    const holders = new Map(rows.map((row) => [row.id, entryOf(row)]));
    jobs = admit(specs, { ...terms, holderOf: (id) => holders.get(id) });
    await nameQueues({ ask: (question) => question(sql) }, jobs);
    await add(sql, jobs, { call, now: terms.now, channel: channelOf(database.schema) });
    return jobs;
  };
  for (;;) {
    try {
      return await database.transact(work, { timeoutMs: COPY_MS });
    } catch (error) {
      // Somebody was faster with one of the ids, and is known by the next try.
      if (stateOf(error) !== UNIQUE_VIOLATION) throw error;
    }
  }
}

/** Puts dead letters back, due now, at the end of the queue. Throws `E_JOB_NOT_FOUND` as `readmit` does. */
export async function requeue(database: Database, ids: readonly string[], now: number): Promise<PendingJob[]> {
  const call = newCall();
  let jobs: PendingJob[] = [];
  return database.transact(async (sql) => {
    const rows: JobRow[] = await sql`
      SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[]) AND (state = 'dead' OR call = ${call}) FOR UPDATE`;
    // An earlier asking of this very call was done, though its answer was lost. What became of the jobs since is no matter.
    if (rows.some((row) => row.call === call)) return jobs;
    const entries = new Map(rows.map((row) => [row.id, entryOf(row)]));
    const deadLetter = (id: string) => {
      const entry = entries.get(id);
      return entry && isDeadLetter(entry) ? entry : undefined;
    };
    jobs = readmit(ids, { deadLetter, now }).map(({ job }) => job);
    if (jobs.length === 0) return jobs;
    await sql`
      WITH back AS (
        SELECT b.*, nextval('places') AS place FROM ROWS FROM (
          json_to_recordset(${jobs}::json) AS (id text, run_at bigint, updated_at bigint, last_error text)
        ) WITH ORDINALITY AS b (id, run_at, updated_at, last_error, number) ORDER BY b.number
      )
      UPDATE jobs j SET state = 'pending', due = true, place = b.place, run_at = b.run_at, attempts = 0,
        updated_at = b.updated_at, last_error = b.last_error, call = ${call},
        processing_started_at = NULL, worker_id = NULL, lease = NULL
      FROM back b WHERE j.id = b.id`;
    await sql`SELECT tell('work')`;
    return jobs;
  });
}

function standsTwice(specs: readonly JobSpec[]): boolean {
  const ids = specs.flatMap(({ id }) => (id === undefined ? [] : [id]));
  return new Set(ids).size < ids.length;
}

async function holdersOf(database: Database, wanted: readonly { readonly id?: string }[]): Promise<Map<string, Entry>> {
  const ids = wanted.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const select = async (sql: SQL): Promise<JobRow[]> => sql`SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[])`;
  const isMany = ids.length > FEW;
  const rows = await (isMany ? database.transact(select, { timeoutMs: COPY_MS }) : database.ask(select));
  return new Map(rows.map((row) => [row.id, entryOf(row)]));
}

/**
 * Whether an earlier asking of this call was done. One commit brought all of its jobs; some may have been put back from the
 * dead letter queue by another call since, and some, or all, may be in the archive by now.
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
  await nameQueues(database, jobs);
  const unlessDone = async (sql: SQL, bring: () => Promise<void>): Promise<void> => {
    // What is there already would be refused for its id; what has left already would be there once more.
    if (isAskedAgain && (await isDone(sql, call, jobs))) return;
    isAskedAgain = true;
    await bring();
  };
  const arrival = { call, now, channel: channelOf(database.schema) };
  const work = (sql: SQL): Promise<void> => unlessDone(sql, () => add(sql, jobs, arrival));
  if (jobs.length <= FEW) await database.ask(work);
  else await database.transact(work, { timeoutMs: COPY_MS });
}

interface Coming {
  readonly call: string;
  readonly now: number;
  readonly channel: string;
}

async function add(sql: SQL, jobs: readonly PendingJob[], coming: Coming): Promise<void> {
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
function newCall(): string {
  return BigInt.asUintN(63, crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n).toString();
}
