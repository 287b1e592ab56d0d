/**
 * The body of a `__worker` process: settle what ended and claim the next job in one commit, run it, again. Idle, it
 * sleeps until the store changes, the next job is due, or `worker_idle_delay` has passed.
 *
 * Invariants: what it claimed it settles, or it dies; once asked to leave it claims no more; while the store cannot be
 * used it waits and keeps what it has to settle, guarded by the lease.
 */
import { type Config, resolveConfig } from "../config.ts";
import { QueueError } from "../job/errors.ts";
import type { JobEvent, LeaseLost, WorkerEvent } from "../job/event.ts";
import type { ProcessingJob } from "../job/job.ts";
import type { AttemptEnd } from "../job/lifecycle.ts";
import type { Outcome } from "../job/outcome.ts";
import type { Announcement, Store, Turn } from "../store/store.ts";
import { Alarm } from "./alarm.ts";
import { pause } from "./pause.ts";
import { Rescuer } from "./rescuer.ts";
import { type RunningCommand, runCommand } from "./run-command.ts";
import { StopRequest, WORKER_STOP } from "./stop-request.ts";

export interface WorkerOptions {
  /** Leave when nothing is pending or processing any more. */
  readonly drain: boolean;
  /** The id of the supervisor that started this process and holds the other end of its standard input. */
  readonly supervisor?: string;
  /** What is told in one call is written in one go. */
  readonly emit: (...events: WorkerEvent[]) => void;
}

const TROUBLE_MS = { first: 250, longest: 30_000 };
/** Between two looks at a store that others keep changing: a wake after a quiet time is answered at once. */
const BETWEEN_WAKES_MS = 5;

/** Works until it is asked to leave, its supervisor dies, or with `drain` all is done. Throws when it cannot begin. */
export async function runWorker(store: Store, options: WorkerOptions): Promise<void> {
  using stop = new StopRequest();
  const { supervisor } = options;
  await using announcement = await store.announce({
    kind: "worker",
    ...(supervisor === undefined ? {} : { supervisor }),
  });
  using _ = supervisor === undefined ? undefined : whenInputEnds(() => stop.ask("the death of its supervisor"));
  await new Worker(store, { ...options, announcement, stop }).run();
}

class Worker {
  readonly #store: Store;
  readonly #options: WorkerOptions & { announcement: Announcement; stop: StopRequest };
  readonly #id: string;
  readonly #stop: StopRequest;
  readonly #alarm = new Alarm();
  readonly #environment = { ...process.env };
  #running: RunningCommand | undefined;
  #held = 0;
  #listening: Disposable | undefined;

  constructor(store: Store, options: WorkerOptions & { announcement: Announcement; stop: StopRequest }) {
    this.#store = store;
    this.#options = options;
    this.#id = options.announcement.id;
    this.#stop = options.stop;
  }

