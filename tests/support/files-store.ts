import { openStore, type StoreOptions } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

/** A warning is a failure unless the test listens for it. */
export function filesOptions(directory: string): StoreOptions {
  return {
    dataDir: directory,
    cwd: directory,
    env: {},
    now: Date.now,
    random: Math.random,
    elapsed: () => performance.now(),
    warn: (sentence) => {
      throw new Error(`unexpected warning: ${sentence}`);
    },
  };
}

/** Opens the files store in `directory`. */
export function openFiles(directory: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({ ...filesOptions(directory), ...options });
}
