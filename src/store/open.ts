/** Opens the store that was chosen (choice.ts): a database, else the files of the data directory. */
import { configFromEnvironment } from "../config.ts";
import { QueueError } from "../job/errors.ts";
import { StoreChoice } from "./choice.ts";
import type { Doctor } from "./doctor.ts";
import { FilesStore } from "./files/files-store.ts";
import type { Migrator } from "./migrator.ts";
import type { PostgresOptions } from "./postgres/open.ts";
import type { Store } from "./store.ts";

export interface StoreOptions {
  /** `--data-dir`, if it was given. */
  readonly dataDir: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  readonly random: () => number;
  readonly elapsed: () => number;
  readonly warn: (sentence: string) => void;
}

/** Opens the store that the flags, the environment or the folder name. Throws what `Store` throws, and `E_USAGE`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { now, random, elapsed, warn, env } = options;
  const choice = new StoreChoice(options);
  const database = databaseOf(choice, options);
  if (database === undefined) {
    return new FilesStore(choice.directory, { now, random, elapsed, warn, overrides: configFromEnvironment(env) });
  }
  const { openPostgres } = await import("./postgres/open.ts");
  return openPostgres(database);
}

/** Opens the same store to be examined, also where it is too damaged to be used. */
export async function openDoctor(options: StoreOptions): Promise<Doctor> {
  const choice = new StoreChoice(options);
  const database = readable(() => databaseOf(choice, options));
  if (database === undefined) {
    const { FilesDoctor } = await import("./files/doctor/files-doctor.ts");
    return new FilesDoctor(choice.directory, options);
  }
  const { PostgresDoctor } = await import("./postgres/doctor/postgres-doctor.ts");
  return new PostgresDoctor(database);
}

/** Opens the same store to be brought up to date. In files there is nothing to bring: what is read there is of any version. */
export async function openMigrator(options: StoreOptions): Promise<Migrator> {
  const choice = new StoreChoice(options);
  const database = databaseOf(choice, options);
  if (database === undefined) return { location: choice.directory, pending: async () => [], migrate: async () => [] };
  const { PostgresMigrator } = await import("./postgres/postgres-migrator.ts");
  return new PostgresMigrator(database);
}

/** Undefined where the store is in files. */
function databaseOf(choice: StoreChoice, options: StoreOptions): PostgresOptions | undefined {
  const chosen = choice.database();
  const overrides = configFromEnvironment(options.env);
  return chosen && { ...options, ...chosen, dataDirectory: choice.directory, overrides };
}

/** Undefined where a config.json is not to be read: that is for the doctor of the files to tell. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof QueueError && error.code === "E_STORE_IO") return undefined;
    throw error;
  }
}
