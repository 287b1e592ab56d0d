/**
 * The schema of the queue, in numbered steps that are part of this program (`db/migrations`). Each is applied once and
 * never changed afterwards; what was applied is kept in the table `migrations`, with a hash of it and with what the schema was
 * made of then (catalog.ts), so that a difference shows.
 */

import type { SQL } from "bun";
import queue from "../../../db/migrations/0001-queue.sql" with { type: "text" };
import { QueueError } from "../../job/errors.ts";
import type { Migration } from "../migrator.ts";
import { type Described, describeSchema } from "./catalog.ts";
import { type Database, stateOf } from "./database.ts";

export const MIGRATIONS: readonly Migration[] = [{ number: 1, name: "0001-queue.sql", sql: queue }];

/** Any number that no other program on the same database uses. */
const ADVISORY_LOCK = 7_118_305_221;
const MIGRATING_MS = 600_000;

export interface Applied {
  readonly number: number;
  readonly name: string;
  readonly sum: string;
  /** Everything the schema held when it had been applied. */
  readonly made: readonly Described[];
}

/** What has been applied, in order; nothing where there is no queue yet. */
export async function appliedMigrations(database: Database): Promise<Applied[]> {
  try {
    return await database.ask(readApplied);
  } catch (error) {
    if (isNoSuchTable(error)) return [];
    throw error;
  }
}

/** Zero where there is no queue yet. */
export function versionOf(applied: readonly Applied[]): number {
  return applied.at(-1)?.number ?? 0;
}

/** Those to be applied to a schema of this version. Throws `E_STORE_VERSION` for one that a newer program made. */
export function pendingMigrations(version: number, { location }: Database): Migration[] {
  if (version > MIGRATIONS.length) {
    const message = `${location} has schema version ${version}; this queuectl knows ${MIGRATIONS.length}.`;
    throw new QueueError("E_STORE_VERSION", message, { hint: "It was used by a newer queuectl. Update this one." });
  }
  return MIGRATIONS.slice(version);
}

/** Brings the schema up to date and returns what was applied; one at a time, whoever comes first. */
export async function migrate(database: Database): Promise<Migration[]> {
  return database.transact(
    async (sql) => {
      await sql`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`;
      // Not "if not exists": that needs the right to make schemas also where there is one.
      const [schema] = await sql`SELECT FROM pg_namespace WHERE nspname = ${database.schema}`;
      if (!schema) await sql.unsafe(`CREATE SCHEMA "${database.schema}"`);
      await checkSchema(sql, database);
      await sql.unsafe(
        `CREATE TABLE IF NOT EXISTS "${database.schema}".migrations (
           number integer PRIMARY KEY, name text NOT NULL, sum text NOT NULL, made jsonb NOT NULL,
           applied_at timestamptz NOT NULL DEFAULT now()
         )`,
      );
      const pending = pendingMigrations(versionOf(await readApplied(sql)), database);
      for (const { number, name, sql: text } of pending) {
        await sql.unsafe(text);
        const made = await describeSchema(sql);
        await sql`
          INSERT INTO migrations (number, name, sum, made) VALUES (${number}, ${name}, ${sumOf(text)}, ${made}::jsonb)`;
      }
      return pending;
    },
    { timeoutMs: MIGRATING_MS },
  );
}

/** A pooler that drops what a connection asks for would have the tables made wherever. */
async function checkSchema(sql: SQL, { location, schema }: Database): Promise<void> {
  const [row] = await sql`SELECT current_schema() AS is`;
  if (row.is === schema) return;
  throw new QueueError("E_STORE_IO", `${location}: the connection is in the schema ${row.is}, not in ${schema}.`, {
    hint: `A pooler in between must pass search_path on. Or, for the user who connects: ALTER ROLE … SET search_path = ${schema}`,
  });
}

export function sumOf(text: string): string {
  return Bun.CryptoHasher.hash("sha256", text, "hex");
}

/** Whether it was refused because there is no queue in this schema, or no such schema. */
export function isNoSuchTable(error: unknown): boolean {
  return stateOf(error) === "42P01" || stateOf(error) === "3F000";
}

async function readApplied(sql: SQL): Promise<Applied[]> {
  return await sql`SELECT number, name, sum, made FROM migrations ORDER BY number`;
}
