import { expect, test } from "bun:test";
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

test("who holds all that runs, as of his last look, has nothing to look for", async () => {
  const now = () => 1_700_000_000_000;
  const store = await openIn(join(root.path, "quiet", "data"), { now, random: () => 0.5 });
  await store.enqueue([{ command: "true" }, { command: "true" }]);
  await store.settle([], { workerId: "worker-1", limit: 1 });
  await store.lost(1);
  expect([0, 1].map((holding) => store.mayLose(holding))).toEqual([true, false]);
  await store.close();
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
