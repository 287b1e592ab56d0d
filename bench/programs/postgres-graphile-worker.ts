/**
 * `postgres-graphile-worker <url> <schema>`: graphile-worker by `addJobs` and by its runner, which alone takes and ends
 * jobs. From two in flight on it takes and ends as many at once as are in flight, as its documentation advises for speed:
 * https://worker.graphile.org/docs/performance
 */
import { dutiesOf, type System } from "./postgres-system.ts";
import { serve } from "./serve.ts";

const TASK = "noop";

interface Utils {
  migrate(): Promise<void>;
  addJob(task: string, payload: object): Promise<unknown>;
  addJobs(jobs: readonly { identifier: string; payload: object }[]): Promise<unknown>;
  release(): Promise<void>;
}

interface GraphileWorker {
  readonly Logger: new (factory: () => () => void) => object;
  makeWorkerUtils(options: object): Promise<Utils>;
  run(options: object): Promise<{ stop(): Promise<void>; promise: Promise<void>; readonly events: Events }>;
}

interface Events {
  on(event: string, listener: () => void): void;
}

// By a name that the type checker does not look for: it is an extra of bench/package.json.
const { Logger, makeWorkerUtils, run } = (await import(String("graphile-worker"))) as GraphileWorker;
const { EventEmitter } = await import("node:events");
const [connectionString, schema] = process.argv.slice(2);
if (connectionString === undefined || schema === undefined) {
  throw new Error("Usage: postgres-graphile-worker <url> <schema>");
}
const worker = { connectionString, schema, logger: new Logger(() => () => {}) };
const utils = await makeWorkerUtils({ preset: { worker } });

const system: System = {
  prepare: () => utils.migrate(),
  async add(count) {
    await utils.addJobs(Array.from({ length: count }, () => ({ identifier: TASK, payload: { command: "true" } })));
  },
  async work(limit, done) {
    const enough = Promise.withResolvers<void>();
    const batching = limit > 1 ? { localQueue: { size: limit }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {};
    const runner = await run({
      noHandleSignals: true,
      preset: { worker: { ...worker, concurrentJobs: limit, maxPoolSize: limit + 1, ...batching } },
      taskList: {
        [TASK]: () => {
          if (!done(1)) enough.resolve();
        },
      },
    });
    await Promise.race([enough.promise, runner.promise]);
    await runner.stop();
  },
  async wait(taken) {
    const listens = Promise.withResolvers<void>();
    const events = new EventEmitter();
    events.on("pool:listen:success", () => listens.resolve());
    const runner = await run({
      noHandleSignals: true,
      preset: { worker: { ...worker, events } },
      taskList: { [TASK]: () => taken() },
    });
    await listens.promise;
    return () => runner.stop();
  },
  async addOne() {
    await utils.addJob(TASK, { command: "true" });
  },
};

serve(dutiesOf(system), { close: () => utils.release() });
