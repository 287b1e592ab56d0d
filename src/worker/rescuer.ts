/**
 * Takes the jobs of dead workers away from them. One runs beside each worker's loop and looks twice a second, so a death
 * is noticed within a second, whoever is busy.
 *
 * The order must not change: end what survived of an attempt, then settle it. Until its processes are gone the job stays
 * with its dead worker, however often that takes a new look. When several rescue at once, the lease lets one of them.
 */
import type { WorkerEvent } from "../job/event.ts";
import { reach } from "../failpoint.ts";
import { QueueError } from "../job/errors.ts";
import type { ProcessingJob } from "../job/job.ts";
import type { Store } from "../store/store.ts";
import { pause } from "./pause.ts";
import { endSurvivors } from "./survivors.ts";

const LOOK_EVERY_MS = 500;
/** Every so many looks go through the presences even if no job can be lost, to forget those who left none. */
const THOROUGH_EVERY = 20;
/** How long one look insists on a process that does not die of KILL. */
const PATIENCE_MS = 2000;

export class Rescuer {
  readonly #store: Store;
  readonly #workerId: string;
  readonly #held: () => number;
  readonly #emit: (event: WorkerEvent) => void;
  #looks = 0;
  #troubles = 0;

  /** `held` says how many jobs its own worker holds: where no others are processing, none can be lost. */
  constructor(store: Store, options: { workerId: string; held: () => number; emit: (event: WorkerEvent) => void }) {
    this.#store = store;
    this.#workerId = options.workerId;
    this.#held = options.held;
    this.#emit = options.emit;
  }

  /** Looks at once and then every half second, until `until` aborts; what it is at by then it finishes. */
  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      await this.#look();
      await pause(LOOK_EVERY_MS, until);
    }
  }

  async #look(): Promise<void> {
    try {
      const lost = (await this.#isWorthIt()) ? await this.#store.lost() : [];
      await Promise.all(lost.flatMap(({ workerId, jobs }) => jobs.map((job) => this.#rescue(workerId, job))));
      this.#troubles = 0;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      // Once per trouble: the worker's own loop meets the same store and says more.
      const isNew = this.#troubles++ === 0;
      if (isNew) this.#say({ event: "store-trouble", message: error.message, retryInMs: LOOK_EVERY_MS });
    }
  }

  /** Counting costs next to nothing, which is what an idle worker may cost; going through the presences does not. */
  async #isWorthIt(): Promise<boolean> {
    if (this.#looks++ % THOROUGH_EVERY === 0) return true;
    const { processing } = await this.#store.counts();
    return processing > this.#held();
  }

  async #rescue(from: string, job: ProcessingJob): Promise<void> {
    const { id, lease } = job;
    reach("rescue");
    const { count, left } = await endSurvivors(
      { location: this.#store.location, workerId: from, lease },
      { grace: AbortSignal.abort(), patience: AbortSignal.timeout(PATIENCE_MS) },
    );
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

/** An event of a worker before the worker's id is put to it. */
type Unsigned<E> = E extends { workerId: string } ? Omit<E, "workerId"> : never;
