/**
 * The schema of the queue, in numbered steps that are part of this program (`db/migrations`). Each is applied once and
 * never changed afterwards; what was applied is kept in the table `migrations` with a hash, so that a difference shows.
 */

import type { SQL } from "bun";
import queue from "../../../db/migrations/0001-queue.sql" with { type: "text" };
import { QueueError } from "../../job/errors.ts";
import { type Database, stateOf } from "./database.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [{ number: 1, name: "0001-queue.sql", sql: queue }];

const NO_SUCH_TABLE = ["42P01", "3F000"];
/** Any number that is not used by another program on the same database. */
const ADVISORY_LOCK = 7_118_305_221;

export interface Applied {
  readonly number: number;
  readonly sum: string;
}

/** What has been applied, in order; nothing where there is no queue yet. */
export async function appliedMigrations(database: Database): Promise<Applied[]> {
  try {
    return await database.ask((sql) => sql`SELECT number, sum FROM migrations ORDER BY number`);
  } catch (error) {
    if (NO_SUCH_TABLE.includes(stateOf(error) ?? "")) return [];
    throw error;
  }
}

/** Those that are yet to be applied. Throws `E_STORE_VERSION` for a schema that a newer version of this program made. */
export function pendingMigrations(applied: readonly Applied[], location: string): Migration[] {
  const newest = applied.at(-1)?.number ?? 0;
  if (newest > MIGRATIONS.length) {
    throw new QueueError(
      "E_STORE_VERSION",
      `${location} has schema version ${newest}; this queuectl knows ${MIGRATIONS.length}.`,
      { hint: "It was used by a newer queuectl. Update this one." },
    );
  }
  return MIGRATIONS.slice(newest);
}

/** Brings the schema up to date and returns what was applied; one at a time, whoever comes first. */
export async function migrate(database: Database, location: string): Promise<Migration[]> {
  if (pendingMigrations(await appliedMigrations(database), location).length === 0) return [];
  return database.transact(async (sql) => {
    await sql`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`;
    await sql.unsafe(
      `CREATE SCHEMA IF NOT EXISTS ${database.schema};
       CREATE TABLE IF NOT EXISTS migrations (
         number integer PRIMARY KEY, name text NOT NULL, sum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
       )`,
    );
    const pending = pendingMigrations(await readApplied(sql), location);
    for (const { number, name, sql: text } of pending) {
      await sql.unsafe(text);
      await sql`INSERT INTO migrations (number, name, sum) VALUES (${number}, ${name}, ${sumOf(text)})`;
    }
    return pending;
  });
}

export function sumOf(text: string): string {
  return Bun.CryptoHasher.hash("sha256", text, "hex");
}

async function readApplied(sql: SQL): Promise<Applied[]> {
  return await sql`SELECT number, sum FROM migrations ORDER BY number`;
}
