/** Stores that a process dies or freezes on, and what must hold of them afterwards. */
import { expect } from "bun:test";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../../src/job/job.ts";
import { type DriverEnd, DriverProcess } from "./driver-process.ts";
import { openFiles } from "./files-store.ts";
import type { Acknowledged } from "./store-driver.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** What a directory holds before. */
export type Start =
  | "nothing"
  | "a store"
  | "a store with a dead letter"
  | "a store that a worker keeps from resting"
  | "a large store"
  | "a directory of the original tool";

export const KEPT = "a store that a worker keeps from resting";
const ORIGINAL = join(import.meta.dir, "../fixtures/v0");

export async function prepared(start: Start): Promise<{ path: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(temporaryDirectory());
  if (start === "a directory of the original tool") cpSync(ORIGINAL, path, { recursive: true });
  if (start === "a store" || start === KEPT) {
    await DriverProcess.run(path, ["enqueue:a", "enqueue:b", "enqueue:c", "enqueue:d"]);
  }
  if (start === "a large store") {
    const big = ["e", "f", "g"].map((id) => `enqueue-big:${id}`);
    await DriverProcess.run(path, ["enqueue:a", "enqueue:b", "enqueue:c", "enqueue:d", ...big]);
    // Only now that it is large there is an index of its ids.
    await DriverProcess.run(path, ["enqueue:h"]);
    expect(existsSync(join(path, "ids.bin"))).toBe(true);
  }
  if (start === "a store with a dead letter") {
    const store = await openFiles(path);
    await store.enqueue([{ id: "dead", command: "false", max_retries: 0 }]);
    await store.close();
    await DriverProcess.run(path, ["claim:1", "fail"]);
  }
  if (start === KEPT) {
    const worker = stack.adopt(await openFiles(path, { warn: onlyOfTornLines }), (store) => store.close());
    const { id } = stack.use(await worker.announce({ kind: "worker" }));
    await worker.enqueue([{ id: "held", command: "true", priority: 1 }]);
    await worker.settle([], { workerId: id, limit: 1 });
  }
  const all = stack.move();
  return { path, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A worker may look just when somebody has closed a line that a driver tore, and has not set it aside yet. */
function onlyOfTornLines(sentence: string): void {
  if (!sentence.includes(" is torn, as after a crash")) throw new Error(`unexpected warning: ${sentence}`);
}

/** The store is sound, holds every acknowledged job once, and gave none of them to two. */
export async function holdTrue(directory: string, ends: readonly DriverEnd[]): Promise<void> {
  const last = await DriverProcess.run(directory, ["enqueue:last"]);
  expect(last).toMatchObject({ exitCode: 0, stderr: "" });
  const told = [...ends, last].flatMap((end) => end.acknowledged);

  const store = await openFiles(directory);
  const jobs = await store.list();
  const entries = [...jobs, ...(await store.deadLetters())];
  const ids = entries.map((entry) => entry.id);
  await store.close();

  expect(new Set(ids).size).toBe(ids.length);
  for (const acknowledged of told) if ("enqueued" in acknowledged) expect(ids).toContain(acknowledged.enqueued);
  const requeued = told.flatMap((acknowledged) => ("requeued" in acknowledged ? [acknowledged.requeued] : []));
  for (const id of requeued) expect(jobs.map((job) => job.id)).toContain(id);

  for (const acknowledged of told) if ("altered" in acknowledged) holdAltered(acknowledged, entries);

  const claims = told.flatMap((acknowledged) => ("claimed" in acknowledged ? acknowledged.claimed : []));
  expect(new Set(claims.map((claim) => claim.lease)).size).toBe(claims.length);
  expect(new Set(claims.map((claim) => claim.id)).size).toBe(claims.length);
  for (const ended of told.flatMap((acknowledged) => ("ended" in acknowledged ? acknowledged.ended : []))) {
    expect(ended.event).toBe("completed");
    expect(jobs.find((job) => job.id === ended.id)?.state).toBe("completed");
  }
}

/** No operation changes it again. */
function holdAltered({ altered, event }: Extract<Acknowledged, { altered: string }>, entries: readonly Entry[]): void {
  const entry = entries.find(({ id }) => id === altered);
  if (event === "removed") expect(entry).toBeUndefined();
  if (event === "failed") expect(entry).toMatchObject({ state: "failed", last_error: "canceled" });
  if (event === "edited") expect(entry).toMatchObject({ command: "echo edited" });
}
