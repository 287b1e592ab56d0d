/** The ids that a shell offers, asked for once. Where the tables are not there, they are not made. */
import type { KnownId, Wanted } from "../known-ids.ts";
import type { StoreOptions } from "../open.ts";
import { parseAddress } from "./address.ts";
import { array } from "./array.ts";
import { Database } from "./database.ts";

export async function readIdsFrom(
  url: string,
  { env, random, elapsed, warn }: StoreOptions,
  { states, prefix, limit }: Wanted,
): Promise<readonly KnownId[]> {
  await using database = new Database({ address: parseAddress(url, env), random, elapsed, warn });
  return await database.ask(
    (sql) => sql`
      SELECT id, state, command FROM jobs
      WHERE state = ANY (${array(states)}::text[]) AND starts_with(id, ${prefix}) ORDER BY place DESC LIMIT ${limit}`,
    { patienceMs: 0 },
  );
}
