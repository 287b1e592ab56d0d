/** What a selection comes to when jobs have moved on since it was made, while somebody thought about the question, say. */
import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { alter } from "../../src/cli/alter-command.ts";
import { select } from "../../src/cli/selection.ts";
import { cancel, remove, retry, retryDeadLetter } from "../../src/job/control.ts";
import { checkChanges, edit } from "../../src/job/edit.ts";
import { MemoryStore } from "../support/memory-store.ts";

const options = (given: Record<string, string>) => ({
  words: [],
  options: new Map(Object.entries(given)),
  lists: new Map(),
});

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore({ now: () => 1000, random: () => 0.5, logDirectory: tmpdir() });
  await store.enqueue(["a1", "a2", "b1"].map((id) => ({ id, command: "true", max_retries: 0 })));
  return store;
}

async function run(store: MemoryStore, code: number): Promise<void> {
  const { claimed } = await store.settle([], { workerId: "w", limit: 1 });
  await store.settle(claimed.map(({ id, lease }) => ({ id, lease, outcome: { kind: "exited", code } })));
}

test("what was found is changed only where the condition still holds", async () => {
  const store = await filled();
  await store.alter(["a1", "a2", "b1"], cancel);
  const failed = await select(store, options({ state: "failed", match: "a*" }), ["pending", "completed", "failed"]);
  await store.alter(["a1"], retry);
  expect((await alter(store, failed, remove)).map(({ job }) => job.id)).toEqual(["a2"]);
  expect((await store.list()).map(({ id, state }) => [id, state])).toEqual([
    ["b1", "failed"],
    ["a1", "pending"],
  ]);
});

test("what has left is no matter, and neither is what cannot be done any more", async () => {
  const store = await filled();
  const waiting = await select(store, options({ match: "*" }), ["pending"]);
  await store.alter(["a2"], remove);
  await run(store, 0);
  const done = await alter(store, waiting, edit(checkChanges({ priority: 1 })));
  expect(done.map(({ job }) => job.id)).toEqual(["b1"]);
});

test("dead letters are changed as long as they are dead", async () => {
  const store = await filled();
  await run(store, 1);
  await run(store, 1);
  const all = await select(store, options({ all: "" }), "dlq");
  await store.alter(["a1"], retryDeadLetter);
  expect((await alter(store, all, remove)).map(({ job }) => job.id)).toEqual(["a2"]);
  expect((await store.list()).map(({ id }) => id)).toEqual(["b1", "a1"]);
});

test("of what was named none is changed when one has moved on", async () => {
  const store = await filled();
  const named = await select(store, { words: ["b1", "a1"], options: new Map(), lists: new Map() }, ["pending"]);
  await run(store, 0);
  await expect(alter(store, named, cancel)).rejects.toThrow("Job a1 is completed");
  expect((await store.list("pending")).map(({ id }) => id)).toEqual(["a2", "b1"]);
});
