import { openStore, type StoreOptions } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

/** Opens the files store in `directory`. A warning is a failure unless the test listens for it. */
export function openFiles(directory: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({
    dataDir: directory,
    cwd: directory,
    env: {},
    now: Date.now,
    random: Math.random,
    warn: (sentence) => {
      throw new Error(`unexpected warning: ${sentence}`);
    },
    ...options,
  });
}
