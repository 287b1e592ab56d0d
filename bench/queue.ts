/** Queues to measure on, made by way of the store: a thousand jobs a commit. */
import type { JobSpec } from "../src/job/spec.ts";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";

export function openQueue(directory: string): Promise<Store> {
  const warn = (sentence: string): void => console.error(`Warning: ${sentence}`);
  const elapsed = (): number => performance.now();
  const clocks = { now: Date.now, elapsed };
  return openStore({ dataDir: directory, cwd: directory, env: {}, ...clocks, random: Math.random, warn });
}

/** `count` jobs `true`, durable. */
export async function fill(store: Store, count: number): Promise<void> {
  const specs = Array.from({ length: count }, (_, index): JobSpec => ({ id: `job-${index + 1}`, command: "true" }));
  await store.enqueue(specs);
}
