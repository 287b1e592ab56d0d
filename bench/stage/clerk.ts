/**
 * A process of its own that works on a queue in files by way of the store, as it is told, with the runtime set up as that of a
 * worker: `programs/clerk.ts`.
 */
import { fileURLToPath } from "node:url";
import { environmentForWorkers } from "../../src/worker/job-environment.ts";
import type { Place } from "./place.ts";
import { Servant } from "./servant.ts";

/** What can be asked of it. Each is done before the next. */
export interface Duties {
  /** Reads the whole queue. */
  load(): Promise<void>;
  /** Adds `count` jobs that are called `<name>-1` and so on. */
  fill(count: number, name: string): Promise<void>;
  /** Takes and ends all jobs. */
  completeAll(): Promise<void>;
  /** Takes `limit` jobs a turn and ends them in the next, running nothing; resolves with the ms that all turns took. */
  turns(count: number, limit: number): Promise<number>;
  /** Does the same until there have been so many checkpoints, and for some time, adding a job for each that it takes. */
  untilCheckpoints(count: number, options: { limit: number; leastMs: number }): Promise<void>;
  /** Adds jobs one by one until it is told to `stop`; resolves with the ms that each took. */
  enqueueSingly(pauseMs: number): Promise<number[]>;
  /** Adds jobs, `batch` at a time, and waits whenever more than `backlog` are pending. */
  produce(jobs: { count: number; batch: number; backlog: number; name: string }): Promise<void>;
  /** Takes and ends that many jobs; resolves with the ms at which each of `parts` equal parts of them was done. */
  consume(count: number, options: { limit: number; parts: number }): Promise<number[]>;
}

export class Clerk extends Servant<Duties> {
  static start(place: Place, directory: string): Clerk {
    const program = fileURLToPath(import.meta.resolve("../programs/clerk.ts"));
    return new Clerk(place, [process.execPath, program, directory], { env: environmentForWorkers({}) });
  }
}
