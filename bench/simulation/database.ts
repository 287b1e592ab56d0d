/**
 * One database and the workers that are connected to it, in simulated time. Of several databases each is like this one,
 * for nothing connects them: a worker works for one, and a queue is in one.
 *
 * The database does one thing after the other, in the order in which they are asked. A worker has some slots. When a job
 * ends it asks for a turn, which ends what has ended and claims as many as it has slots free; what ends meanwhile waits for
 * the next turn. With a slot free it is woken by every call that enqueues, and looks. Every two seconds it renews its
 * presence, and half a second after each second look for lost jobs it looks again. Whoever finds a lost job ends it, by
 * a call of its own, also when others are about to do the same.
 */
import { Chance } from "./chance.ts";
import type { Costs } from "./costs.ts";
import { Timeline } from "./timeline.ts";

export interface Scenario {
  readonly costs: Costs;
  readonly workers: number;
  readonly slots: number;
  /** Of a job, on average; their durations are exponential. 0 when nothing is run. */
  readonly jobMs: number;
  /** Jobs that come in a second, so many a call; without it there are always more than can be taken. */
  readonly arriving?: { readonly perSecond: number; readonly batch: number };
  /** When so many of the workers die with their machine. */
  readonly loss?: { readonly atMs: number; readonly workers: number };
  readonly warmUpMs: number;
  readonly forMs: number;
  readonly seed: number;
}

export interface Outcome {
  /** Jobs ended a second. */
  readonly perSecond: number;
  /** How much of the time the database was busy, from 0 to 1. */
  readonly busy: number;
  /** From when a job could be taken and a slot was free for it until it was taken: from its being enqueued, or without arrivals
   * from the end of the job before. */
  readonly claimMs: readonly number[];
  /** The longest that a worker waited for the renewal of its presence. After 10 s it is taken for dead. */
  readonly longestRenewalMs: number;
  /** From the loss of the machine until each of its jobs was taken by another worker. */
  readonly recoveryMs: readonly number[];
  /** Of them, how many were not taken within the time. */
  readonly unrecovered: number;
}

const RENEW_EVERY_MS = 2000;
/** Every second look of those half a second apart asks the database. */
const LOOK_EVERY_MS = 1000;
const BETWEEN_WAKES_MS = 5;
const SAME_MOMENT_MS = 0.01;
/** Others wait so long for the renewal of a row before they take its worker for dead. */
const DEAD_AFTER_MS = 15_000;
/** What a rescuer asks of the database for each job: what it is now, and to end it. */
const ASKED_A_RESCUE = 2;

interface Worker {
  free: number;
  /** Jobs that have ended, by when. */
  ended: number[];
  isAsking: boolean;
  isWoken: boolean;
  lookedAt: number;
  isDead: boolean;
  readonly running: Set<Running>;
}

interface Running {
  readonly worker: Worker;
}

/** A job that waits: since when, and whether it is one that was lost. */
interface Waiting {
  readonly since: number;
  readonly wasLost: boolean;
}

export function simulate(scenario: Scenario): Outcome {
  return new Database(scenario).run();
}

