/** Picks the store: today the one in files. */
import { configFromEnvironment } from "../config.ts";
import type { Doctor } from "./doctor.ts";
import { FilesStore } from "./files/files-store.ts";
import { findDataDirectory } from "./files/layout.ts";
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
  return new FilesStore(directoryOf(options), { now, random, elapsed, warn, overrides: configFromEnvironment(env) });
}

/** Opens the same store to be examined, also where it is too damaged to be used. */
export async function openDoctor(options: StoreOptions): Promise<Doctor> {
  const { FilesDoctor } = await import("./files/doctor/files-doctor.ts");
  return new FilesDoctor(directoryOf(options), options);
}

function directoryOf({ dataDir, cwd, env }: StoreOptions): string {
  return findDataDirectory(dataDir ?? (env.QUEUECTL_DATA_DIR || undefined), cwd);
}
