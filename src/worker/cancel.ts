/**
 * Cancels jobs, whatever they are doing, and is done only when none of them waits or runs any more. What waits is canceled in
 * the store. Of what runs nothing is written down: its worker is asked to end it, again and again, until the job is held
 * under that lease no more. If that worker died, what it left is ended here, as a rescuer would (rescuer.ts); and what goes
 * back to the queue on the way is canceled there. So whoever is killed in the middle of this leaves nothing half done, and
 * any number may do it at once.
 */
import { wherePossible } from "../job/alteration.ts";
import { cancel, wasCanceled } from "../job/control.ts";
import { QueueError } from "../job/errors.ts";
import { type Entry, type FailedJob, isIn, type ProcessingJob } from "../job/job.ts";
import type { Lost } from "../store/present.ts";
import type { Store } from "../store/store.ts";
import { pause } from "./pause.ts";
import { endRemains } from "./rescuer.ts";

export interface CancelReport {
  readonly canceled: readonly FailedJob[];
  /** They came to another end by themselves, or left the queue: each as it was seen last. */
  readonly ended: readonly Entry[];
  /** Their workers live where they cannot be asked from here, or are another user's. */
  readonly unreachable: readonly ProcessingJob[];
}

const LOOK_EVERY_MS = 20;
const LOOKS_AN_ASKING = 5;
const LOOKS_FOR_THE_DEAD = 25;
const WAITING_AFTER_LOOKS = 15;

/** `onWaiting` is told once what still runs, if it does not end soon. */
export async function endJobs(
  store: Store,
  jobs: readonly Entry[],
  onWaiting: (running: readonly ProcessingJob[]) => void,
): Promise<CancelReport> {
  const canceling = new Canceling(store, jobs);
  for (let looks = 0; ; looks++) {
    const running = await canceling.look();
    if (canceling.isDone) return canceling;
    if (looks % LOOKS_AN_ASKING === 0) await canceling.ask(running);
    if (looks % LOOKS_FOR_THE_DEAD === 0) await canceling.endWhatTheDeadLeft();
    if (looks === WAITING_AFTER_LOOKS) onWaiting(running);
    await pause(LOOK_EVERY_MS);
  }
}

class Canceling implements CancelReport {
  readonly canceled: FailedJob[] = [];
  readonly ended: Entry[] = [];
  readonly unreachable: ProcessingJob[] = [];
  readonly #store: Store;
  /** What may still wait or run, as it was seen last. */
  readonly #left: Map<string, Entry>;

  constructor(store: Store, jobs: readonly Entry[]) {
    this.#store = store;
    this.#left = new Map(jobs.map((job) => [job.id, job]));
  }

  get isDone(): boolean {
    return this.#left.size === 0;
  }

  /** Takes down what has come to an end, cancels what waits, and returns what runs. */
  async look(): Promise<ProcessingJob[]> {
    const found = new Map((await this.#store.entries([...this.#left.keys()])).map((entry) => [entry.id, entry]));
    for (const [id, last] of [...this.#left]) if (!found.has(id)) this.#close(last);
    for (const [id, entry] of found) this.#left.set(id, entry);
    const entries = [...this.#left.values()];
    for (const entry of entries) if (!isIn(entry, "pending") && !isIn(entry, "processing")) this.#close(entry);
    // What a worker claims before this is done runs at the next look.
    const waiting = entries.filter((entry) => isIn(entry, "pending")).map(({ id }) => id);
    for (const { job } of await this.#store.alter(waiting, wherePossible(cancel))) this.#close(job);
    return entries.filter((entry) => isIn(entry, "processing"));
  }

  async ask(running: readonly ProcessingJob[]): Promise<void> {
    for (const job of running) {
      if (await this.#store.askToEnd(job)) continue;
      this.#left.delete(job.id);
      this.unreachable.push(job);
    }
  }

  /** Another rescuer may be first: then it goes back to the queue, and is canceled there. */
  async endWhatTheDeadLeft(): Promise<void> {
    for (const { jobs } of await this.#lost()) {
      for (const job of jobs) {
        if (!this.#left.has(job.id) || (await endRemains(this.#store, job)).left > 0) continue;
        await this.#store.settle([{ id: job.id, lease: job.lease, outcome: { kind: "canceled" } }]);
      }
    }
  }

  #close(entry: Entry): void {
    this.#left.delete(entry.id);
    if (wasCanceled(entry)) this.canceled.push(entry);
    else this.ended.push(entry);
  }

  /** A store that cannot tell just now may at the next look. */
  async #lost(): Promise<Lost[]> {
    try {
      return await this.#store.lost();
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return [];
    }
  }
}
