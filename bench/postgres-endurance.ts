/**
 * Many jobs through one queue in PostgreSQL: one process adds, as fast as they are taken, another takes and ends them,
 * running nothing. Does it slow down, how large do its tables become, what is left for vacuum, and what did vacuum cost?
 * The server's autovacuum is as PostgreSQL has it, but for what a queue sets for its own tables.
 */
import type { Benchmark, Finding, Unit } from "./benchmark.ts";
import { contenders, PEERS, PostgresQueue, QUEUECTL, whyAbsent } from "./stage/contender.ts";
import { type Postgres, startPostgres } from "./stage/postgres.ts";
import { short } from "./stage/words.ts";

/** queuectl as many as show whether its hot table stays small; the peers some, to compare by the job. */
const SIZES = {
  full: { jobs: 1_000_000, beside: 100_000 },
  quick: { jobs: 20_000, beside: 10_000 },
} as const;
const KIB = 1024;
const MIB = 1024 * KIB;
const BATCH = 1000;
const BACKLOG = 10_000;
const LOOK_EVERY_MS = 100;
const LIMIT = 64;
/** The server's processes report what they did within a second. */
const STATISTICS_MS = 1500;
const PARTS = 10;
/** A job may cost so many times more at the end than at the beginning. */
const FLAT = 1.3;

export const postgresEndurance: Benchmark = {
  chart: {
    title: "PostgreSQL: jobs taken and ended while another process adds",
    panels: [{ name: "jobs/s", kind: "lines", x: "of all jobs" }],
  },
  async measure(place) {
    const { jobs, beside } = SIZES[place.effort];
    const findings: Finding[] = [];
    for (const contender of contenders()) {
      // A server each, so that nobody's log and nobody's vacuum is counted as another's.
      await using postgres = await startPostgres(place);
      const queue = await PostgresQueue.make(place, postgres, contender);
      const count = contender === QUEUECTL ? jobs : beside;
      place.say(`${contender.name}: ${short(count)} jobs`);
      const through = await goThrough({ postgres, queue, jobs: count });
      findings.push(...report(contender.name, { jobs: count, hot: contender.table, ...through }));
      await queue.drop();
    }
    return [...findings, ...PEERS.flatMap((peer) => whyAbsent(peer) ?? [])];
  },
};

function report(name: string, through: Through & { jobs: number; hot: string }): Finding[] {
  const { jobs, doneMs, walBytes, tables, hot, vacuumMs } = through;
  const rates = doneMs.map((ms, part) => jobs / PARTS / ((ms - (doneMs[part - 1] ?? 0)) / 1000));
  const who = `${name}, ${short(jobs)} jobs`;
  const tenths = rates.map((rate, part): Finding => {
    const mark = { series: name, x: `${((part + 1) * 100) / PARTS} %` };
    return { what: `tenth ${part + 1} of the jobs: ${who}`, unit: "/s", samples: [rate], mark };
  });
  const first = { name: "its first tenth", samples: rates.slice(0, 1) };
  const of = (what: string, unit: Unit, sample: number): Finding => ({
    what: `${what}: ${who}`,
    unit,
    samples: [sample],
  });
  const each = tables.flatMap((table): Finding[] => {
    const which = table.name === hot ? "the table of jobs" : `the ${table.name}`;
    return [
      of(which, "MiB", table.bytes / MIB),
      of(`${which}, its indexes`, "MiB", table.index_bytes / MIB),
      of(`${which}, its dead rows`, "rows", table.dead),
      of(`${which}, autovacuum`, "times", table.vacuums),
      ...(table.vacuum_ms === null ? [] : [of(`${which}, all autovacuum together`, "ms", table.vacuum_ms)]),
    ];
  });
  return [
    ...tenths,
    {
      what: `the last tenth, beside the first: ${who}`,
      unit: "/s",
      samples: rates.slice(-1),
      beside: first,
      budget: { atLeast: 1 / FLAT },
    },
    of("written to the log of the server, a job", "KiB", walBytes / KIB / jobs),
    ...each,
    of("one more vacuum of the table of jobs by hand", "ms", vacuumMs),
  ];
}

interface Through {
  readonly doneMs: readonly number[];
  readonly walBytes: number;
  readonly tables: readonly Table[];
  /** What one more vacuum, by hand, takes when all is done. */
  readonly vacuumMs: number;
}

interface Table {
  readonly name: string;
  readonly bytes: number;
  readonly index_bytes: number;
  readonly dead: number;
  readonly vacuums: number;
  /** Since PostgreSQL 18. */
  readonly vacuum_ms: number | null;
}

async function goThrough(of: { postgres: Postgres; queue: PostgresQueue; jobs: number }): Promise<Through> {
  const { postgres, queue, jobs } = of;
  const { sql } = postgres;
  await postgres.rest();
  const [before] = await sql`SELECT pg_current_wal_insert_lsn() AS lsn`;
  await using producer = queue.start();
  await using consumer = queue.start();
  const working = consumer.ask("consume", jobs, { limit: LIMIT, parts: PARTS });
  const adding = addAsTaken({ producer, queue, jobs });
  const [doneMs] = await Promise.all([working, adding]);
  const [wal] = await sql`SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ${before.lsn}) AS bytes`;
  await Bun.sleep(STATISTICS_MS);
  const tables = await tablesOf(postgres, queue);
  const start = performance.now();
  await sql.unsafe(`VACUUM ${queue.schema}.${queue.contender.table}`);
  return { doneMs, walBytes: Number(wal.bytes), tables, vacuumMs: performance.now() - start };
}

/** Adds all jobs, and waits whenever too many wait already. */
async function addAsTaken(order: {
  producer: ReturnType<PostgresQueue["start"]>;
  queue: PostgresQueue;
  jobs: number;
}): Promise<void> {
  const { producer, queue, jobs } = order;
  for (let added = 0; added < jobs; added += BATCH) {
    while (await queue.hasPending(BACKLOG)) await Bun.sleep(LOOK_EVERY_MS);
    await producer.ask("add", Math.min(BATCH, jobs - added), BATCH);
  }
}

async function tablesOf({ sql }: Postgres, { schema, contender }: PostgresQueue): Promise<Table[]> {
  const names = [contender.table, ...contender.doneIn];
  const rows: Table[] = await sql`
    SELECT relname AS name, pg_table_size(relid)::float8 AS bytes, pg_indexes_size(relid)::float8 AS index_bytes,
      n_dead_tup::float8 AS dead, autovacuum_count::float8 AS vacuums,
      (to_jsonb(s) ->> 'total_autovacuum_time')::float8 AS vacuum_ms
    FROM pg_stat_all_tables s WHERE schemaname = ${schema}`;
  return names.flatMap((name) => rows.filter((row) => row.name === name));
}
