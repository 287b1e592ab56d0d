/**
 * Picks the store: PostgreSQL where `QUEUECTL_STORE` or the `store` of config.json names a database, else the files of the
 * data directory. A directory that was named on the command line is not overruled by the environment.
 */
import { join } from "node:path";
import { configFromEnvironment } from "../config.ts";
import { QueueError } from "../job/errors.ts";
import { shown } from "../job/spec.ts";
import type { Doctor } from "./doctor.ts";
import { ConfigFile } from "./files/config-file.ts";
import { FilesStore } from "./files/files-store.ts";
import { findDataDirectory } from "./files/layout.ts";
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
  const directory = directoryOf(options);
  const database = databaseOf(options, directory);
  if (database === undefined) {
    return new FilesStore(directory, { now, random, elapsed, warn, overrides: configFromEnvironment(env) });
  }
  const { openPostgres } = await import("./postgres/open.ts");
  return openPostgres(database);
}

/** Opens the same store to be examined, also where it is too damaged to be used. */
export async function openDoctor(options: StoreOptions): Promise<Doctor> {
  const directory = directoryOf(options);
  const database = databaseOf(options, directory);
  if (database === undefined) {
    const { FilesDoctor } = await import("./files/doctor/files-doctor.ts");
    return new FilesDoctor(directory, options);
  }
  const { PostgresDoctor } = await import("./postgres/doctor/postgres-doctor.ts");
  return new PostgresDoctor(database);
}

/** Opens the same store to be brought up to date. In files there is nothing to bring: what is read there is of any version. */
export async function openMigrator(options: StoreOptions): Promise<Migrator> {
  const directory = directoryOf(options);
  const database = databaseOf(options, directory);
  if (database === undefined) return { location: directory, pending: async () => [], migrate: async () => [] };
  const { PostgresMigrator } = await import("./postgres/postgres-migrator.ts");
  return new PostgresMigrator(database);
}

function directoryOf({ dataDir, cwd, env }: StoreOptions): string {
  return findDataDirectory(dataDir ?? (env.QUEUECTL_DATA_DIR || undefined), cwd);
}

/** Undefined where the store is in files. */
function databaseOf(options: StoreOptions, dataDirectory: string): PostgresOptions | undefined {
  const { dataDir, env } = options;
  const named = dataDir === undefined ? env.QUEUECTL_STORE : undefined;
  const url = named || new ConfigFile(join(dataDirectory, "config.json")).store();
  if (!url) return undefined;
  if (!/^postgres(?:ql)?:/.test(url)) throw notAStore(url);
  return {
    ...options,
    url,
    dataDirectory,
    found: named ? "in the environment" : "in the data directory",
    overrides: configFromEnvironment(env),
  };
}

function notAStore(url: string): QueueError {
  return new QueueError("E_USAGE", `The store must be a PostgreSQL address, got ${shown(url.split("@").at(-1))}.`, {
    hint: "Like postgres://user@host:5432/database. Without one, the queue is in files.",
  });
}
