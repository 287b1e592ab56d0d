/**
 * Who is alive, on all machines. Where a process can be looked for (same boot and pid namespace), that process is the
 * proof, and its death is noticed at once. Elsewhere its row is: one that is not renewed for 15 s is that of a dead one. Of
 * that time only what was spent watching counts, with answers from the database, so that its own outage makes nobody look
 * dead.
 */
import type { ProcessingJob } from "../../job/job.ts";
import { isRunning, type ProcessIdentity, self } from "../local/identity.ts";
import type { Present } from "../present.ts";
import { array } from "./array.ts";
import type { Database } from "./database.ts";
import { ANSWER_MS, FENCED_AFTER_MS } from "./presence.ts";
import { type JobRow, processingOf } from "./row.ts";

export interface PresenceRow extends ProcessIdentity {
  readonly id: string;
  readonly kind: Present["kind"];
  readonly supervisor: string | null;
  readonly queues: readonly string[] | null;
  readonly started_at: string;
  readonly stopping: boolean;
  readonly logs: string;
  /** In ms by the database's clock. */
  readonly renewed_at: number;
  readonly age_ms: number;
}

/** Somebody who is present, or holds jobs, or both. */
interface HolderRow extends PresenceRow {
  readonly holder: string;
  readonly holds: boolean;
}

export const DEAD_AFTER_MS = 15_000;
/** So much of the time since a renewal is believed without having been watched. Younger rows need not be looked at. */
const BELIEVED_MS = 5000;
/** More between two looks was not spent watching. */
const WATCHED_AT_ONCE_MS = 2500;
/** For so long the name of a dead one elsewhere is not given to anybody else. */
const FORGOTTEN_AFTER_MS = 3_600_000;

/** Everyone whose process runs, or who has renewed his row lately where that cannot be seen. */
export async function present(database: Database): Promise<Present[]> {
  const rows: PresenceRow[] = await database.ask(
    (sql) => sql`
      SELECT *, extract(epoch FROM clock_timestamp() - renewed_at)::float8 * 1000 AS age_ms
      FROM presence ORDER BY started_at, id`,
  );
  return rows.filter((row) => isRunning(row) ?? row.age_ms < DEAD_AFTER_MS).map(toPresent);
}

/** Jobs that are held under the name of nobody who lives. */
export interface Orphans {
  readonly workerId: string;
  readonly jobs: readonly ProcessingJob[];
  /** Where its logs are, as far as that is known. */
  readonly logs: { readonly host: string; readonly directory: string } | undefined;
}

/** Watches the presences, for who takes jobs away. */
export class Watch {
  readonly #database: Database;
  readonly #elapsed: () => number;
  readonly #seen = new Map<string, { renewedAt: number; unrenewedMs: number }>();
  #neighbours: readonly PresenceRow[] = [];
  #lookedAt: number | undefined;
  #hasJustLooked = false;

  constructor(database: Database, elapsed: () => number) {
    this.#database = database;
    this.#elapsed = elapsed;
  }

  /**
   * The jobs of the dead; whoever is dead and holds none is forgotten. A worker, who says how many jobs it is `holding`, asks
   * twice as often as there may be something to see, unless a neighbour has just died: then it is told of none.
   */
  async findOrphans(holding?: number): Promise<Orphans[]> {
    const isSpared = holding !== undefined && this.#hasJustLooked && !this.#hasNeighbourDied();
    this.#hasJustLooked = false;
    if (isSpared) return [];
    const dead = await this.#findDead();
    // A look that failed counts for none: its trouble would seem to be over.
    this.#hasJustLooked = true;
    if (dead.length === 0) return [];
    const rows: JobRow[] = await this.#database.ask(
      (sql) => sql`
        SELECT * FROM jobs WHERE state = 'processing' AND worker_id = ANY (${array(dead.map(({ holder }) => holder))}::text[])
        ORDER BY place`,
    );
    return dead
      .map((row) => ({
        workerId: row.holder,
        jobs: rows.filter(({ worker_id }) => worker_id === row.holder).map(processingOf),
        logs: row.id === null ? undefined : { host: row.host, directory: row.logs },
      }))
      .filter(({ jobs }) => jobs.length > 0);
  }

  /** Whether one has whose process ran here at the last look. */
  #hasNeighbourDied(): boolean {
    return this.#neighbours.some((row) => isRunning(row) === false);
  }

  /** Those who hold jobs and do not live. */
  async #findDead(): Promise<HolderRow[]> {
    const { host, pidns } = self();
    // Jobs and presences are looked at in one snapshot: whoever holds a job in it had announced himself before.
    const rows: HolderRow[] = await this.#database.ask(
      (sql) => sql`
        WITH holders AS (SELECT DISTINCT worker_id FROM jobs WHERE state = 'processing')
        SELECT p.*, coalesce(p.id, h.worker_id) AS holder, h.worker_id IS NOT NULL AS holds,
          extract(epoch FROM p.renewed_at)::float8 * 1000 AS renewed_at,
          extract(epoch FROM clock_timestamp() - p.renewed_at)::float8 * 1000 AS age_ms
        FROM holders h FULL JOIN presence p ON p.id = h.worker_id
        WHERE p.id IS NULL OR (p.host = ${host} AND p.pidns = ${pidns})
          OR p.renewed_at < clock_timestamp() - ${BELIEVED_MS} * interval '1 ms'`,
      { timeoutMs: ANSWER_MS, patienceMs: 0 },
    );
    const watchedMs = this.#watchedMs();
    const dead = rows.filter((row) => row.id === null || !this.#isAlive(row, watchedMs));
    this.#neighbours = rows.filter((row) => row.id !== null && isRunning(row) === true);
    this.#forgetUnseen(rows);
    const gone = dead.filter((row) => !row.holds && this.#mayBeForgotten(row)).map(({ id }) => id);
    if (gone.length > 0) await this.#forget(gone);
    return dead.filter(({ holds }) => holds);
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
    const unrenewedMs = isSame ? last.unrenewedMs + watchedMs : Math.min(row.age_ms, BELIEVED_MS);
    this.#seen.set(row.id, { renewedAt: row.renewed_at, unrenewedMs });
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
    ...(row.queues === null ? {} : { queues: row.queues }),
    startedAt: Number(row.started_at),
    stopping: row.stopping,
  };
}
