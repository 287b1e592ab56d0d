import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "../support/memory-store.ts";
import { storeContract } from "./contract.ts";

const logDirectory = await mkdtemp(join(tmpdir(), "queuectl-memory-store-"));

storeContract("memory", {
  open: async (options) => new MemoryStore({ ...options, logDirectory }),
  reopen: async (store, options) => new MemoryStore({ ...options, logDirectory }, inMemory(store)),
  kill: async (store, workerId) => inMemory(store).kill(workerId),
  logDirectory: () => logDirectory,
  dispose: () => rm(logDirectory, { recursive: true }),
});

function inMemory(store: unknown): MemoryStore {
  if (store instanceof MemoryStore) return store;
  throw new Error("not a memory store");
}
