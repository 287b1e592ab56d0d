/** The names that a shell offers, asked for once. Where the tables are not there, they are not made. */
import type { SQL } from "bun";
import { EVERY_QUEUE } from "../../job/queue.ts";
import type { KnownName, Wanted } from "../known-names.ts";
import type { StoreOptions } from "../open.ts";
import { parseAddress } from "./address.ts";
import { array } from "./array.ts";
import { Database } from "./database.ts";

export async function readNamesFrom(
  url: string,
  { env, random, elapsed, warn }: StoreOptions,
  wanted: Wanted,
): Promise<readonly KnownName[]> {
  await using database = new Database({ address: parseAddress(url, env), random, elapsed, warn });
  return await database.ask((sql) => selectNames(sql, wanted), { patienceMs: 0 });
}

async function selectNames(sql: SQL, { of, prefix, limit }: Wanted): Promise<KnownName[]> {
  if (of === "queues") {
    return await sql`
      SELECT name, '' AS about FROM queues
      WHERE name <> ${EVERY_QUEUE} AND starts_with(name, ${prefix}) ORDER BY name LIMIT ${limit}`;
  }
  if (of === "schedules") {
    return await sql`
      SELECT name, concat(schedule ->> 'cron', ': ', schedule -> 'spec' ->> 'command') AS about FROM schedules
      WHERE starts_with(name, ${prefix}) ORDER BY name LIMIT ${limit}`;
  }
  return await sql`
    SELECT id AS name, state || ': ' || command AS about FROM jobs
    WHERE state = ANY (${array(of)}::text[]) AND starts_with(id, ${prefix}) ORDER BY place DESC LIMIT ${limit}`;
}
