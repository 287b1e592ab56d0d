/**
 * Who is alive, on all machines. Each worker and supervisor keeps a row of `presence` and renews it every two seconds, by
 * the clock of the database.
 *
 * Where its process can be looked for (same boot and pid namespace) that process is the proof, and its death is noticed
 * at once. Elsewhere a row that is not renewed is: a worker that could not renew it for 10 s is fenced, which means that it
 * ends its own jobs and claims no more; others give its jobs away no earlier than after 15 s. They count only the time in
 * which they themselves had answers from the database, so that its own outage makes nobody look dead.
 */

import { isRunning, type ProcessIdentity, self } from "../local/identity.ts";
import type { Announced, Announcement, Present } from "../store.ts";
import { array } from "./arrival.ts";
import type { Database } from "./database.ts";

interface PresenceRow extends ProcessIdentity {
  readonly id: string;
  readonly kind: Present["kind"];
  readonly supervisor: string | null;
  readonly started_at: string;
  readonly stopping: boolean;
  readonly logs: string;
  /** In ms by the database's clock. */
  readonly renewed_at: number;
  readonly age_ms: number;
}

export interface PresenceOptions {
  readonly now: () => number;
  readonly elapsed: () => number;
  /** Of this machine, for the logs of attempts. */
  readonly logs: string;
  /** Told the clock of the database, in epoch ms, at every renewal. */
  readonly onTime: (databaseMs: number, askedAt: number) => void;
}

