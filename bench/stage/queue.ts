/** Queues to measure on, made by way of the store. */
import { cpSync, rmSync } from "node:fs";
import type { JobSpec } from "../../src/job/spec.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { Clerk } from "./clerk.ts";
import type { Place } from "./place.ts";

export interface Contents {
  readonly pending?: number;
  readonly completed?: number;
}

const JOBS_A_COMMIT = 10_000;

export function openQueue(directory: string): Promise<Store> {
  const warn = (sentence: string): void => console.error(`Warning: ${sentence}`);
  const elapsed = (): number => performance.now();
  const clocks = { now: Date.now, elapsed };
  return openStore({ dataDir: directory, cwd: directory, env: {}, ...clocks, random: Math.random, warn });
}

/** Adds `count` jobs `true`, named `<name>-1` and so on; durable. */
export async function fill(store: Store, count: number, name = "job"): Promise<void> {
  for (let added = 0; added < count; added += JOBS_A_COMMIT) {
    const length = Math.min(JOBS_A_COMMIT, count - added);
    await store.enqueue(
      Array.from({ length }, (_, index): JobSpec => ({ id: `${name}-${added + index + 1}`, command: "true" })),
    );
  }
}

/** A queue of its own with these jobs in it, which is removed on disposal. It is made once in a run, and copied. */
export async function queueOf(
  place: Place,
  { pending = 0, completed = 0 }: Contents,
): Promise<{ readonly directory: string } & Disposable> {
  const directory = place.fresh("queue");
  const disposable = { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
  if (pending + completed === 0) return disposable;
  const original = await place.once(`${pending}-pending-${completed}-completed`, async (path) => {
    if (pending + completed > 100_000)
      place.say(`making a queue of ${(pending + completed).toLocaleString("en")} jobs`);
    await using clerk = Clerk.start(place, path);
    await clerk.ask("fill", completed, "completed");
    await clerk.ask("completeAll");
    await clerk.ask("fill", pending, "job");
  });
  cpSync(original, directory, { recursive: true });
  // Else the first sync of whoever is measured would have to wait for these bytes, too.
  Bun.spawnSync(["sync"]);
  return disposable;
}
