/**
 * The body of a `__worker` process: settle what ended and claim what is due in one commit, run it, again. With a slot
 * free and nothing due it sleeps until the store changes, the next job is due, or `worker_idle_delay` has passed.
 *
 * Invariants: what it claimed it settles, or it dies; once asked to leave it claims no more; while the store cannot be
 * used it waits and keeps what it has to settle, guarded by the lease.
 */
import { type Config, DEFAULTS } from "../config.ts";
import { reach } from "../failpoint.ts";
import { QueueError } from "../job/errors.ts";
import type { JobEvent, LeaseLost, WorkerEvent } from "../job/event.ts";
import type { Lease } from "../job/job.ts";
import type { AttemptEnd } from "../job/lifecycle.ts";
import { isDrained } from "../job/queue.ts";
import type { Announcement } from "../store/present.ts";
import type { Claimant, Store, Turn } from "../store/store.ts";
import { Alarm } from "./alarm.ts";
import { Attempts } from "./attempts.ts";
import { FailureLimit } from "./failure-limit.ts";
import { Insister } from "./insist.ts";
import { Listening } from "./listening.ts";
import { Rescuer } from "./rescuer.ts";
import { Slots } from "./slots.ts";
import { onAbort, StopRequest, tellOthers, WORKER_STOP, whenInputEnds } from "./stop-request.ts";

export interface WorkerOptions {
  /** How many jobs it runs at a time. */
  readonly concurrency: number;
  /** The queues that it takes jobs of; absent means all. */
  readonly queues?: readonly string[];
  /** The id of the one job that it runs, and no other; absent means any. */
  readonly only?: string;
  /** Leave when nothing is left that it could run, and nothing runs any more. */
  readonly drain: boolean;
  /** When so many of its jobs have failed for good, what runs is ended and no more are begun. */
  readonly maxFailures?: number;
  /** The id of the supervisor that started this process and holds the other end of its standard input. */
  readonly supervisor?: string;
  /** What is told in one call is written in one go. */
  readonly emit: (...events: WorkerEvent[]) => void;
}

/** Works until it is asked to leave, its supervisor dies, or with `drain` all is done. Throws when it cannot begin. */
export async function runWorker(store: Store, options: WorkerOptions): Promise<void> {
  using stop = new StopRequest();
  const { supervisor } = options;
  let worker: Worker | undefined;
  await using announcement = await store.announce({
    kind: "worker",
    ...(supervisor === undefined ? {} : { supervisor }),
    queues: options.only === undefined ? options.queues : [],
    onFenced: () => worker?.fence(),
    onAsked: (lease) => worker?.cancel(lease),
    onAnswered: () => worker?.insister.hurry(),
  });
  using _ = supervisor === undefined ? undefined : whenInputEnds(() => stop.ask("the death of its supervisor"));
  worker = new Worker(store, { ...options, announcement, stop });
  await worker.run();
}

class Worker {
  readonly insister = new Insister();
  readonly #store: Store;
  readonly #options: WorkerOptions & { announcement: Announcement; stop: StopRequest };
  readonly #id: string;
  readonly #claimant: Pick<Claimant, "workerId" | "queues" | "only">;
  readonly #stop: StopRequest;
  readonly #alarm = new Alarm();
  readonly #slots: Slots;
  readonly #attempts: Attempts;
  readonly #failures: FailureLimit;
  readonly #isLeaving = (): boolean => this.#stop.gently.aborted;
  readonly #listening: Listening;
  readonly #rescuer: Rescuer;