export const RENEW_EVERY_MS = 2000;
const FENCED_AFTER_MS = 10_000;
const DEAD_AFTER_MS = 15_000;
const ANSWER_MS = 4000;
/** More between two looks was not spent watching. */
const WATCHED_AT_ONCE_MS = 2500;
/** For so long the name of a dead one elsewhere is not given to anybody else. */
const FORGOTTEN_AFTER_MS = 3_600_000;

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
    const { kind, supervisor = null } = this.#as;
    const { logs, now } = this.#options;
    const entered = await this.#database.ask(
      (sql) => sql`
        INSERT INTO presence (id, token, kind, supervisor, pid, start, host, boot, pidns, logs, started_at)
        SELECT ${this.id}, ${this.#token}, ${kind}, ${supervisor}, ${pid}, ${start}, ${host}, ${boot}, ${pidns}, ${logs},
          ${now()}
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
          UPDATE presence SET renewed_at = clock_timestamp()
          FROM (SELECT renewed_at AS before FROM presence WHERE id = ${this.id} AND token = ${this.#token}) AS old
          WHERE id = ${this.id} AND token = ${this.#token}
          RETURNING extract(epoch FROM clock_timestamp() - before)::float8 * 1000 AS gap_ms,
            extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms`,
        { timeoutMs: ANSWER_MS, patienceMs: 0 },
      );
      if (!row) return void (await this.#enter());
      onTime(row.now_ms, askedAt);
      // A machine that slept does not see it by its own clock.
      if (row.gap_ms >= FENCED_AFTER_MS && !this.#isFenced) this.#fence();
      this.#renewedAt = askedAt;
      this.#isFenced = false;
      this.#fenceLater();
    } catch {
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

/** Everyone whose process runs, or who has renewed his row lately where that cannot be seen. */
export async function present(database: Database): Promise<Present[]> {
  const rows: PresenceRow[] = await database.ask(
    (sql) => sql`
      SELECT *, extract(epoch FROM clock_timestamp() - renewed_at)::float8 * 1000 AS age_ms
      FROM presence ORDER BY started_at, id`,
  );
  return rows.filter((row) => isRunning(row) ?? row.age_ms < DEAD_AFTER_MS).map(toPresent);
}

/** A name under which jobs are held by nobody who lives. */
interface Dead {
  readonly id: string;
  /** The directory of its logs, where that is on this machine. */
  readonly logs: string | undefined;
}

/** Watches the presences, for who takes jobs away. */
export class Watch {
  readonly #database: Database;
  readonly #elapsed: () => number;
  readonly #seen = new Map<string, { renewedAt: number; watchedMs: number }>();
  #neighbours: readonly PresenceRow[] = [];
  #lookedAt: number | undefined;

  constructor(database: Database, elapsed: () => number) {
    this.#database = database;
    this.#elapsed = elapsed;
  }

  /** Whether one has whose process ran here at the last look. */
  hasNeighbourDied(): boolean {
    return this.#neighbours.some((row) => isRunning(row) === false);
  }

  /** Those who hold jobs; whoever is dead and holds none is forgotten. */
  async findDead(): Promise<Dead[]> {
    const { host, pidns } = self();
    // Jobs and presences are looked at in one snapshot: whoever holds a job in it had announced himself before.
    const rows: (PresenceRow & { holder: string; holds: boolean })[] = await this.#database.ask(
      (sql) => sql`
        WITH holders AS (SELECT DISTINCT worker_id FROM jobs WHERE state = 'processing')
        SELECT p.*, coalesce(p.id, h.worker_id) AS holder, h.worker_id IS NOT NULL AS holds,
          extract(epoch FROM p.renewed_at)::float8 * 1000 AS renewed_at,
          extract(epoch FROM clock_timestamp() - p.renewed_at)::float8 * 1000 AS age_ms
        FROM holders h FULL JOIN presence p ON p.id = h.worker_id
        WHERE p.id IS NULL OR (p.host = ${host} AND p.pidns = ${pidns})
          OR p.renewed_at < clock_timestamp() - interval '5 s'`,
      { timeoutMs: ANSWER_MS, patienceMs: 0 },
    );
    const watchedMs = this.#watchedMs();
    const dead = rows.filter((row) => row.id === null || !this.#isAlive(row, watchedMs));
    this.#neighbours = rows.filter((row) => row.id !== null && isRunning(row) === true);
    this.#forgetUnseen(rows);
    const gone = dead.filter((row) => !row.holds && this.#mayBeForgotten(row)).map(({ id }) => id);
    if (gone.length > 0) await this.#forget(gone);
    return dead
      .filter(({ holds }) => holds)
      .map((row) => ({ id: row.holder, logs: row.host === host ? row.logs : undefined }));
  }

  /** Since the look before, as far as that was spent watching. */
  #watchedMs(): number {
    const now = this.#elapsed();
    const passedMs = this.#lookedAt === undefined ? 0 : now - this.#lookedAt;
    this.#lookedAt = now;
    return Math.min(passedMs, WATCHED_AT_ONCE_MS);
  }

  /**
   * A process that runs but cannot renew its row, frozen perhaps, is taken for dead by its own machine first, where what
   * it left can be ended.
   */
  #isAlive(row: PresenceRow, watchedMs: number): boolean {
    const runs = isRunning(row);
    if (runs === false) return false;
    const last = this.#seen.get(row.id);
    const isSame = last?.renewedAt === row.renewed_at;
    const unrenewedMs = isSame ? last.watchedMs + watchedMs : 0;
    this.#seen.set(row.id, { renewedAt: row.renewed_at, watchedMs: unrenewedMs });
    return unrenewedMs < (runs === true ? FENCED_AFTER_MS : DEAD_AFTER_MS);
  }

  #forgetUnseen(rows: readonly { id: string | null }[]): void {
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
  }

  #mayBeForgotten(row: PresenceRow): boolean {
    return isRunning(row) === false || (isRunning(row) === undefined && row.age_ms > FORGOTTEN_AFTER_MS);
  }

  async #forget(ids: readonly string[]): Promise<void> {
    await this.#database.ask(
      (sql) => sql`
        DELETE FROM presence p WHERE id = ANY (${array(ids)}::text[])
          AND NOT EXISTS (SELECT FROM jobs WHERE state = 'processing' AND worker_id = p.id)`,
    );
  }
}

function toPresent(row: PresenceRow): Present {
  return {
    id: row.id,
    kind: row.kind,
    pid: row.pid,
    host: row.host,
    reachable: isRunning(row) !== undefined,
    ...(row.supervisor === null ? {} : { supervisor: row.supervisor }),
    startedAt: Number(row.started_at),
    stopping: row.stopping,
  };
}