class Database {
  readonly #scenario: Scenario;
  readonly #time = new Timeline();
  readonly #chance: Chance;
  readonly #workers: readonly Worker[];
  #waiting: Waiting[] = [];
  #taken = 0;
  #lost = new Set<Running>();
  #freeAt = 0;
  #busyMs = 0;
  #ended = 0;
  #longestRenewalMs = 0;
  readonly #claimMs: number[] = [];
  readonly #recoveryMs: number[] = [];
  #lostJobs = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#chance = new Chance(scenario.seed);
    this.#workers = Array.from({ length: scenario.workers }, () => ({
      free: scenario.slots,
      ended: [],
      isAsking: false,
      isWoken: false,
      lookedAt: Number.NEGATIVE_INFINITY,
      isDead: false,
      running: new Set<Running>(),
    }));
  }

  run(): Outcome {
    const { warmUpMs, forMs, arriving, loss } = this.#scenario;
    for (const worker of this.#workers) {
      // They were not started all at once.
      this.#time.after(this.#chance.even() * RENEW_EVERY_MS, () => this.#renew(worker));
      this.#time.after(this.#chance.even() * LOOK_EVERY_MS, () => this.#look(worker));
      this.#time.after(this.#chance.even() * Math.min(warmUpMs / 2, LOOK_EVERY_MS), () => this.#turn(worker));
    }
    if (arriving) this.#arrive(arriving);
    if (loss) this.#time.after(loss.atMs, () => this.#lose(loss.workers));
    this.#time.runUntil(warmUpMs);
    this.#claimMs.length = 0;
    const [ended, busyMs] = [this.#ended, this.#busyMs];
    this.#time.runUntil(warmUpMs + forMs);
    return {
      perSecond: (this.#ended - ended) / (forMs / 1000),
      busy: Math.min(1, (this.#busyMs - busyMs) / forMs),
      claimMs: this.#claimMs,
      longestRenewalMs: this.#longestRenewalMs,
      recoveryMs: this.#recoveryMs,
      unrecovered: this.#lostJobs - this.#recoveryMs.length,
    };
  }

  /** Has the database do something for so long, when it comes to it; `done` once it is, `answered` when that is known. */
  #ask(costMs: number, { done = () => {}, answered }: { done?: () => void; answered: () => void }): void {
    const { waitMs } = this.#scenario.costs;
    const workMs = this.#chance.around(costMs);
    const begin = Math.max(this.#time.now + waitMs / 2, this.#freeAt);
    this.#freeAt = begin + workMs;
    this.#busyMs += workMs;
    this.#time.after(this.#freeAt - this.#time.now, () => {
      done();
      this.#time.after(waitMs / 2, answered);
    });
  }

  #turn(worker: Worker): void {
    if (worker.isDead) return;
    if (worker.isAsking) {
      worker.isWoken = true;
      return;
    }
    const { turnMs, jobMs } = this.#scenario.costs;
    const ends = worker.ended;
    const limit = worker.free + ends.length;
    // How many it will get is not known before; of the many that wait it will get all that it asks for.
    const expected = this.#scenario.arriving ? Math.min(limit, this.#waiting.length - this.#taken) : limit;
    Object.assign(worker, { ended: [], isAsking: true, isWoken: false });
    let claimed: Waiting[] = [];
    this.#ask(turnMs + (jobMs * (ends.length + expected)) / 2, {
      done: () => {
        this.#ended += ends.length;
        claimed = this.#claim(limit, ends);
      },
      answered: () => {
        worker.isAsking = false;
        worker.lookedAt = this.#time.now;
        worker.free += ends.length;
        for (const job of claimed) this.#begin(worker, job);
        if (worker.ended.length > 0) this.#turn(worker);
        else if (worker.isWoken && worker.free > 0) this.#wake(worker);
      },
    });
  }

  /** Without arrivals there is a job for every slot; it could have been taken when the one before had ended. */
  #claim(limit: number, ends: readonly number[]): Waiting[] {
    if (!this.#scenario.arriving) {
      return Array.from({ length: limit }, (_, n) => ({ since: ends[n] ?? this.#time.now, wasLost: false }));
    }
    const claimed = this.#waiting.slice(this.#taken, this.#taken + limit);
    this.#taken += claimed.length;
    if (this.#taken > 10_000) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return claimed;
  }

  #begin(worker: Worker, { since, wasLost }: Waiting): void {
    this.#claimMs.push(this.#time.now - since);
    if (wasLost) this.#recoveryMs.push(this.#time.now - (this.#scenario.loss?.atMs ?? 0));
    worker.free -= 1;
    const running: Running = { worker };
    worker.running.add(running);
    const runMs = this.#scenario.jobMs === 0 ? 0 : this.#chance.around(this.#scenario.jobMs);
    this.#time.after(runMs, () => {
      if (worker.isDead) return;
      worker.running.delete(running);
      worker.ended.push(this.#time.now);
      // What ends at the same moment goes into the same turn.
      this.#time.after(SAME_MOMENT_MS, () => {
        if (worker.ended.length > 0 && !worker.isAsking) this.#turn(worker);
      });
    });
  }

  #arrive(arriving: { perSecond: number; batch: number }): void {
    const { perSecond, batch } = arriving;
    const { enqueueMs, addedMs } = this.#scenario.costs;
    this.#time.after(this.#chance.around((1000 * batch) / perSecond), () => {
      const since = this.#time.now;
      this.#ask(enqueueMs + addedMs * batch, {
        done: () => {
          for (let n = 0; n < batch; n++) this.#waiting.push({ since, wasLost: false });
          this.#wakeAll();
        },
        answered: () => {},
      });
      this.#arrive(arriving);
    });
  }

  #wakeAll(): void {
    for (const worker of this.#workers) if (worker.free > 0) this.#wake(worker);
  }

  /** At once after a quiet time, else a little later. */
  #wake(worker: Worker): void {
    if (worker.isAsking) {
      worker.isWoken = true;
      return;
    }
    const waitMs = worker.lookedAt + BETWEEN_WAKES_MS - this.#time.now;
    if (waitMs <= 0) this.#turn(worker);
    else if (!worker.isWoken) {
      worker.isWoken = true;
      this.#time.after(waitMs, () => {
        if (worker.isWoken && !worker.isAsking) this.#turn(worker);
      });
    }
  }

  #renew(worker: Worker): void {
    if (worker.isDead) return;
    const asked = this.#time.now;
    this.#ask(this.#scenario.costs.turnMs, {
      answered: () => {
        this.#longestRenewalMs = Math.max(this.#longestRenewalMs, this.#time.now - asked);
        this.#time.after(RENEW_EVERY_MS, () => this.#renew(worker));
      },
    });
  }

  #look(worker: Worker): void {
    if (worker.isDead) return;
    const { lookMs, lookedAtMs } = this.#scenario.costs;
    let found: readonly Running[] = [];
    this.#ask(lookMs + lookedAtMs * this.#workers.length, {
      done: () => {
        found = [...this.#lost];
      },
      answered: () => {
        for (const job of found) this.#rescue(job);
        this.#time.after(LOOK_EVERY_MS, () => this.#look(worker));
      },
    });
  }

  #rescue(job: Running): void {
    this.#ask(this.#scenario.costs.turnMs * ASKED_A_RESCUE, {
      done: () => {
        if (!this.#lost.delete(job)) return;
        // It comes before whatever was enqueued after it.
        this.#waiting.splice(this.#taken, 0, { since: this.#time.now, wasLost: true });
        this.#wakeAll();
      },
      answered: () => {},
    });
  }

  #lose(count: number): void {
    const jobs = this.#workers.slice(0, count).flatMap((worker) => {
      worker.isDead = true;
      worker.free = 0;
      return [...worker.running, ...worker.ended.map(() => ({ worker }))];
    });
    this.#lostJobs = jobs.length;
    this.#time.after(DEAD_AFTER_MS, () => {
      this.#lost = new Set(jobs);
    });
  }
}
