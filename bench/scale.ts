/**
 * One, ten and a hundred databases with ten thousand jobs running at a time, simulated with what this server was just
 * measured to need for each thing that is asked of it: `simulation/database.ts` says what is assumed. One point that the
 * costs were not taken from is measured and simulated, which tells how far off the simulation is.
 */
import { tmpdir } from "node:os";
import { openStore } from "../src/store/open.ts";
import { type Benchmark, type Finding, quantileOf } from "./benchmark.ts";
import { type Costs, costsFrom, type Rates } from "./simulation/costs.ts";
import { type Outcome, type Scenario, simulate } from "./simulation/database.ts";
import { PostgresQueue, QUEUECTL } from "./stage/contender.ts";
import type { Place } from "./stage/place.ts";
import { type Postgres, startPostgres } from "./stage/postgres.ts";
import { short } from "./stage/words.ts";

const SIZES = {
  full: { warmUpMs: 400, ms: 2000, rounds: 3, seeds: [1, 2, 3] },
  quick: { warmUpMs: 200, ms: 300, rounds: 1, seeds: [1] },
} as const;
const QUEUED = 20_000;
const PROCESSES = 4;
const MANY = { limit: 64, batch: 1000, most: 40_000 };
const LOOKS = { workers: 2000, times: 20 };

const DATABASES = [1, 10, 100] as const;
/** Jobs that run at a time, of all workers together. */
const RUNNING = 10_000;
const SLOTS = [1, 32] as const;
/** What one database can take; each worker has two of them, and some are left for others. */
const CONNECTIONS = { most: 1000, aWorker: 2, left: 10 };
const JOB_MS = 2000;
/** Jobs come in by so many a call. */
const BATCH = 10;
/** Of what the workers could run if claiming took no time; no more than a database can take, it is told where it fell short. */
const LOAD = 0.5;
/** So many jobs were running on the machine that is lost, of all workers on all databases. */
const LOST = 320;
const SIMULATED = { warmUpMs: 10_000, forMs: 60_000, lossAtMs: 20_000 };

const PANELS = {
  throughput: { name: "jobs/s", kind: "bars", x: "databases", isLogarithmic: true },
  claim: { name: "ms to be claimed, 99th percentile", kind: "bars", x: "databases", isLogarithmic: true },
} as const;

export const scale: Benchmark = {
  chart: { title: `${RUNNING.toLocaleString("en")} jobs at a time, simulated`, panels: Object.values(PANELS) },
  async measure(place) {
    await using postgres = await startPostgres(place);
    const queue = await PostgresQueue.make(place, postgres, QUEUECTL);
    place.say("measuring what a database spends");
    const rates = await measureRates(place, { postgres, queue });
    const costs = costsFrom(rates);
    place.say("measuring a point to check the simulation by");
    const checked = { processes: 2, limit: 8 };
    const measured = await inRounds(place, () => workedRate(place, queue, checked));
    const simulated = { workers: checked.processes, slots: checked.limit, jobMs: 0, warmUpMs: 1000, forMs: 10_000 };
    const perSecond = SIZES[place.effort].seeds.map((seed) => simulate({ costs, seed, ...simulated }).perSecond);
    place.say("simulating");
    return [
      ...costRows(costs),
      {
        what: `simulated, ${checked.processes} processes, ${checked.limit} in flight, running nothing`,
        unit: "/s",
        samples: perSecond,
        beside: { name: "measured", samples: measured },
      },
      ...SLOTS.flatMap((slots) => DATABASES.flatMap((databases) => scenarioRows(place, { costs, databases, slots }))),
    ];
  },
};

function costRows({ turnMs, jobMs, enqueueMs, addedMs, lookMs, lookedAtMs, waitMs }: Costs): Finding[] {
  const row = (what: string, sample: number): Finding => ({ what, unit: "ms", samples: [sample] });
  return [
    row("cost of a turn", turnMs),
    row("cost of a turn, for each job", jobMs),
    row("cost of a call that enqueues", enqueueMs),
    row("cost of a call that enqueues, for each job", addedMs),
    row("cost of a look for lost jobs", lookMs),
    row("cost of a look for lost jobs, for 1,000 workers", lookedAtMs * 1000),
    row("on the way and at the disk", waitMs),
  ];
}