  constructor(store: Store, options: WorkerOptions & { announcement: Announcement; stop: StopRequest }) {
    this.#store = store;
    this.#options = options;
    this.#id = options.announcement.id;
    this.#stop = options.stop;
    const { queues, only } = options;
    this.#claimant = { workerId: this.#id, ...(queues && { queues }), ...(only !== undefined && { only }) };
    this.#failures = new FailureLimit(options.maxFailures);
    this.#slots = new Slots(options.concurrency, () => this.#alarm.ring());
    this.#listening = new Listening(store, {
      of: options.drain ? "anything" : "work",
      wake: () => this.#alarm.ring(),
      now: Date.now,
    });
    this.#rescuer = new Rescuer(store, {
      workerId: this.#id,
      held: () => this.#slots.taken,
      hearsAll: () => this.#listening.hearsAll,
      emit: options.emit,
    });
    this.#attempts = new Attempts(store, {
      stop: options.stop,
      isFenced: () => options.announcement.isFenced(),
      openLog: (job) => this.#insist(() => store.openLog(job), this.#isLeaving),
      config: () => this.#insist(() => store.config(), this.#isLeaving),
      killGraceMs: async () => (await this.#settings()).kill_grace,
      maxLogBytes: async () => (await this.#settings()).log_max,
    });
  }

  /** Others may give its jobs to someone else by now, so it runs none any more. They are handed back, if they still are its own. */
  fence(): void {
    if (this.#slots.running > 0) {
      this.#options.emit({ event: "fenced", workerId: this.#id, running: this.#slots.running });
    }
    this.#attempts.release({ atOnce: true });
  }

  /** Somebody wants this attempt ended. What has not begun yet, or is another's, is not: he asks again. */
  cancel(lease: Lease): void {
    this.#attempts.cancel(lease);
  }

  async run(): Promise<void> {
    onAbort(this.#stop.gently, (by) => this.#beginToLeave(by));
    onAbort(this.#stop.now, (by) => this.#endWhatRuns(by));
    const rescuing = this.#rescuer.run();
    try {
      // Both end by themselves only by throwing, or the work by being done.
      await Promise.race([this.#work(), rescuing]);
    } finally {
      this.#rescuer.stop();
      this.#listening.end();
    }
    await rescuing;
  }

  async #work(): Promise<void> {
    const { gently } = this.#stop;
    for (;;) {
      // What rang before this look is answered by it.
      this.#alarm.reset();
      const ends = await this.#slots.ended();
      const turn = await this.#turn(ends);
      this.#listening.looked();
      // Also lest it rests when from here on nothing is heard.
      this.#rescuer.noticed();
      // What could not be settled by then is given up, unless there is more to come.
      if (gently.aborted && this.#slots.taken === (turn ? 0 : ends.length)) return;
      if (gently.aborted || this.#slots.free === 0) {
        // It went from one job to the next: it is busy, and would pay for being woken at every change by anyone.
        if (ends.length > 0) this.#listening.end();
        await this.#alarm.sleep();
        continue;
      }
      if (this.#options.drain && (await this.#isAllDone(turn))) return;
      // Before it sleeps for the first time it looks once more, for what came before it listened has not woken it.
      if (this.#listening.begin()) continue;
      await this.#idle(Math.min(turn?.nextDueAt ?? Infinity, turn?.nextScheduleAt ?? Infinity));
    }
  }

  /** Undefined when the store could not be used and is not worth waiting for, as it is time to leave. */
  async #turn(ends: readonly AttemptEnd[]): Promise<Turn | undefined> {
    const { gently, now } = this.#stop;
    const limit = (): number =>
      gently.aborted || this.#failures.mayBeReachedBy(ends) ? 0 : this.#slots.free + ends.length;
    const pointless = (): boolean => ends.length === 0 && limit() === 0;
    if (pointless()) return undefined;
    const turn = await this.#insist(
      () => this.#store.settle(ends, { ...this.#claimant, limit: limit(), holds: this.#slots.leases }),
      () => now.aborted || pointless(),
    );
    if (!turn) return undefined;
    this.#slots.settled(ends.length);
    if (turn.claimed.length > 0) reach("claimed");
    for (const job of turn.claimed) this.#slots.take(job.lease, this.#attempts.run(job));
    this.#report(turn);
    if (this.#failures.isReachedBy(turn.ended)) this.#stop.insist("failures");
    return turn;
  }

  async #isAllDone(turn: Turn | undefined): Promise<boolean> {
    if (this.#slots.taken > 0 || turn?.nextDueAt !== undefined) return false;
    const queues = await this.#insist(() => this.#store.queues(), this.#isLeaving);
    return queues !== undefined && isDrained(queues, this.#options.queues);
  }

  async #idle(nextAt: number): Promise<void> {
    const { worker_idle_delay } = await this.#settings();
    // At least 1 ms, for a timer may fire just before its time: then this is one more look, not a spin.
    await this.#alarm.sleep(Math.max(1, Math.min(nextAt - Date.now(), worker_idle_delay)));
  }

  #beginToLeave(by: string): void {
    this.#alarm.ring();
    if (!this.#stop.now.aborted) this.#sayStopping(by, false);
    void tellOthers(this.#options.announcement);
    void this.#settings().then(({ shutdown_grace }) => {
      setTimeout(() => this.#stop.insist("shutdown_grace"), shutdown_grace).unref();
    });
  }

  #endWhatRuns(by: string): void {
    this.#sayStopping(by, true);
    this.#attempts.release();
  }

  /** What the supervisor passed on it has told already. */
  #sayStopping(by: string, now: boolean): void {
    if (this.#options.supervisor !== undefined && (by === WORKER_STOP || by === "SIGQUIT")) return;
    this.#options.emit({ event: "stopping", by, running: this.#slots.running, now });
  }

  #report({ ended, claimed }: Turn): void {
    const changes: (JobEvent | LeaseLost)[] = [...ended, ...claimed.map((job) => ({ event: "claimed" as const, job }))];
    if (changes.length === 0) return;
    this.#options.emit(...changes.map((change) => ({ event: "job" as const, workerId: this.#id, change })));
  }

  /** A store that cannot be read must not keep a worker from ending its jobs: then the defaults hold. */
  async #settings(): Promise<Config> {
    try {
      return await this.#store.config();
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return DEFAULTS;
    }
  }

  /** Calls the store until it answers, or `giveUp` says that the answer is not worth waiting for. */
  #insist<T>(call: () => Promise<T>, giveUp: () => boolean): Promise<T | undefined> {
    return this.insister.insist(call, {
      giveUp,
      onTrouble: ({ message }, retryInMs) =>
        this.#options.emit({ event: "store-trouble", workerId: this.#id, message, retryInMs }),
      hurry: () => this.#stop.next,
    });
  }
}
