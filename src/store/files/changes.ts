/** Wake-ups: the file system tells when a journal or the settings change, in about a millisecond. */
import { watch } from "node:fs";
import { basename } from "node:path";
import { createDirectory } from "../local/durable.ts";
import type { Watching } from "../store.ts";
import type { Layout } from "./layout.ts";

/** Calls `wake` until disposed. Where nothing can be watched, it says so and does not. */
export function watchChanges(layout: Layout, wake: () => void, warn: (sentence: string) => void): Watching {
  try {
    createDirectory(layout.root);
    const watcher = watch(layout.root, (_event, name) => {
      if (name === null || name.startsWith("journal.") || name === basename(layout.config)) wake();
    });
    const watching = { isBlind: false, [Symbol.dispose]: () => watcher.close() };
    watcher.on("error", () => {
      watching.isBlind = true;
    });
    return watching;
  } catch (error) {
    warn(`Changes are not watched but polled for: ${(error as Error).message}.`);
    return { isBlind: true, [Symbol.dispose]: () => {} };
  }
}