  async run(): Promise<void> {
    onAbort(this.#stop.gently, (by) => this.#beginToLeave(by));
    onAbort(this.#stop.now, (by) => this.#endWhatRuns(by));
    const left = new AbortController();
    const { emit } = this.#options;
    const rescuer = new Rescuer(this.#store, { workerId: this.#id, held: () => this.#held, emit });
    const rescuing = rescuer.run(left.signal);
    try {
      // Both end by themselves only by throwing, or the work by being done.
      await Promise.race([this.#work(), rescuing]);
    } finally {
      left.abort();
      this.#listen(false);
    }
    await rescuing;
  }

  async #work(): Promise<void> {
    let ends: AttemptEnd[] = [];
    for (;;) {
      const turn = await this.#turn(ends);
      if (turn === undefined) return;
      const turnedAt = Date.now();
      if (turn.claimed.length > 0) {
        // Two jobs in a row: it is busy, and would pay for being woken at every change by anyone.
        if (ends.length > 0) this.#listen(false);
        ends = await Promise.all(turn.claimed.map((job) => this.#attempt(job)));
        continue;
      }
      ends = [];
      if (this.#stop.gently.aborted) return;
      if (this.#options.drain && turn.nextDueAt === undefined && (await this.#isAllDone())) return;
      // Before it sleeps for the first time it looks once more, for what came before it listened has not woken it.
      if (this.#listen(true)) continue;
      await this.#idle(turnedAt, turn.nextDueAt);
    }
  }

  /** Has changes of the store ring the alarm, or not. True when that is new. */
  #listen(on: boolean): boolean {
    if (on === (this.#listening !== undefined)) return false;
    this.#listening?.[Symbol.dispose]();
    this.#listening = on ? this.#store.changes(() => this.#alarm.ring()) : undefined;
    return true;
  }

  /** Undefined when it is time to leave: there is nothing to settle, or no time left to insist on it. */
  async #turn(ends: readonly AttemptEnd[]): Promise<Turn | undefined> {
    const { gently, now } = this.#stop;
    const pointless = (): boolean => gently.aborted && ends.length === 0;
    if (pointless()) return undefined;
    // What rang before this look is answered by it.
    this.#alarm.reset();
    const turn = await this.#insist(
      () => this.#store.settle(ends, gently.aborted ? undefined : { workerId: this.#id, limit: 1 }),
      () => now.aborted || pointless(),
    );
    if (turn) this.#report(turn);
    this.#held = turn?.claimed.length ?? 0;
    return turn;
  }

  async #attempt(job: ProcessingJob): Promise<AttemptEnd> {
    return { id: job.id, lease: job.lease, outcome: await this.#outcomeOf(job) };
  }

  async #outcomeOf(job: ProcessingJob): Promise<Outcome> {
    const { gently } = this.#stop;
    const logPath = await this.#insist(
      () => this.#store.openLog(job),
      () => gently.aborted,
    );
    // Asked to leave before anything was started: nobody is helped by starting it now.
    if (logPath === undefined || gently.aborted) return { kind: "released" };
    const running = runCommand(job, {
      location: this.#store.location,
      logPath,
      env: this.#environment,
      killGraceMs: async () => (await this.#settings()).kill_grace,
    });
    this.#running = running;
    const outcome = await running.outcome;
    this.#running = undefined;
    return outcome;
  }

  async #isAllDone(): Promise<boolean> {
    const counts = await this.#insist(
      () => this.#store.counts(),
      () => this.#stop.gently.aborted,
    );
    return counts !== undefined && counts.pending === 0 && counts.processing === 0;
  }

  async #idle(turnedAt: number, nextDueAt = Number.POSITIVE_INFINITY): Promise<void> {
    const { worker_idle_delay } = await this.#settings();
    // At least 1 ms, for a timer may fire just before its time: then this is one more look, not a spin.
    await this.#alarm.sleep(Math.max(1, Math.min(nextDueAt - Date.now(), worker_idle_delay)));
    const tooSoonMs = turnedAt + BETWEEN_WAKES_MS - Date.now();
    if (tooSoonMs > 0) await pause(Math.min(tooSoonMs, BETWEEN_WAKES_MS), this.#stop.gently);
  }

  #beginToLeave(by: string): void {
    this.#alarm.ring();
    if (!this.#stop.now.aborted) this.#sayStopping(by, false);
    try {
      this.#options.announcement.stopping();
    } catch (error) {
      // Others just do not see it; the leaving itself matters more.
      if (!(error instanceof QueueError)) throw error;
    }
    void this.#settings().then(({ shutdown_grace }) => {
      setTimeout(() => this.#stop.insist("shutdown_grace"), shutdown_grace).unref();
    });
  }

  #endWhatRuns(by: string): void {
    this.#sayStopping(by, true);
    this.#running?.end();
  }

  /** What the supervisor passed on it has told already. */
  #sayStopping(by: string, now: boolean): void {
    if (this.#options.supervisor !== undefined && (by === WORKER_STOP || by === "SIGQUIT")) return;
    this.#options.emit({ event: "stopping", by, running: this.#running === undefined ? 0 : 1, now });
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
      return resolveConfig({}, {});
    }
  }

  /** Calls the store until it answers, or `giveUp` says that the answer is not worth waiting for. */
  async #insist<T>(call: () => Promise<T>, giveUp: () => boolean): Promise<T | undefined> {
    for (let retryInMs = TROUBLE_MS.first; ; retryInMs = Math.min(retryInMs * 2, TROUBLE_MS.longest)) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof QueueError)) throw error;
        if (giveUp()) return undefined;
        this.#options.emit({ event: "store-trouble", workerId: this.#id, message: error.message, retryInMs });
        await pause(retryInMs, this.#stop.gently.aborted ? this.#stop.now : this.#stop.gently);
        if (giveUp()) return undefined;
      }
    }
  }
}

function onAbort(signal: AbortSignal, listener: (by: string) => void): void {
  if (signal.aborted) listener(signal.reason as string);
  else signal.addEventListener("abort", () => listener(signal.reason as string), { once: true });
}

/** The supervisor holds the other end for its life, so its death, however sudden, is an end of file here. */
function whenInputEnds(tell: () => void): Disposable {
  const reader = Bun.stdin.stream().getReader();
  let watching = true;
  const watch = async (): Promise<void> => {
    while (!(await reader.read()).done);
    if (watching) tell();
  };
  watch().catch(tell);
  return {
    [Symbol.dispose]() {
      watching = false;
      void reader.cancel();
    },
  };
}
