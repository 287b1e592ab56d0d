/**
 * That this process is alive, for all machines: a worker or supervisor keeps a row of `presence` and renews it every two
 * seconds, by the clock of the database. A worker that could not renew it for 10 s is fenced: it ends its own jobs and
 * claims no more, for others may give them away from 15 s on (roster.ts).
 *
 * At the same time it learns which of its attempts somebody wants ended, should it not have heard of that (wakes.ts).
 */

import { self } from "../local/identity.ts";
import type { Announced, Announcement } from "../present.ts";
import type { Database } from "./database.ts";

export interface PresenceOptions {
  readonly now: () => number;
  readonly elapsed: () => number;
  /** Of this machine, for the logs of attempts. */
  readonly logs: string;
  /** Told the clock of the database, in epoch ms, at every renewal. */
  readonly onTime: (databaseMs: number, askedAt: number) => void;
}

const RENEW_EVERY_MS = 2000;
/** Then it must run nothing any more; others take its jobs no earlier than DEAD_AFTER_MS (roster.ts). */
export const FENCED_AFTER_MS = 10_000;
export const ANSWER_MS = 4000;

/** This process's own presence. */
export class Presence implements Announcement {
  readonly id: string;
  readonly #database: Database;
  readonly #options: PresenceOptions;
  readonly #as: Announced;
  /** Tells its row from that of somebody who got the same name. */
  readonly #token = crypto.randomUUID();
  /** When the renewal was asked for that was answered last. */
  #renewedAt = 0;
  #isFenced = false;
  #isUnanswered = false;
  #renewTimer: Timer | undefined;
  #fenceTimer: Timer | undefined;
  #isWithdrawn = false;

  /** Announces this process under the first of `worker-12`, `worker-12-2`, … that nobody has and no job is held under. */
  static async announce(database: Database, options: PresenceOptions, as: Announced): Promise<Presence> {
    for (let suffix = 1; ; suffix++) {
      const id = `${as.kind}-${process.pid}${suffix === 1 ? "" : `-${suffix}`}`;
      const presence = new Presence(id, { database, options, as });
      if (await presence.#enter()) return presence;
    }
  }

  private constructor(id: string, own: { database: Database; options: PresenceOptions; as: Announced }) {
    this.id = id;
    this.#database = own.database;
    this.#options = own.options;
    this.#as = own.as;
  }

  isFenced(): boolean {
    if (!this.#isFenced && this.#options.elapsed() - this.#renewedAt >= FENCED_AFTER_MS) this.#fence();
    return this.#isFenced;
  }

  async stopping(): Promise<void> {
    await this.#database.ask(
      (sql) => sql`UPDATE presence SET stopping = true WHERE id = ${this.id} AND token = ${this.#token}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWithdrawn = true;
    clearTimeout(this.#renewTimer);
    clearTimeout(this.#fenceTimer);
    // Others notice by themselves if this fails: it must not keep anyone from leaving.
    await this.#database
      .ask((sql) => sql`DELETE FROM presence WHERE id = ${this.id} AND token = ${this.#token}`)
      .catch(() => {});
  }

  /** False when the name is another's. */
  async #enter(): Promise<boolean> {
    const askedAt = this.#options.elapsed();
    const { pid, start, host, boot, pidns } = self();
    const { kind, supervisor = null, queues = null } = this.#as;
    const { logs, now } = this.#options;
    const entered = await this.#database.ask(
      (sql) => sql`
        INSERT INTO presence (id, token, kind, supervisor, queues, pid, start, host, boot, pidns, logs, started_at)
        SELECT ${this.id}, ${this.#token}, ${kind}, ${supervisor}, ${queues}::json, ${pid}, ${start}, ${host}, ${boot},
          ${pidns}, ${logs}, ${now()}
        WHERE NOT EXISTS (SELECT FROM jobs WHERE state = 'processing' AND worker_id = ${this.id})
        ON CONFLICT (id) DO UPDATE SET renewed_at = clock_timestamp() WHERE presence.token = excluded.token
        RETURNING id`,
    );
    if (entered.length === 0) return false;
    this.#renewedAt = askedAt;
    this.#renewLater();
    this.#fenceLater();
    return true;
  }

  #renewLater(): void {
    if (this.#isWithdrawn) return;
    clearTimeout(this.#renewTimer);
    this.#renewTimer = setTimeout(() => void this.#renew().finally(() => this.#renewLater()), RENEW_EVERY_MS);
  }

  async #renew(): Promise<void> {
    const { elapsed, onTime } = this.#options;
    const askedAt = elapsed();
    try {
      const [row] = await this.#database.ask(
        (sql) => sql`
          UPDATE presence SET renewed_at = clock_timestamp(), asked = '{}'
          FROM (SELECT renewed_at AS before, to_json(asked) AS leases FROM presence WHERE id = ${this.id} AND token = ${this.#token}) AS old
          WHERE id = ${this.id} AND token = ${this.#token}
          RETURNING extract(epoch FROM clock_timestamp() - before)::float8 * 1000 AS gap_ms,
            extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms, leases`,
        { timeoutMs: ANSWER_MS, patienceMs: 0 },
      );
      const isBack = this.#isUnanswered;
      this.#isUnanswered = false;
      if (!row) return void (await this.#enter());
      onTime(row.now_ms, askedAt);
      // A machine that slept does not see it by its own clock.
      if (row.gap_ms >= FENCED_AFTER_MS && !this.#isFenced) this.#fence();
      this.#renewedAt = askedAt;
      this.#isFenced = false;
      this.#fenceLater();
      if (isBack) this.#as.onAnswered?.();
      for (const lease of row.leases) this.#as.onAsked?.(lease);
    } catch {
      this.#isUnanswered = true;
      // The next one may succeed; if none does, the fence falls.
    }
  }

  #fenceLater(): void {
    clearTimeout(this.#fenceTimer);
    const leftMs = this.#renewedAt + FENCED_AFTER_MS - this.#options.elapsed();
    this.#fenceTimer = setTimeout(() => this.isFenced(), Math.max(0, leftMs) + 1);
  }

  #fence(): void {
    this.#isFenced = true;
    this.#as.onFenced?.();
  }
}
