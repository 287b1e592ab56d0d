/**
 * Takes the jobs of dead workers away from them. One runs beside each worker's loop and looks twice a second, so a death
 * is noticed within half a second, whoever is busy. While nothing runs that could be lost, and its worker is told of
 * whatever begins, there is no need to look.
 *
 * The order must not change: end what survived of an attempt, then settle it. Until its processes are gone the job stays
 * with its dead worker, however often that takes a new look. When several rescue at once, the lease lets one of them.
 */

import { reach } from "../failpoint.ts";
import { QueueError } from "../job/errors.ts";
import type { WorkerEvent } from "../job/event.ts";
import type { ProcessingJob } from "../job/job.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "./alarm.ts";
import { endSurvivors } from "./survivors.ts";

const LOOK_EVERY_MS = 500;
/** Where there is no need to, yet the dead who left nothing are to be forgotten. */
const LOOK_WHEN_QUIET_EVERY_MS = 30_000;
/** How long one look insists on a process that does not die of KILL. */
const PATIENCE_MS = 2000;

export interface RescuerOptions {
  readonly workerId: string;
  /** How many jobs its own worker holds. */
  readonly held: () => number;
  /** Whether its worker is told of whatever happens, and then calls `noticed`. */
  readonly hearsAll: () => boolean;
  readonly emit: (event: WorkerEvent) => void;
}

export class Rescuer {
  readonly #store: Store;
  readonly #options: RescuerOptions;
  readonly #alarm = new Alarm();
  #isStopped = false;
  #isQuiet = false;
  #hasNews = false;
  #troubles = 0;

  constructor(store: Store, options: RescuerOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Looks at once and then again and again, until it is stopped; what it is at by then it finishes. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      this.#alarm.reset();
      this.#hasNews = false;
      await this.#look();
      this.#isQuiet = this.#mayRest();
      await this.#alarm.sleep(this.#isQuiet ? LOOK_WHEN_QUIET_EVERY_MS : LOOK_EVERY_MS);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#alarm.ring();
  }

  /** Its worker has looked at the store: something may have happened. */
  noticed(): void {
    this.#hasNews = true;
    if (this.#isQuiet) this.#alarm.ring();
  }

  /** What came while it looked, it may have missed. */
  #mayRest(): boolean {
    const { hearsAll, held } = this.#options;
    return !this.#hasNews && this.#troubles === 0 && hearsAll() && !this.#store.mayLose(held());
  }

  async #look(): Promise<void> {
    try {
      const lost = await this.#store.lost(this.#options.held());
      await Promise.all(lost.flatMap(({ workerId, jobs }) => jobs.map((job) => this.#rescue(workerId, job))));
      this.#troubles = 0;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      // Once per trouble: the worker's own loop meets the same store and says more.
      const isNew = this.#troubles++ === 0;
      if (isNew) this.#say({ event: "store-trouble", message: error.message, retryInMs: LOOK_EVERY_MS });
    }
  }

  async #rescue(from: string, job: ProcessingJob): Promise<void> {
    const { id, lease } = job;
    reach("rescue");
    const { count, left } = await endRemains(this.#store, job);
    if (count > left) this.#say({ event: "survivors-ended", from, id, count: count - left });
    if (left > 0) return;
    reach("survivors-ended");
    const { ended } = await this.#store.settle([{ id, lease, outcome: { kind: "worker-lost", workerId: from } }]);
    reach("rescued");
    for (const change of ended) {
      // Another rescuer was first, and has said so.
      if (change.event !== "lease-lost") this.#say({ event: "job", change });
    }
  }

  #say(event: Unsigned<WorkerEvent>): void {
    this.#options.emit({ ...event, workerId: this.#options.workerId } as WorkerEvent);
  }
}

/** Ends what a dead worker left of an attempt: `count` processes were found, `left` of them live on. */
export function endRemains(
  { mark }: Store,
  { worker_id, lease }: ProcessingJob,
): Promise<{ count: number; left: number }> {
  return endSurvivors(
    { store: mark, workerId: worker_id, lease },
    { grace: AbortSignal.abort(), patience: AbortSignal.timeout(PATIENCE_MS) },
  );
}

/** An event of a worker before the worker's id is put to it. */
type Unsigned<E> = E extends { workerId: string } ? Omit<E, "workerId"> : never;
