/**
 * How jobs come into the table: all of a call or none. Each call has a number that is kept with its jobs: when the answer
 * to a commit was lost, it tells whether it was done.
 */
import type { SQL } from "bun";
import type { Entry, PendingJob } from "../../job/job.ts";
import type { JobSpec } from "../../job/spec.ts";
import { type Admission, type Admitted, admit } from "../admission.ts";
import { residentsById } from "../residents.ts";
import { array } from "./array.ts";
import { type Database, stateOf } from "./database.ts";
import { add, FEW, nameQueues, newCall } from "./insertion.ts";
import { UNIQUE_VIOLATION, unlessTaken } from "./once.ts";
import { applyReplacements, lockResidents } from "./residents.ts";
import { entryOf, type JobRow } from "./row.ts";
import { channelOf } from "./wakes.ts";

const COPY_MS = 600_000;

type Terms = Omit<Admission, "residents">;

/** Adds what the terms admit. Throws `E_JOB_EXISTS` as `admit` does. */
export async function enqueue(database: Database, specs: readonly JobSpec[], terms: Terms): Promise<Admitted> {
  const call = newCall();
  if (specs.some(({ after, key }) => after ?? key)) return enqueueAmong(database, specs, { ...terms, call });
  const holders = new Map<string, Entry>();
  const learn = async (ids: readonly { readonly id?: string }[]): Promise<void> => {
    for (const [id, holder] of await holdersOf(database, ids)) holders.set(id, holder);
  };
  // Mostly no id is taken. So nobody is asked first, unless what is there is to be left out, or an id stands twice anyway.
  if (terms.existing === "skip" || standsTwice(specs)) await learn(specs);
  for (;;) {
    const admitted = admit(specs, { ...terms, residents: residentsById((id) => holders.get(id)) });
    const { jobs } = admitted;
    if (jobs.length === 0) return admitted;
    try {
      await insert(database, jobs, { call, now: terms.now });
      return admitted;
    } catch (error) {
      if (stateOf(error) !== UNIQUE_VIOLATION) throw error;
      if (await database.ask((sql) => isDone(sql, call, jobs))) return admitted;
      await learn(jobs);
    }
  }
}

/**
 * As `enqueue`, of jobs that wait for others or must be the only one with their key: none of those may end between the question
 * how it is and the answer's use.
 */
async function enqueueAmong(
  database: Database,
  specs: readonly JobSpec[],
  { call, ...terms }: Terms & { call: string },
): Promise<Admitted> {
  let admitted: Admitted | undefined;
  const work = async (sql: SQL): Promise<Admitted> => {
    if (admitted?.jobs.length && (await isDone(sql, call, admitted.jobs))) return admitted;
    admitted = admit(specs, { ...terms, residents: await lockResidents(sql, specs) });
    const { jobs, replacements } = admitted;
    if (jobs.length === 0) return admitted;
    await nameQueues({ ask: (question) => question(sql) }, jobs);
    await applyReplacements(sql, replacements, terms.now);
    await add(sql, jobs, { call, now: terms.now, channel: channelOf(database.schema) });
    return admitted;
  };
  return unlessTaken(() => database.transact(work, { timeoutMs: COPY_MS }));
}

/** Adds the jobs of a schedule, in the transaction that moves it on. */
export async function addFired(
  sql: SQL,
  jobs: readonly PendingJob[],
  { now, schema }: { now: number; schema: string },
): Promise<void> {
  if (jobs.length === 0) return;
  await nameQueues({ ask: (question) => question(sql) }, jobs);
  await add(sql, jobs, { call: newCall(), now, channel: channelOf(schema) });
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
