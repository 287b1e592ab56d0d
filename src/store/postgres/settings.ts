/** The stored settings: one row each. Keys that this version does not know are left alone. */
import type { SQL } from "bun";
import { CONFIG_KEYS, type Config, type ConfigKey, parseConfigValue } from "../../config.ts";
import type { Database } from "./database.ts";

export async function readSettings(database: Database): Promise<Partial<Config>> {
  return database.ask(selectSettings);
}

export async function selectSettings(sql: SQL): Promise<Partial<Config>> {
  const rows: { key: string; value: number }[] = await sql`SELECT key, value FROM settings`;
  const stored: Partial<Record<ConfigKey, number>> = {};
  for (const { key, value } of rows) {
    const known = CONFIG_KEYS.find((one) => one === key);
    if (known !== undefined) stored[known] = parseConfigValue(known, value);
  }
  return stored;
}

/** Stores a value, or none. */
export async function writeSetting(database: Database, key: ConfigKey, value: number | undefined): Promise<void> {
  await database.transact(async (sql) => {
    if (value === undefined) await sql`DELETE FROM settings WHERE key = ${key}`;
    else await upsertSetting(sql, key, value);
    await sql`SELECT tell('work')`;
  });
}

export async function upsertSetting(sql: SQL, key: ConfigKey, value: number): Promise<void> {
  await sql`
    INSERT INTO settings (key, value) VALUES (${key}, ${value})
    ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
}
