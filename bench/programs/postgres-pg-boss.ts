/**
 * `postgres-pg-boss <url> <schema>`: pg-boss by its `insert`, `fetch` and `complete`, which take many jobs at once and are
 * what its own workers call. Wake-ups are as it offers them, a queue with `notify`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { dutiesOf, type System } from "./postgres-system.ts";
import { serve } from "./serve.ts";

const IDLE_MS = 1;
const QUEUE = "bench";
const NOTIFIED = "bench-notified";

interface Boss {
  on(event: "error", listen: (error: Error) => void): void;
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<void>;
  createQueue(name: string, options: { notify?: boolean }): Promise<void>;
  send(name: string, data: object): Promise<string | null>;
  insert(name: string, jobs: readonly { data: object }[]): Promise<unknown>;
  fetch(name: string, options: { batchSize: number }): Promise<{ id: string }[]>;
  complete(name: string, ids: readonly string[]): Promise<unknown>;
  work(name: string, handler: () => Promise<void>): Promise<string>;
}

// By a name that the type checker does not look for: it is an extra of bench/package.json.
const { PgBoss } = (await import(String("pg-boss"))) as { PgBoss: new (options: object) => Boss };
const [connectionString, schema] = process.argv.slice(2);
if (connectionString === undefined || schema === undefined) throw new Error("Usage: postgres-pg-boss <url> <schema>");
const boss = await start({});

const system: System = {
  prepare: () => boss.createQueue(QUEUE, {}),
  async add(count) {
    await boss.insert(
      QUEUE,
      Array.from({ length: count }, () => ({ data: { command: "true" } })),
    );
  },
  async work(limit, done) {
    for (;;) {
      const jobs = await boss.fetch(QUEUE, { batchSize: limit });
      if (jobs.length === 0) await sleep(IDLE_MS);
      else
        await boss.complete(
          QUEUE,
          jobs.map(({ id }) => id),
        );
      if (!done(jobs.length)) return;
    }
  },
  async wait(taken) {
    const own = await start({ useListenNotify: true });
    await own.createQueue(NOTIFIED, { notify: true });
    await own.work(NOTIFIED, async () => taken());
    return () => own.stop({ graceful: false });
  },
  async addOne() {
    await boss.send(NOTIFIED, { command: "true" });
  },
};

serve(dutiesOf(system), { close: () => boss.stop({ graceful: false }) });

async function start(options: object): Promise<Boss> {
  const one = new PgBoss({ connectionString, schema, ...options });
  one.on("error", (error) => console.error(`pg-boss: ${error.message}`));
  await one.start();
  return one;
}
