/**
 * Runs real jobs by real workers in a queue of its own, while workers, supervisors and enqueuing programs are killed,
 * frozen and told to leave, and then checks the promises against what the jobs wrote down (`invariants.ts`).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../job/errors.ts";
import type { Doctor } from "../store/doctor.ts";
import type { Store } from "../store/store.ts";
import { pause } from "../worker/pause.ts";
import { Cast } from "./cast.ts";
import { jobCommand, parseLedger } from "./execution-ledger.ts";
import { type Violation, violationsOf } from "./invariants.ts";
import { type FaultSignal, type Plan, type PlannedJob, planOf } from "./plan.ts";

export interface TortureOptions {
  readonly seed: number;
  readonly jobs: number;
  readonly faults: number;
  /** Empty, and this torture's alone. */
  readonly directory: string;
  /** Aborted when somebody does not want to wait any longer. */
  readonly stop: AbortSignal;
  readonly openStore: (dataDir: string) => Promise<Store>;
  readonly openDoctor: (dataDir: string) => Promise<Doctor>;
  readonly onProgress: (done: { jobs: number; faults: number }) => void;
}

export interface Verdict {
  readonly seed: number;
  readonly jobs: { readonly acknowledged: number; readonly completed: number; readonly dead: number };
  /** Attempts that began, by what they wrote down. */
  readonly attempts: number;
  readonly struck: Readonly<Record<FaultSignal, number>>;
  readonly violations: readonly Violation[];
}

const LOOK_EVERY_MS = 50;
/** With nothing ended for so long, nothing will. */
const STUCK_AFTER_MS = 60_000;
/** A child that a successful job left behind may live a little longer. */
const LEFTOVERS_END_WITHIN_MS = 10_000;

/** Throws what the store throws; a promise that was broken is not thrown but told. Undefined when it was stopped. */
export async function torture(options: TortureOptions): Promise<Verdict | undefined> {
  const run = new Torture(await options.openStore(join(options.directory, "data")), options);
  return run.run();
}

class Torture {
  readonly #store: Store;
  readonly #options: TortureOptions;
  readonly #plan: Plan;
  readonly #ledger: string;
  readonly #acknowledged = new Set<string>();
  readonly #violations: Violation[] = [];
  #faults = 0;

  constructor(store: Store, options: TortureOptions) {
    this.#store = store;
    this.#options = options;
    this.#plan = planOf(options);
    this.#ledger = join(options.directory, "executions.txt");
  }

  async run(): Promise<Verdict | undefined> {
    const { stop, directory } = this.#options;
    await this.#store.setConfig("backoff_base", 0);
    await this.#store.setConfig("kill_grace", 200);
    await using cast = new Cast(this.#store, directory);
    const finished = new AbortController();
    const staffing = cast.staff(AbortSignal.any([stop, finished.signal]));
    await Promise.all([this.#enqueueAll(cast), this.#strikeAll(cast)]);
    await this.#settled();
    finished.abort();
    await staffing;
    if (stop.aborted) return undefined;
    await cast.leave();
    await this.#noneIsLeft(cast);
    return this.#verdict(cast);
  }

  async #enqueueAll(cast: Cast): Promise<void> {
    const underFire: Promise<void>[] = [];
    for (const job of this.#plan.jobs) {
      await pause(job.afterMs, this.#options.stop);
      if (this.#options.stop.aborted) break;
      const spec = { id: job.id, command: jobCommand(job.kind, this.#ledger), max_retries: job.maxRetries };
      if (job.killedAfterMs === undefined) await this.#enqueue(spec);
      else underFire.push(this.#enqueueUnderFire(cast, spec, job));
    }
    await Promise.all(underFire);
  }

  async #enqueue(spec: { id: string; command: string; max_retries: number }): Promise<void> {
    await this.#store.enqueue([spec]);
    this.#acknowledged.add(spec.id);
  }

  async #enqueueUnderFire(cast: Cast, spec: { id: string }, job: PlannedJob): Promise<void> {
    if (await cast.enqueueUnderFire(spec, job)) this.#acknowledged.add(spec.id);
  }

  async #strikeAll(cast: Cast): Promise<void> {
    for (const fault of this.#plan.faults) {
      await pause(fault.afterMs, this.#options.stop);
      if (this.#options.stop.aborted) return;
      await cast.strike(fault);
      this.#faults += 1;
      const { completed, dead } = await this.#store.counts();
      this.#tell(completed + dead);
    }
  }

  /** Waits until every job has ended. */
  async #settled(): Promise<void> {
    let ended = -1;
    for (let waited = 0; waited < STUCK_AFTER_MS && !this.#options.stop.aborted; waited += LOOK_EVERY_MS) {
      const { completed, dead, pending, processing } = await this.#store.counts();
      if (pending + processing === 0) return;
      if (completed + dead !== ended) waited = 0;
      ended = completed + dead;
      this.#tell(ended);
      await pause(LOOK_EVERY_MS, this.#options.stop);
    }
  }

  async #noneIsLeft(cast: Cast): Promise<void> {
    for (let waited = 0; waited < LEFTOVERS_END_WITHIN_MS; waited += LOOK_EVERY_MS) {
      if (cast.left().length === 0) return;
      await pause(LOOK_EVERY_MS);
    }
    const left = cast.left();
    if (left.length > 0)
      this.#violations.push({ rule: "leftover", what: `Processes ${left.join(", ")} were left behind.` });
  }

  #tell(jobs: number): void {
    this.#options.onProgress({ jobs, faults: this.#faults });
  }

  async #verdict(cast: Cast): Promise<Verdict> {
    const lines = existsSync(this.#ledger) ? parseLedger(readFileSync(this.#ledger, "utf8")) : [];
    const dead = await this.#store.deadLetters();
    const entries = [...(await this.#store.list()), ...dead];
    await this.#store.close();
    const attempted = new Set(this.#plan.jobs.map(({ id }) => id));
    const observed = { acknowledged: this.#acknowledged, attempted, lines, entries };
    return {
      seed: this.#plan.seed,
      jobs: { acknowledged: this.#acknowledged.size, completed: entries.length - dead.length, dead: dead.length },
      attempts: lines.filter(({ what }) => what === "start").length,
      struck: cast.struck,
      violations: [...this.#violations, ...violationsOf(observed), ...(await this.#damage())],
    };
  }

  async #damage(): Promise<Violation[]> {
    try {
      const { findings } = await (await this.#options.openDoctor(this.#store.location)).examine();
      const damage = findings.filter(({ severity }) => severity === "damage");
      return damage.map(({ path, problem }) => ({ rule: "damage", what: `${path}: ${problem}` }));
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return [{ rule: "damage", what: error.message }];
    }
  }
}
