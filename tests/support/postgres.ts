/** The server that the tests of the PostgreSQL store share, and a place of its own on it for each of them. */
import { randomBytes } from "node:crypto";
import { PostgresServer } from "./postgres-server.ts";

let server: Promise<string> | undefined;
let schemas = 0;

/** The URL of a server: that of QUEUECTL_TEST_POSTGRES, else of one that starts at the first call. */
export async function sharedPostgres(): Promise<string> {
  server ??= start();
  return server;
}

/** A URL that names a schema which nobody uses and which is not there yet. */
export async function freshSchema(): Promise<string> {
  const url = new URL(await sharedPostgres());
  schemas += 1;
  url.searchParams.set("schema", `test_${process.pid}_${schemas}_${randomBytes(4).toString("hex")}`);
  return url.href;
}

/** A connection to the schema that the URL names, for what the program itself would not do. */
export function inSchema(urlWithSchema: string): Bun.SQL {
  const url = new URL(urlWithSchema);
  const schema = url.searchParams.get("schema") ?? "";
  url.searchParams.delete("schema");
  return new Bun.SQL({ url: url.href, max: 1, connection: { search_path: schema } });
}

/** Drops the schema that the URL names, with everything in it. */
export async function dropSchema(urlWithSchema: string): Promise<void> {
  const url = new URL(urlWithSchema);
  const schema = url.searchParams.get("schema") ?? "";
  url.searchParams.delete("schema");
  await using sql = new Bun.SQL(url.href, { max: 1 });
  await sql`drop schema if exists ${sql(schema)} cascade`.simple();
}

/** It asks for no password, which takes both sides longer than most of what is then done; others do (postgres-connection). */
async function start(): Promise<string> {
  const files = { "pg_hba.conf": "host all all 127.0.0.1/32 trust\n" };
  return process.env.QUEUECTL_TEST_POSTGRES ?? (await PostgresServer.start({ files })).url;
}
