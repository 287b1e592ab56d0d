/**
 * Keeps the table of jobs small: completed jobs beyond `keep_completed` are moved to `archive`, and old output goes. Workers
 * see to it by themselves, when they have completed many jobs, and when they have nothing to do.
 */
import type { Config } from "../../config.ts";
import { QueueError } from "../../job/errors.ts";
import { remove } from "../local/durable.ts";
import type { LogDirectory } from "../local/log-directory.ts";
import type { Pruned, PruneOptions } from "../store.ts";
import type { Database } from "./database.ts";

export interface RetentionOptions {
  readonly logs: LogDirectory;
  readonly config: () => Promise<Config>;
  readonly now: () => number;
  readonly warn: (sentence: string) => void;
}

const DAY_MS = 86_400_000;
const JOBS_A_BATCH = 10_000;
/** A worker's renewals wait on the same connection. */
const JOBS_A_BATCH_AT_WORK = 1000;
const TIDY_EVERY_JOBS = 1000;
const TIDY_EVERY_MS = 10_000;
const SWEEP_EVERY_MS = 3_600_000;

export class Retention {
  readonly #database: Database;
  readonly #options: RetentionOptions;
  /** Since it tidied last. */
  #completed = 0;
  #tidiedAt = 0;
  #sweptAt = 0;
  #tidying: Promise<unknown> | undefined;

  constructor(database: Database, options: RetentionOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** To be told of every turn of a worker: how many jobs it completed, and whether it found nothing to do. */
  turned(completed: number, { idle }: { idle: boolean }): void {
    this.#completed += completed;
    if (this.#tidying || this.#completed === 0) return;
    const isTime = idle && this.#options.now() - this.#tidiedAt >= TIDY_EVERY_MS;
    if (isTime || this.#completed >= TIDY_EVERY_JOBS) this.#tidy();
  }

  /** Tidies once more if there may be something to tidy, and waits for it. */
  async finish(): Promise<void> {
    await this.#tidying;
    if (this.#completed > 0) this.#tidy();
    await this.#tidying;
  }

  async prune({ keep, dryRun = false }: PruneOptions): Promise<Pruned> {
    const kept = keep ?? (await this.#options.config()).keep_completed;
    if (dryRun) return { archived: await this.#surplus(kept), ...(await this.#sweep({ dryRun })) };
    return { archived: await this.#archive(kept, JOBS_A_BATCH), ...(await this.#sweep({ dryRun })) };
  }

  #tidy(): void {
    this.#completed = 0;
    this.#tidiedAt = this.#options.now();
    this.#tidying = this.#archiveAndSweep().finally(() => {
      this.#tidying = undefined;
    });
  }

  async #archiveAndSweep(): Promise<void> {
    try {
      await this.#archive((await this.#options.config()).keep_completed, JOBS_A_BATCH_AT_WORK);
      const now = this.#options.now();
      if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
      this.#sweptAt = now;
      await this.#sweep({ dryRun: false });
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      this.#options.warn(`Completed jobs could not be archived. ${error.message}`);
    }
  }

  async #archive(keep: number, batch: number): Promise<number> {
    for (let total = 0; ; ) {
      const [row] = await this.#database.ask((sql) => sql`SELECT archive_completed(${keep}, ${batch}) AS moved`);
      const moved = Number(row.moved);
      total += moved;
      if (moved < batch) return total;
    }
  }

  async #surplus(keep: number): Promise<number> {
    const [row] = await this.#database.ask((sql) => sql`SELECT count(*) AS n FROM jobs WHERE state = 'completed'`);
    return Math.max(0, Number(row.n) - keep);
  }

  /** Removes old output of jobs that are in the queue no more: the ends in the table, and the files of this machine. */
  async #sweep({ dryRun }: { dryRun: boolean }): Promise<{ logs: number; bytes: number }> {
    const before = this.#options.now() - (await this.#options.config()).keep_logs * DAY_MS;
    const old = await this.#options.logs.before(before);
    const kept = await this.#leasesToKeep(old.map(({ lease }) => lease));
    const orphaned = old.filter(({ lease }) => !kept.has(lease));
    if (!dryRun) {
      for (const { path } of orphaned) remove(path);
      await this.#database.ask(
        (sql) => sql`
          DELETE FROM output o WHERE ended_at <= ${before} AND NOT EXISTS (SELECT FROM jobs WHERE id = o.id)`,
      );
    }
    return { logs: orphaned.length, bytes: orphaned.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** Of these attempts, those whose jobs are in the queue. */
  async #leasesToKeep(leases: readonly number[]): Promise<Set<number>> {
    if (leases.length === 0) return new Set();
    const list = `{${leases.join(",")}}`;
    const rows = await this.#database.ask(
      (sql) => sql`SELECT o.lease FROM output o JOIN jobs j ON j.id = o.id WHERE o.lease = ANY (${list}::bigint[])`,
    );
    return new Set(rows.map(({ lease }: { lease: string }) => Number(lease)));
  }
}
