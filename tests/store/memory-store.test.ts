import { MemoryStore } from "../support/memory-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { storeContract } from "./contract.ts";

const logs = temporaryDirectory();

storeContract("memory", {
  open: async (options) => new MemoryStore({ ...options, logDirectory: logs.path }),
  reopen: async (store, options) => new MemoryStore({ ...options, logDirectory: logs.path }, inMemory(store)),
  kill: async (store, workerId) => inMemory(store).kill(workerId),
  logDirectory: () => logs.path,
  dispose: async () => logs[Symbol.dispose](),
});

function inMemory(store: unknown): MemoryStore {
  if (store instanceof MemoryStore) return store;
  throw new Error("not a memory store");
}
