/** The stored settings: one row each. Keys that this version does not know are left alone. */
import type { SQL } from "bun";
import { type Config, type ConfigKey, type ConfigValue, parseConfig } from "../../config.ts";
import type { Database } from "./database.ts";

export async function readSettings(database: Database): Promise<Partial<Config>> {
  return database.ask(selectSettings);
}

export async function selectSettings(sql: SQL): Promise<Partial<Config>> {
  const rows: { key: string; value: unknown }[] = await sql`SELECT key, value FROM settings`;
  return parseConfig((key) => rows.find((row) => row.key === key)?.value);
}

/** Stores a value, or none. */
export async function writeSetting(database: Database, key: ConfigKey, value: ConfigValue | undefined): Promise<void> {
  await database.transact(async (sql) => {
    if (value === undefined) await sql`DELETE FROM settings WHERE key = ${key}`;
    else await upsertSetting(sql, key, value);
    await sql`SELECT tell('work')`;
  });
}

export async function upsertSetting(sql: SQL, key: ConfigKey, value: ConfigValue): Promise<void> {
  await sql`
    INSERT INTO settings (key, value) VALUES (${key}, ${JSON.stringify(value)}::text::json)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
}
