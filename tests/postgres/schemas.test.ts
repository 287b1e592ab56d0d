/** Several queues in one database, each in a schema of its own. */
import { expect, test } from "bun:test";
import { openPostgres } from "../../src/store/postgres/open.ts";
import type { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { dropSchema, freshSchema } from "../support/postgres.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

const clock = { now: Date.now, random: Math.random, elapsed: () => performance.now(), warn: () => {} };

async function open(url: string, dataDirectory: string): Promise<PostgresStore> {
  return openPostgres({ url, env: {}, dataDirectory, found: "in the environment", overrides: {}, ...clock });
}

test("two schemas of one database are two queues: neither sees jobs, workers, leases or wake-ups of the other", async () => {
  using root = temporaryDirectory();
  const urls = [await freshSchema(), await freshSchema()] as const;
  const [a, b] = await Promise.all([open(urls[0], root.path), open(urls[1], root.path)]);
  let wakes = 0;
  using _ = a.changes(() => {
    wakes += 1;
  });
  await until(() => wakes > 0, "listening to begin");

  await using worker = await b.announce({ kind: "worker" });
  for (let n = 0; n < 5; n++) await b.enqueue([{ id: `job-${n}`, command: "true" }]);
  await b.setConfig("max_retries", 7);
  expect(await a.counts()).toMatchObject({ pending: 0 });
  expect(await a.present()).toEqual([]);
  expect(await a.settle([], { workerId: "worker-1", limit: 10 })).toMatchObject({ claimed: [] });
  expect((await a.config()).max_retries).toBe(3);
  expect(a.mark).not.toEqual(b.mark);

  // What is told comes in the order of the commits: if any of the other's were to come, it would be here before this.
  expect(wakes).toBe(1);
  await a.enqueue([{ id: "job-0", command: "true" }]);
  await until(() => wakes > 1, "a wake-up");
  expect(wakes).toBe(2);
  for (const store of [a, b]) {
    expect((await store.settle([], { workerId: worker.id, limit: 1 })).claimed).toMatchObject([
      { id: "job-0", lease: 1 },
    ]);
  }

  await Promise.all([a.close(), b.close()]);
  await Promise.all(urls.map(dropSchema));
});
