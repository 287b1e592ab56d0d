/**
 * A worker for one job, for where nobody else would run it. It takes no other job, and leaves when this process does: at once
 * where nothing runs, else when its attempt has ended.
 */
import { isServed, queueOf } from "../job/queue.ts";
import type { JobTerms } from "../job/terms.ts";
import type { Present } from "../store/present.ts";
import type { Store } from "../store/store.ts";
import { onAbort, type StopRequest, WORKER_STOP } from "../worker/stop-request.ts";
import { Supervisor } from "../worker/supervisor.ts";
import { quietly } from "./quiet-workers.ts";

export class OwnWorker {
  readonly #store: Store;
  readonly #id: string;
  readonly #options: { readonly now: () => number; readonly warn: (sentence: string) => void };
  readonly #stop: StopRequest;
  #running: Promise<unknown> | undefined;

  /** `stop` is what asks this process to end. */
  constructor(
    store: Store,
    id: string,
    { stop, now, warn }: { stop: StopRequest; now: () => number; warn: (sentence: string) => void },
  ) {
    this.#store = store;
    this.#id = id;
    this.#options = { now, warn };
    this.#stop = stop;
    onAbort(stop.gently, (by) => (by === WORKER_STOP ? undefined : stop.insist(by)));
  }

  /** Starts it, unless it was, or somebody else serves the queue of the job. */
  async startIfNeeded(job: JobTerms): Promise<void> {
    if (this.#running || this.#stop.gently.aborted) return;
    if ((await this.#store.present()).some((one) => serves(one, queueOf(job)))) return;
    const { now, warn } = this.#options;
    const supervisor = new Supervisor(this.#store, {
      ...{ count: 1, drain: false, now, ...quietly(warn) },
      forward: ["--only", this.#id],
    });
    this.#running = supervisor.run(this.#stop);
    // Told by whoever waits for it to leave.
    this.#running.catch(() => {});
  }

  /** Resolves when it has left; asks it to. */
  async leave(): Promise<void> {
    this.#stop.ask(WORKER_STOP);
    await this.#running;
  }
}

function serves({ kind, stopping, queues }: Present, queue: string): boolean {
  return kind === "worker" && !stopping && isServed(queue, queues);
}
