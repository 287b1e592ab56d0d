/**
 * The PostgreSQL server that queues are measured on: one for all of them, with the same settings. It syncs what it
 * commits, and so do all who are measured.
 */
import type { Place } from "./place.ts";

/** Besides PostgreSQL's own: what one would set on a machine that is not for the database alone. */
const SETTINGS = {
  fsync: "on",
  synchronous_commit: "on",
  shared_buffers: "512MB",
  max_wal_size: "4GB",
  max_connections: "200",
};

export interface Postgres extends AsyncDisposable {
  readonly url: string;
  readonly sql: Bun.SQL;
  /** Has what is in memory written, so that it does not have to be while the next thing is measured. */
  rest(): Promise<void>;
}

/** The server of `QUEUECTL_BENCH_POSTGRES`, if that names one, else one that ends when it is disposed of. */
export async function startPostgres(place: Place): Promise<Postgres> {
  const given = process.env.QUEUECTL_BENCH_POSTGRES;
  if (given) return connect(given, async () => {});
  place.say("starting PostgreSQL");
  // It has a guard started as soon as it is imported, which nothing else needs.
  const { PostgresServer } = await import("../../tests/support/postgres-server.ts");
  const server = await PostgresServer.start({ settings: SETTINGS });
  const end = place.atEnd(() => server[Symbol.asyncDispose]());
  return connect(server.url, () => end[Symbol.asyncDispose]());
}

async function connect(url: string, end: () => PromiseLike<void>): Promise<Postgres> {
  const sql = new Bun.SQL({ url, max: 1 });
  const [{ setting }] = await sql`SELECT setting FROM pg_settings WHERE name = 'synchronous_commit'`;
  if (setting !== "on") throw new Error(`synchronous_commit is ${setting} on that server: nothing would be compared.`);
  return {
    url,
    sql,
    rest: async () => void (await sql`CHECKPOINT`),
    async [Symbol.asyncDispose]() {
      await sql.close({ timeout: 1 });
      await end();
    },
  };
}
