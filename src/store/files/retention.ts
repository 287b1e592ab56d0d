/**
 * Keeps what is done with from piling up: completed jobs leave the queue for the archive, and logs go when their jobs have
 * gone and they are old enough. Workers see to it by themselves, a batch at a time: at work when a tenth too many jobs
 * have been completed, so that its cost per job is constant, and exactly when they have nothing else to do.
 */
import type { Config } from "../../config.ts";
import { QueueError } from "../../job/errors.ts";
import { remove } from "../local/durable.ts";
import type { LogDirectory } from "../local/log-directory.ts";
import { logName } from "../local/log-files.ts";
import type { Pruned, PruneOptions } from "../store.ts";
import { archive } from "./archive.ts";
import type { Layout } from "./layout.ts";
import type { Ledger } from "./ledger.ts";
import type { QueueState } from "./state.ts";

export interface RetentionOptions {
  readonly logs: LogDirectory;
  readonly config: () => Config;
  readonly now: () => number;
  readonly warn: (sentence: string) => void;
}

const DAY_MS = 86_400_000;
const JOBS_A_BATCH = 5000;
const IDS_A_BATCH = 1000;
const LEAST_SURPLUS = 100;
const SWEEP_EVERY_MS = 3_600_000;
/** Between two looks at the settings while jobs are being completed. */
const LOOK_EVERY_JOBS = 1000;

export class Retention {
  readonly #layout: Layout;
  readonly #ledger: Ledger;
  readonly #options: RetentionOptions;
  #lookAt = LEAST_SURPLUS;
  #sweptAt = 0;
  #tidying: Promise<unknown> | undefined;

  constructor(layout: Layout, ledger: Ledger, options: RetentionOptions) {
    this.#layout = layout;
    this.#ledger = ledger;
    this.#options = options;
  }

  /** To be told of every turn of a worker: `idle`, when it found nothing to do. */
  turned({ completedCount }: QueueState, { idle }: { idle: boolean }): void {
    if (this.#tidying || (!idle && completedCount < this.#lookAt)) return;
    const { keep_completed: keep } = this.#options.config();
    const limit = keep + (idle ? 0 : Math.max(LEAST_SURPLUS, keep / 10));
    this.#lookAt = Math.min(limit, completedCount + LOOK_EVERY_JOBS);
    if (completedCount > limit) this.#tidy(keep);
  }

  /** Waits for what is being tidied. */
  async settled(): Promise<void> {
    await this.#tidying;
  }

  async prune({ keep = this.#options.config().keep_completed, dryRun = false }: PruneOptions): Promise<Pruned> {
    const archived = dryRun ? surplusIn(this.#ledger.state(), keep) : await this.#archive(keep);
    if (!dryRun) this.#ledger.sync();
    // As if they had left already.
    const leaving = dryRun ? archived : 0;
    return { archived, ...(await this.#sweep({ leaving, dryRun })) };
  }

  #tidy(keep: number): void {
    this.#tidying = this.#archive(keep)
      .then(() => this.#sweepNowAndThen())
      .catch((error: unknown) => {
        if (!(error instanceof QueueError)) throw error;
        this.#options.warn(`Completed jobs could not be archived. ${error.message}`);
      })
      .finally(() => {
        this.#tidying = undefined;
      });
  }

  /** Returns how many jobs went into the archive. */
  async #archive(keep: number): Promise<number> {
    let total = 0;
    while (surplusIn(this.#ledger.state(), keep) > 0) {
      total += await this.#ledger.commit(
        (state) => {
          const jobs = state.completedFirst(Math.min(JOBS_A_BATCH, surplusIn(state, keep)));
          return { records: jobs.length > 0 ? archive(this.#layout.archive, jobs) : [], result: jobs.length };
        },
        { durable: false },
      );
      await new Promise(setImmediate);
    }
    return total;
  }

  async #sweepNowAndThen(): Promise<void> {
    const now = this.#options.now();
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    await this.#sweep({ leaving: 0, dryRun: false });
  }

  /** Removes the old logs of jobs that are not in the queue: `leaving` of those completed first count as gone. */
  async #sweep({ leaving, dryRun }: { leaving: number; dryRun: boolean }): Promise<{ logs: number; bytes: number }> {
    const { logs, now, config } = this.#options;
    const old = await logs.before(now() - config().keep_logs * DAY_MS);
    if (old.length === 0) return { logs: 0, bytes: 0 };
    // Looked at after the files: whose log was there, and who is in the queue still, keeps it.
    const owners = await this.#owners(leaving);
    const orphaned = old.filter(({ owner }) => !owners.has(owner));
    if (!dryRun) for (const { path } of orphaned) remove(path);
    return { logs: orphaned.length, bytes: orphaned.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** The names that the logs begin with of all jobs that stay. */
  async #owners(leaving: number): Promise<Set<string>> {
    const state = this.#ledger.state();
    const gone = new Set(state.completedFirst(leaving).map(({ id }) => id));
    const owners = new Set<string>();
    for (const [number, id] of state.ids().entries()) {
      if (number % IDS_A_BATCH === 0) await new Promise(setImmediate);
      if (!gone.has(id)) owners.add(logName(id));
    }
    return owners;
  }
}

/** How many completed jobs are more than are to be kept. */
function surplusIn({ completedCount }: QueueState, keep: number): number {
  return Math.max(0, completedCount - keep);
}
