/** `postgres-queuectl <url> <schema>`: queuectl by way of its store, announced as a worker is. */
import type { ProcessingJob } from "../../src/job/job.ts";
import type { AttemptEnd } from "../../src/job/lifecycle.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { dutiesOf, type System } from "./postgres-system.ts";
import { serve } from "./serve.ts";

const IDLE_MS = 1;
/** As a worker does. */
const LOOK_FOR_LOST_MS = 1000;

const [url, schema] = process.argv.slice(2);
if (url === undefined || schema === undefined) throw new Error("Usage: postgres-queuectl <url> <schema>");
const store = await open();

const system: System = {
  prepare: () => store.probe(),
  async add(count) {
    await store.enqueue(Array.from({ length: count }, () => ({ command: "true" })));
  },
  async work(limit, done) {
    await using worker = await store.announce({ kind: "worker" });
    const rescue = setInterval(() => void store.lost(limit), LOOK_FOR_LOST_MS);
    let claimed: readonly ProcessingJob[] = [];
    for (;;) {
      const ends = claimed.map(succeeded);
      const holds = new Set(claimed.map(({ lease }) => lease));
      ({ claimed } = await store.settle(ends, { workerId: worker.id, limit, holds }));
      if (!done(ends.length)) break;
      if (claimed.length === 0) await Bun.sleep(IDLE_MS);
    }
    clearInterval(rescue);
    await store.settle(claimed.map(succeeded));
  },
  async wait(taken) {
    const own = await open();
    const worker = await own.announce({ kind: "worker" });
    const listens = Promise.withResolvers<void>();
    const look = async (): Promise<void> => {
      const { claimed } = await own.settle([], { workerId: worker.id, limit: 1 });
      for (const _ of claimed) taken();
      if (claimed.length > 0) await own.settle(claimed.map(succeeded));
    };
    const changes = own.changes(() => {
      listens.resolve();
      void look();
    }, "work");
    await listens.promise;
    return async () => {
      changes[Symbol.dispose]();
      await worker[Symbol.asyncDispose]();
      await own.close();
    };
  },
  async addOne() {
    await store.enqueue([{ command: "true" }]);
  },
};

serve(dutiesOf(system), { close: () => store.close() });

function open(): Promise<Store> {
  const address = new URL(url ?? "");
  address.searchParams.set("schema", schema ?? "");
  return openStore({
    dataDir: undefined,
    cwd: process.cwd(),
    env: { QUEUECTL_STORE: address.href },
    now: Date.now,
    random: Math.random,
    elapsed: () => performance.now(),
    warn: (sentence) => console.error(`Warning: ${sentence}`),
  });
}

function succeeded({ id, lease }: ProcessingJob): AttemptEnd {
  return { id, lease, outcome: { kind: "exited", code: 0 } };
}