function scenarioRows(
  place: Place,
  { costs, databases, slots }: { costs: Costs; databases: number; slots: number },
): Finding[] {
  const wanted = Math.max(1, Math.round(RUNNING / slots / databases));
  const fitting = Math.floor((CONNECTIONS.most - CONNECTIONS.left) / CONNECTIONS.aWorker);
  const workers = Math.min(wanted, fitting);
  const base = { costs, workers, slots, jobMs: JOB_MS, warmUpMs: SIMULATED.warmUpMs, forMs: SIMULATED.forMs };
  const { seeds } = SIZES[place.effort];
  const run = (more: Partial<Scenario>): Outcome[] => seeds.map((seed) => simulate({ ...base, ...more, seed }));
  const perSecond = (LOAD * RUNNING * (1000 / JOB_MS)) / databases;
  const lost = Math.max(1, Math.round(LOST / slots / databases));
  const full = run({});
  const loaded = run({ arriving: { perSecond, batch: BATCH } });
  const losing = run({
    arriving: { perSecond, batch: BATCH },
    loss: { atMs: SIMULATED.lossAtMs, workers: Math.min(lost, workers) },
  });
  const who = `${databases} × ${workers} workers × ${slots}${workers < wanted ? ` (of ${short(wanted)} that do not fit)` : ""}`;
  const x = `${databases}`;
  const series = `${slots} a worker`;
  const all = (outcomes: readonly Outcome[], of: (one: Outcome) => number): number[] => outcomes.map(of);
  return [
    {
      what: `${who}: jobs/s, more queued than they can run`,
      unit: "/s",
      samples: all(full, (one) => one.perSecond * databases),
      mark: { panel: PANELS.throughput.name, series, x },
    },
    { what: `${who}: a database is busy`, unit: "%", samples: all(full, (one) => one.busy * 100) },
    {
      what: `${who}: jobs/s of ${short(perSecond * databases)} enqueued`,
      unit: "/s",
      samples: all(loaded, (one) => one.perSecond * databases),
    },
    { what: `${who}: then a database is busy`, unit: "%", samples: all(loaded, (one) => one.busy * 100) },
    { what: `${who}: enqueue → claimed, median`, unit: "ms", samples: all(loaded, (one) => quantileOf(one.claimMs)) },
    {
      what: `${who}: 99th percentile`,
      unit: "ms",
      samples: all(loaded, (one) => quantileOf(one.claimMs, 0.99)),
      mark: { panel: PANELS.claim.name, series, x },
    },
    {
      what: `${who}: longest renewal (fenced at 10,000)`,
      unit: "ms",
      samples: all(loaded, (one) => one.longestRenewalMs),
    },
    {
      what: `${who}: machine lost → its last job runs again`,
      unit: "ms",
      samples: all(losing, (one) => (one.unrecovered > 0 ? Number.POSITIVE_INFINITY : Math.max(...one.recoveryMs))),
    },
  ];
}

async function measureRates(
  place: Place,
  { postgres, queue }: { postgres: Postgres; queue: PostgresQueue },
): Promise<Rates> {
  const median = async (measure: () => Promise<number>): Promise<number> => quantileOf(await inRounds(place, measure));
  return {
    alone: await median(() => workedRate(place, queue, { processes: 1, limit: 1 })),
    singly: await median(() => workedRate(place, queue, { processes: PROCESSES, limit: 1 })),
    many: {
      limit: MANY.limit,
      rate: await median(() => workedRate(place, queue, { processes: PROCESSES, limit: MANY.limit })),
    },
    added: await median(() => addedRate(queue, { count: 200, batch: 1 })),
    addedMany: {
      batch: MANY.batch,
      rate: await median(() => addedRate(queue, { count: 5 * MANY.batch, batch: MANY.batch })),
    },
    look: await measureLooks(postgres, queue),
  };
}

async function inRounds(place: Place, measure: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < SIZES[place.effort].rounds; round++) samples.push(await measure());
  return samples;
}

async function workedRate(
  place: Place,
  queue: PostgresQueue,
  { processes, limit }: { processes: number; limit: number },
): Promise<number> {
  const { warmUpMs, ms } = SIZES[place.effort];
  await queue.fillUpTo(QUEUED + (limit > 1 ? MANY.most * processes : 0));
  await using stack = new AsyncDisposableStack();
  const workers = Array.from({ length: processes }, () => stack.use(queue.start()));
  const order = { limit, warmUpMs, ms, most: MANY.most };
  const worked = await Promise.all(workers.map((worker) => worker.ask("work", order)));
  return worked.reduce((sum, one) => sum + one.jobs / (one.ms / 1000), 0);
}

async function addedRate(queue: PostgresQueue, { count, batch }: { count: number; batch: number }): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const processes = Array.from({ length: PROCESSES }, () => stack.use(queue.start()));
  const ms = await Promise.all(processes.map((process) => process.ask("add", count, batch)));
  return ms.reduce((sum, one) => sum + count / (one / 1000), 0);
}

/** One look, among nobody and among many that hold a job each. */
async function measureLooks(postgres: Postgres, queue: PostgresQueue): Promise<Rates["look"]> {
  const { sql } = postgres;
  const store = await openStore({
    dataDir: undefined,
    cwd: tmpdir(),
    env: queue.environment,
    now: Date.now,
    random: Math.random,
    elapsed: () => performance.now(),
    warn: (sentence) => console.error(`Warning: ${sentence}`),
  });
  const look = async (): Promise<number> => {
    const samples: number[] = [];
    for (let n = 0; n < LOOKS.times; n++) {
      const start = performance.now();
      await store.lost();
      samples.push(performance.now() - start);
    }
    return quantileOf(samples);
  };
  const aloneMs = await look();
  const { schema } = queue;
  await sql.unsafe(`
    INSERT INTO ${schema}.presence (id, token, kind, pid, start, host, boot, pidns, logs, started_at, renewed_at)
    SELECT 'worker-' || n, '', 'worker', n, '', 'host-' || n % 100, '', '', '', 0, clock_timestamp() + interval '1 h'
    FROM generate_series(1, ${LOOKS.workers}) AS n`);
  await sql.unsafe(`
    UPDATE ${schema}.jobs SET state = 'processing', due = false, worker_id = 'worker-' || n
    FROM (
      SELECT id, row_number() OVER () AS n FROM ${schema}.jobs WHERE due LIMIT ${LOOKS.workers}
    ) AS held WHERE jobs.id = held.id`);
  await sql.unsafe(`VACUUM (ANALYZE) ${schema}.presence, ${schema}.jobs`);
  const amongMs = await look();
  await store.close();
  return { workers: LOOKS.workers, aloneMs, amongMs };
}
