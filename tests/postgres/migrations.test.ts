/** What keeps a migration from being applied where it should not be. */
import { expect, test } from "bun:test";
import { parseAddress } from "../../src/store/postgres/address.ts";
import { Database } from "../../src/store/postgres/database.ts";
import { migrate } from "../../src/store/postgres/migrations.ts";
import { dropSchema, freshSchema, inSchema } from "../support/postgres.ts";

const clock = { now: Date.now, random: Math.random, elapsed: () => performance.now(), warn: () => {} };

/** Is not in the schema that it asked for: so it is behind a pooler that drops `search_path`. */
class Misled extends Database {
  override get schema(): string {
    return `${super.schema}_asked`;
  }
}

test("nothing is made over a connection that is in another schema than it asked for", async () => {
  const url = await freshSchema();
  const schema = new URL(url).searchParams.get("schema") ?? "";
  await using sql = inSchema(url);
  await sql.unsafe(`CREATE SCHEMA ${schema}`);
  await using database = new Misled({ ...clock, address: parseAddress(url, {}) });
  await expect(migrate(database)).rejects.toMatchObject({
    code: "E_STORE_IO",
    message: `${database.location}: the connection is in the schema ${schema}, not in ${schema}_asked.`,
  });
  expect(await sql`SELECT FROM pg_class WHERE relnamespace = ${schema}::regnamespace`).toHaveLength(0);
  expect(await sql`SELECT FROM pg_namespace WHERE nspname = ${`${schema}_asked`}`).toHaveLength(0);
  await dropSchema(url);
});
