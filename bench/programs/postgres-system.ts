/** What the programs of all contenders share: how they are timed. Each brings its own calls. Runs under Bun and Node. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresDuties } from "../stage/contender.ts";

/** A queue on PostgreSQL, by its own calls. */
export interface System {
  prepare(): Promise<void>;
  /** Adds so many jobs by one call. */
  add(count: number): Promise<void>;
  /** Takes jobs and ends them, telling how many more are done, until `done` says that it is enough. */
  work(limit: number, done: (jobs: number) => boolean): Promise<void>;
  /** Has a worker wait for jobs, by connections of its own, and tells of each that it has; resolves once it waits. */
  wait(taken: () => void): Promise<() => Promise<void>>;
  /** Adds one job, as one does who adds single ones. */
  addOne(): Promise<void>;
}

export function dutiesOf(system: System): PostgresDuties {
  return {
    prepare: () => system.prepare(),
    async add(count, batch) {
      const start = performance.now();
      for (let added = 0; added < count; added += batch) await system.add(Math.min(batch, count - added));
      return performance.now() - start;
    },
    async work({ limit, warmUpMs, ms, most }) {
      const start = performance.now();
      let [all, counted] = [0, 0];
      let since: number | undefined;
      let until = start;
      await system.work(limit, (jobs) => {
        const now = performance.now();
        all += jobs;
        if (since === undefined) {
          if (now - start >= warmUpMs) since = now;
        } else if (until - since < ms) {
          counted += jobs;
          until = now;
        }
        return all < most && (since === undefined || now - since < ms);
      });
      if (since === undefined || counted === 0) throw new Error(`Only ${all} jobs were done.`);
      return { jobs: counted, ms: until - since };
    },
    async consume(count, { limit, parts }) {
      const start = performance.now();
      const doneMs: number[] = [];
      let all = 0;
      await system.work(limit, (jobs) => {
        all += jobs;
        while (doneMs.length < parts && all >= ((doneMs.length + 1) * count) / parts) {
          doneMs.push(performance.now() - start);
        }
        return all < count;
      });
      return doneMs;
    },
    async wakeUps(count, pauses) {
      let taken = Promise.withResolvers<number>();
      const stop = await system.wait(() => taken.resolve(performance.now()));
      const ms: number[] = [];
      for (let n = 0; n < count; n++) {
        await sleep(pauses[n % pauses.length]);
        taken = Promise.withResolvers();
        const start = performance.now();
        const added = system.addOne();
        ms.push((await taken.promise) - start);
        await added;
      }
      await stop();
      return ms;
    },
  };
}
