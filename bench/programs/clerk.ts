/** `clerk <data directory>`: the process of a `Clerk`. It does what its parent asks for, one thing after the other. */
import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { ProcessingJob } from "../../src/job/job.ts";
import type { AttemptEnd } from "../../src/job/lifecycle.ts";
import type { Duties } from "../stage/clerk.ts";
import { fill, openQueue } from "../stage/queue.ts";
import { serve } from "./serve.ts";

/** Between two looks at what else there is to do: messages, and the sync that the store does every second. */
const TURNS_AT_A_STRETCH = 50;
const COMPLETED_AT_ONCE = 1000;
const ADDED_AT_ONCE = 1000;
const WAIT_MS = 1;

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("Usage: clerk <data directory>");
const store = await openQueue(directory);
const workerId = `worker-${process.pid}`;
let isToldToStop = false;

const duties: Duties = {
  load: async () => void (await store.counts()),
  fill: (count, name) => fill(store, count, name),
  async completeAll() {
    await settleWhile(COMPLETED_AT_ONCE, (claimed) => claimed > 0);
  },
  async turns(count, limit) {
    let { claimed } = await store.settle([], { workerId, limit });
    const start = performance.now();
    for (let turn = 1; turn <= count; turn++) {
      ({ claimed } = await store.settle(claimed.map(succeeded), { workerId, limit }));
      if (claimed.length !== limit) throw new Error(`Only ${claimed.length} jobs were claimed in turn ${turn}.`);
      if (turn % TURNS_AT_A_STRETCH === 0) await setImmediate();
    }
    const ms = performance.now() - start;
    await store.settle(claimed.map(succeeded));
    return ms;
  },
  async untilCheckpoints(count, { limit, leastMs }) {
    const last = generation() + count;
    const end = performance.now() + leastMs;
    for (let round = 0; generation() < last || performance.now() < end; round++) {
      await fill(store, ADDED_AT_ONCE, `round-${round}`);
      let left = ADDED_AT_ONCE;
      await settleWhile(limit, (claimed) => {
        left -= claimed;
        return left > 0;
      });
    }
  },
  async enqueueSingly(pauseMs) {
    const ms: number[] = [];
    for (isToldToStop = false; !isToldToStop; ) {
      const start = performance.now();
      await store.enqueue([{ command: "true" }]);
      ms.push(performance.now() - start);
      await Bun.sleep(pauseMs);
    }
    return ms;
  },
  async produce({ count, batch, backlog, name }) {
    for (let added = 0; added < count; added += batch) {
      while ((await store.counts()).pending > backlog) await Bun.sleep(WAIT_MS);
      await fill(store, Math.min(batch, count - added), `${name}-${added}`);
      await setImmediate();
    }
  },
  async consume(count, { limit, parts }) {
    const start = performance.now();
    const done: number[] = [];
    let left = count;
    await settleWhile(limit, (claimed) => {
      while (done.length < parts && count - left >= ((done.length + 1) * count) / parts) {
        done.push(performance.now() - start);
      }
      left -= claimed;
      return left > 0 || claimed > 0;
    });
    return done;
  },
};

serve(duties, {
  stop: () => {
    isToldToStop = true;
  },
  close: () => store.close(),
});

/** Ends what was claimed and claims anew, for as long as `goesOn` says so of how many were claimed last. */
async function settleWhile(limit: number, goesOn: (claimed: number) => boolean): Promise<void> {
  let claimed: readonly ProcessingJob[] = [];
  for (let turn = 1; ; turn++) {
    ({ claimed } = await store.settle(claimed.map(succeeded), { workerId, limit }));
    if (!goesOn(claimed.length)) break;
    if (claimed.length === 0) await Bun.sleep(WAIT_MS);
    else if (turn % TURNS_AT_A_STRETCH === 0) await setImmediate();
  }
  await store.settle(claimed.map(succeeded));
}

function succeeded({ id, lease }: ProcessingJob): AttemptEnd {
  return { id, lease, outcome: { kind: "exited", code: 0 } };
}

/** The number of the journal that is written. */
function generation(): number {
  const numbers = readdirSync(directory ?? "").flatMap((name) => /^journal\.(\d+)\.jsonl$/.exec(name)?.[1] ?? []);
  return Math.max(0, ...numbers.map(Number));
}
