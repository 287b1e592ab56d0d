import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FilesStore } from "../../src/store/files/files-store.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type OpenOptions, storeContract } from "./contract.ts";

const root = temporaryDirectory();
let stores = 0;

storeContract("files", {
  open: async (options) => openIn(join(root.path, `${stores++}`, "data"), options),
  reopen: async (store, options) => openIn(store.location, options),
  kill: async (store, workerId) => {
    // A process of the same pid that started at another time: the announced one is dead, and its pid given out again.
    const path = join(store.location, "workers", `${workerId}.json`);
    const presence = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...presence, start: "0" }));
  },
  logDirectory: (store) => join(store.location, "logs"),
  dispose: async () => root[Symbol.dispose](),
});

async function openIn(directory: string, { now, random, overrides = {} }: OpenOptions): Promise<Store> {
  return new FilesStore(directory, {
    now,
    random,
    elapsed: now,
    overrides,
    warn: (sentence) => {
      throw new Error(`unexpected warning: ${sentence}`);
    },
  });
}
