/**
 * Which rows have changed, by what PostgreSQL itself notes on each: the transaction that wrote it. The rows to look at are
 * those of transactions that the snapshot of the look before may not have seen. So nothing is missed, whatever clocks say
 * and in whatever order transactions end, and nobody who writes has to note anything. There is no index of that: a look
 * goes through the table, and whoever looks often must mind how long it takes.
 */
import type { Entry } from "../../job/job.ts";
import { type ChangedEntries, LATE_MS } from "../changed-entries.ts";
import type { Database } from "./database.ts";
import { type ArchivedRow, completedOf, entryOf, type JobRow } from "./row.ts";
import type { ServerClock } from "./server-clock.ts";

/** What had been seen. */
interface Seen {
  /** All transactions before this one, as the type xid has it. */
  readonly before: string;
  /** The archive up to here: only one at a time adds to it. */
  readonly place: string;
  /** When, by the clock of the database. */
  readonly at: number;
}

export class PostgresChangedEntries implements ChangedEntries {
  readonly #database: Database;
  readonly #clock: ServerClock;
  #seen: Seen;

  static async begin(database: Database, clock: ServerClock): Promise<PostgresChangedEntries> {
    return new PostgresChangedEntries(database, clock, await readSeen(database, clock));
  }

  private constructor(database: Database, clock: ServerClock, seen: Seen) {
    this.#database = database;
    this.#clock = clock;
    this.#seen = seen;
  }

  /** In this order: what goes into the archive in between is read there. */
  async take(): Promise<{ entries: readonly Entry[]; at: number }> {
    const { before, place, at } = this.#seen;
    const seen = await readSeen(this.#database, this.#clock);
    const rows: JobRow[] = await this.#database.ask(
      (sql) => sql`SELECT * FROM jobs WHERE age(xmin) <= age(${before}::xid) ORDER BY place`,
    );
    const archived: ArchivedRow[] = await this.#database.ask(
      (sql) => sql`SELECT * FROM archive WHERE place > ${place} AND updated_at >= ${at - LATE_MS} ORDER BY place`,
    );
    this.#seen = seen;
    // One that was read as it was before that has been overtaken.
    const gone = new Set(archived.map(nameOf));
    const current = rows.filter((row) => !gone.has(nameOf(row)));
    return { entries: [...archived.map(completedOf), ...current.map(entryOf)], at: seen.at };
  }

  [Symbol.dispose](): void {}
}

/** Of a job among all that have, or had, its id. */
function nameOf({ id, created_at }: ArchivedRow): string {
  return `${created_at} ${id}`;
}

async function readSeen(database: Database, clock: ServerClock): Promise<Seen> {
  const askedAt = clock.elapsed();
  const [row] = await database.ask(
    (sql) => sql`
      SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint % 4294967296)::text AS before,
        (SELECT coalesce(max(place), 0) FROM archive)::text AS place,
        extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms`,
  );
  clock.told(row.now_ms, askedAt);
  return { before: row.before, place: row.place, at: clock.now() };
}
