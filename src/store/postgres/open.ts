/** Opens a queue in PostgreSQL: connects, and brings its schema up to date. */
import { QueueError } from "../../job/errors.ts";
import type { Address } from "../store.ts";
import { parseAddress } from "./address.ts";
import { Database } from "./database.ts";
import { isNoSuchTable, migrate, pendingMigrations } from "./migrations.ts";
import { PostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";

export interface PostgresOptions
  extends Pick<PostgresStoreOptions, "now" | "random" | "elapsed" | "warn" | "overrides"> {
  /** `postgres://user@host:5432/database?schema=name`, perhaps with a password in it. */
  readonly url: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of this machine: what attempts print goes to a directory in it. */
  readonly dataDirectory: string;
  /** The option that leads to it, where the URL stands in a data directory. */
  readonly found: "in the data directory" | "in the environment";
  /** Whose time counts (default: the database's). */
  readonly clock?: "database" | "own";
}

/** Throws `E_USAGE` for what is no such URL, and what `Store` throws. */
export async function openPostgres(options: PostgresOptions): Promise<PostgresStore> {
  const { url, env, dataDirectory, ...rest } = options;
  const address = parseAddress(url, env);
  const database = new Database({ ...rest, address });
  try {
    const { queueId, aheadMs } = await meet(database, options);
    return new PostgresStore(database, {
      ...rest,
      queueId,
      location: address.shown,
      address: addressOf(options, address.shown),
      logs: `${dataDirectory}/${queueId}/logs`,
      aheadMs,
    });
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is to be known before anything else: which queue it is, and how far the database's clock is ahead of ours. */
async function meet(
  database: Database,
  { now, elapsed, clock }: PostgresOptions,
): Promise<{ queueId: string; aheadMs: number | undefined }> {
  for (;;) {
    const askedAt = elapsed();
    const greeting = await greet(database);
    if (greeting && pendingMigrations(greeting.version, database).length === 0) {
      // The answer was on its way for half of the time that it took, as far as one can know.
      const aheadMs = clock === "own" ? undefined : greeting.now_ms - now() + (elapsed() - askedAt) / 2;
      return { queueId: greeting.id, aheadMs };
    }
    await migrate(database);
  }
}

/** In one question what takes three. Undefined where there is no queue yet. */
async function greet(database: Database): Promise<{ id: string; version: number; now_ms: number } | undefined> {
  try {
    const rows = await database.ask(
      (sql) => sql`
        SELECT id, (SELECT max(number) FROM migrations) AS version,
          extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms
        FROM queue`,
    );
    if (rows.length === 1) return rows[0];
    const message = `The table queue in ${database.location} has ${rows.length} rows instead of one.`;
    throw new QueueError("E_STORE_CORRUPT", message, { hint: "Look it over: queuectl doctor" });
  } catch (error) {
    if (isNoSuchTable(error)) return undefined;
    throw error;
  }
}

function addressOf({ found, dataDirectory }: PostgresOptions, shown: string): Address {
  return found === "in the environment"
    ? { options: [], variables: { QUEUECTL_STORE: shown } }
    : { options: ["--data-dir", dataDirectory], variables: { QUEUECTL_DATA_DIR: dataDirectory } };
}
