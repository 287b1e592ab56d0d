/**
 * The schedules. That an instant gives one job is the doing of the row: who fires it holds it locked, and moves it on with
 * the commit that brings the job.
 */
import type { SQL } from "bun";
import { fire, type Schedule } from "../../job/schedule.ts";
import { byName, type ScheduleBook, scheduleExists, scheduleNotFound } from "../schedule-book.ts";
import { array } from "./array.ts";
import { addFired } from "./arrival.ts";
import { type Database, stateOf } from "./database.ts";
import { entryOf, type JobRow } from "./row.ts";

const UNIQUE_VIOLATION = "23505";

interface ScheduleRow {
  readonly schedule: Schedule;
}

interface Circumstances {
  readonly now: () => number;
  readonly maxRetries: () => Promise<number>;
}

export class PostgresSchedules implements ScheduleBook {
  readonly #database: Database;
  readonly #circumstances: Circumstances;
  /** As of the last answer of the server. */
  #nextAt: number | undefined;

  constructor(database: Database, circumstances: Circumstances) {
    this.#database = database;
    this.#circumstances = circumstances;
  }

  async list(): Promise<Schedule[]> {
    return this.#database.ask(selectSchedules);
  }

  async add(schedule: Schedule, { existing = "refuse" }: { existing?: "refuse" | "replace" } = {}): Promise<void> {
    let isAskedAgain = false;
    await this.#database.transact(async (sql) => {
      const [there]: ScheduleRow[] = await sql`SELECT schedule FROM schedules WHERE name = ${schedule.name} FOR UPDATE`;
      // The answer to an earlier asking may have been lost.
      const isOurs = isAskedAgain && there !== undefined && Bun.deepEquals(there.schedule, schedule);
      isAskedAgain = true;
      if (isOurs) return;
      if (there && existing === "refuse") throw scheduleExists(schedule.name);
      await writeSchedule(sql, schedule);
      await sql`SELECT tell('work')`;
    });
  }

  async remove(name: string): Promise<void> {
    let isAskedAgain = false;
    await this.#database.transact(async (sql) => {
      const gone = await sql`DELETE FROM schedules WHERE name = ${name} RETURNING name`;
      if (gone.length === 0 && !isAskedAgain) throw scheduleNotFound(name);
      isAskedAgain = true;
    });
  }

  /** To be told when the next one is to be fired, whenever that has become known. */
  learn(nextAt: number | undefined): void {
    this.#nextAt = nextAt;
  }

  /** Has those whose time has come give their jobs. */
  async fire(): Promise<void> {
    const now = this.#circumstances.now();
    if (this.#nextAt === undefined || this.#nextAt > now) return;
    const maxRetries = await this.#circumstances.maxRetries();
    const { schema } = this.#database;
    this.#nextAt = undefined;
    const work = async (sql: SQL): Promise<void> => {
      // Whoever has one already is about to move it on.
      const due: ScheduleRow[] = await sql`
        SELECT schedule FROM schedules WHERE next_at <= ${now} ORDER BY name FOR UPDATE SKIP LOCKED`;
      for (const { schedule } of due) await fireOne(sql, schedule, { now, maxRetries, schema });
    };
    try {
      await this.#database.transact(work);
    } catch (error) {
      // Somebody has just enqueued a job of that very id. The next look sees it.
      if (stateOf(error) !== UNIQUE_VIOLATION) throw error;
    }
  }
}

export async function selectSchedules(sql: SQL): Promise<Schedule[]> {
  const rows: ScheduleRow[] = await sql`SELECT schedule FROM schedules`;
  return byName(rows.map(({ schedule }) => schedule));
}

export async function writeSchedule(sql: SQL, schedule: Schedule): Promise<void> {
  await sql`
    INSERT INTO schedules (name, next_at, schedule) VALUES (${schedule.name}, ${schedule.next_at}, ${schedule}::json)
    ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at, schedule = excluded.schedule`;
}

async function fireOne(
  sql: SQL,
  before: Schedule,
  { now, maxRetries, schema }: { now: number; maxRetries: number; schema: string },
): Promise<void> {
  // Which ids are taken is learned from a first firing, that of the last job first of all.
  const holders = new Map<string, ReturnType<typeof entryOf>>();
  for (let wanted = before.last_id === undefined ? [] : [before.last_id]; ; ) {
    for (const row of await rowsOf(sql, wanted)) holders.set(row.id, entryOf(row));
    const { schedule, jobs } = fire(before, { now, maxRetries, holderOf: (id) => holders.get(id) });
    const fresh = jobs.map(({ id }) => id).filter((id) => !wanted.includes(id));
    if (fresh.length > 0) {
      wanted = [...wanted, ...fresh];
      continue;
    }
    await addFired(sql, jobs, { now, schema });
    await writeSchedule(sql, schedule);
    return;
  }
}

async function rowsOf(sql: SQL, ids: readonly string[]): Promise<JobRow[]> {
  if (ids.length === 0) return [];
  return await sql`SELECT * FROM jobs WHERE id = ANY (${array(ids)}::text[])`;
}
