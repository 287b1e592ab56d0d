/**
 * Takes the jobs of dead workers away from them. One runs beside each worker's loop and looks twice a second, so a death
 * is noticed within half a second, whoever is busy; where it sees nothing that could be lost it looks less often, yet often
 * enough to notice within a second the death of one that has begun something since.
 *
 * The order must not change: end what survived of an attempt, then settle it. Until its processes are gone the job stays
 * with its dead worker, however often that takes a new look. When several rescue at once, the lease lets one of them.
 */

import { reach } from "../failpoint.ts";
import { QueueError } from "../job/errors.ts";
import type { WorkerEvent } from "../job/event.ts";
import type { ProcessingJob } from "../job/job.ts";
import type { Store } from "../store/store.ts";
import { pause } from "./pause.ts";
import { endSurvivors } from "./survivors.ts";

const LOOK_EVERY_MS = 500;
/** An idle worker is woken by little else. */
const LOOK_WHEN_QUIET_EVERY_MS = 900;
/** How long one look insists on a process that does not die of KILL. */
const PATIENCE_MS = 2000;

export class Rescuer {
  readonly #store: Store;
  readonly #workerId: string;
  readonly #held: () => number;
  readonly #emit: (event: WorkerEvent) => void;
  #troubles = 0;

  /** `held` says how many jobs its own worker holds. */
  constructor(store: Store, options: { workerId: string; held: () => number; emit: (event: WorkerEvent) => void }) {
    this.#store = store;
    this.#workerId = options.workerId;
    this.#held = options.held;
    this.#emit = options.emit;
  }

  /** Looks at once and then again and again, until `until` aborts; what it is at by then it finishes. */
  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted) await pause(await this.#look(), until);
  }

  /** Returns in how many milliseconds to look again. */
  async #look(): Promise<number> {
    try {
      const lost = await this.#store.lost(this.#held());
      await Promise.all(lost.flatMap(({ workerId, jobs }) => jobs.map((job) => this.#rescue(workerId, job))));
      this.#troubles = 0;
      return this.#store.mayLose(this.#held()) ? LOOK_EVERY_MS : LOOK_WHEN_QUIET_EVERY_MS;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      // Once per trouble: the worker's own loop meets the same store and says more.
      const isNew = this.#troubles++ === 0;
      if (isNew) this.#say({ event: "store-trouble", message: error.message, retryInMs: LOOK_EVERY_MS });
      return LOOK_EVERY_MS;
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
    this.#emit({ ...event, workerId: this.#workerId } as WorkerEvent);
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
