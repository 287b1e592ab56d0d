/** A queue that comes into PostgreSQL while answers of the server are lost. */
import { expect, test } from "bun:test";
import type { TransactionSQL } from "bun";
import type { CompletedJob } from "../../src/job/job.ts";
import { portableArchived } from "../../src/job/portable.ts";
import type { Item } from "../../src/store/item.ts";
import { parseAddress } from "../../src/store/postgres/address.ts";
import { Database } from "../../src/store/postgres/database.ts";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { restore } from "../../src/store/postgres/transfer.ts";
import type { Store } from "../../src/store/store.ts";
import { dropSchema, freshSchema } from "../support/postgres.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const times = { run_at: 1, created_at: 1, updated_at: 1 };
const job = { id: "a", command: "true", state: "pending" as const, attempts: 0, max_retries: 3, ...times };
const done: CompletedJob = { ...job, state: "completed", processing_started_at: 1, worker_id: "worker-1" };
const ITEMS: Item[] = [{ job }, { archived: portableArchived(done) }];
const clock = { now: Date.now, random: Math.random, elapsed: () => performance.now(), warn: () => {} };

/** Does its work, and is told that it has not heard of it: so it does it again. */
class Forgetful extends Database {
  override async transact<T>(work: (sql: TransactionSQL) => Promise<T>): Promise<T> {
    await super.transact(work);
    return super.transact(work);
  }
}

/** Does its work, which is undone, and does it again. */
class Interrupted extends Database {
  override async transact<T>(work: (sql: TransactionSQL) => Promise<T>): Promise<T> {
    const undone = super.transact(async (sql) => {
      await work(sql);
      throw new Error("undone");
    });
    await expect(undone).rejects.toThrow("undone");
    return super.transact(work);
  }
}

test.each([Interrupted, Forgetful])("everything is added once: %p", async (Kind) => {
  using directory = temporaryDirectory();
  const url = await freshSchema();
  const at = { url, env: {}, dataDirectory: directory.path, found: "in the environment", overrides: {} } as const;
  const store = await openPostgres({ ...clock, ...at });
  await using database = new Kind({ ...clock, address: parseAddress(url, {}) });
  const { added } = await restore(database, () => inOneBatch(ITEMS), { existing: "refuse", now: Date.now() });
  expect(added).toMatchObject({ jobs: 1, archived: 1 });
  expect(await held(store)).toEqual(ITEMS);
  expect(await store.counts()).toMatchObject({ pending: 1, archived: 1 });
  await store.close();
  await dropSchema(url);
});

async function* inOneBatch(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  yield items;
}

async function held(store: Store): Promise<Item[]> {
  const items: Item[] = [];
  await store.dump(async (batch) => {
    items.push(...batch);
    return true;
  });
  return items;
}
