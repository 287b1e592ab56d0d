/** Brings a queue in PostgreSQL up to date, or says what that would do. */
import type { Migration, Migrator } from "../migrator.ts";
import { parseAddress } from "./address.ts";
import { Database } from "./database.ts";
import { appliedMigrations, migrate, pendingMigrations, versionOf } from "./migrations.ts";
import type { PostgresOptions } from "./open.ts";

export class PostgresMigrator implements Migrator {
  readonly location: string;
  readonly #options: PostgresOptions;

  constructor(options: PostgresOptions) {
    this.location = parseAddress(options.url, options.env).shown;
    this.#options = options;
  }

  async pending(): Promise<readonly Migration[]> {
    await using database = this.#connect();
    return pendingMigrations(versionOf(await appliedMigrations(database)), database);
  }

  async migrate(): Promise<readonly Migration[]> {
    await using database = this.#connect();
    // Who may not make tables need not, where they are made.
    const pending = pendingMigrations(versionOf(await appliedMigrations(database)), database);
    return pending.length === 0 ? [] : migrate(database);
  }

  #connect(): Database {
    const { url, env, ...rest } = this.#options;
    return new Database({ ...rest, address: parseAddress(url, env) });
  }
}
