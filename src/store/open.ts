/** Picks the store: today the one in files. */
import { configFromEnvironment } from "../config.ts";
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
  readonly warn: (sentence: string) => void;
}

/** Opens the store that the flags, the environment or the folder name. Throws what `Store` throws, and `E_USAGE`. */
export async function openStore({ dataDir, cwd, env, now, random, warn }: StoreOptions): Promise<Store> {
  const named = dataDir ?? (env.QUEUECTL_DATA_DIR || undefined);
  return new FilesStore(findDataDirectory(named, cwd), { now, random, warn, overrides: configFromEnvironment(env) });
}
