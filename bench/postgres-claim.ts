/**
 * Taking jobs and ending them on PostgreSQL, running nothing, beside pg-boss and graphile-worker: with one, a few and many
 * jobs in flight in each process, by one process and by several, with few and with many jobs queued. All take and end as
 * many at once as are in flight; what they do is on the disk before they go on.
 */
import type { Benchmark, Finding } from "./benchmark.ts";
import { versus } from "./report/versus.ts";
import { contenders, PEERS, PostgresQueue, whyAbsent } from "./stage/contender.ts";
import type { Place } from "./stage/place.ts";
import { startPostgres } from "./stage/postgres.ts";
import { jobsInWords } from "./stage/words.ts";

const LIMITS = [1, 8, 64] as const;
const PROCESSES = [1, 2, 4] as const;

interface Cell {
  readonly queued: number;
  readonly processes: number;
  readonly limit: number;
}

const ALL = PROCESSES.flatMap((processes) => LIMITS.map((limit) => ({ processes, limit })));
const EXTREMES = [
  { processes: 1, limit: 1 },
  { processes: 4, limit: 64 },
];

const SIZES = {
  full: {
    rounds: 3,
    warmUpMs: 300,
    ms: 900,
    cells: cellsOf([1000, EXTREMES], [100_000, ALL], [1_000_000, EXTREMES]),
  },
  quick: { rounds: 1, warmUpMs: 200, ms: 400, cells: cellsOf([1000, EXTREMES], [20_000, ALL]) },
} as const;

/** How many jobs one process does at most, by how many it has in flight: so many more are queued when it begins. */
const MOST = new Map([
  [1, 3000],
  [8, 8000],
  [64, 16_000],
]);

const PANELS = PROCESSES.map((processes) => ({
  name: `jobs/s, ${inWords(processes)}`,
  kind: "bars" as const,
  x: "in flight in each",
  isLogarithmic: true,
}));
/** Of the size that all of the grid is measured with. */
const DRAWN = { full: 100_000, quick: 20_000 } as const;

export const postgresClaim: Benchmark = {
  chart: { title: "Claim and settle on PostgreSQL, running nothing", panels: PANELS },
  async measure(place) {
    const { rounds, cells } = SIZES[place.effort];
    await using postgres = await startPostgres(place);
    const queues = await Promise.all(contenders().map((one) => PostgresQueue.make(place, postgres, one)));
    const rates = new Map<string, number[]>();
    for (const queued of new Set(cells.map((cell) => cell.queued))) {
      for (let round = 1; round <= rounds; round++) {
        place.say(`${jobsInWords(queued, "queued")}, round ${round} of ${rounds}`);
        for (const cell of cells.filter((one) => one.queued === queued)) {
          for (const queue of round % 2 === 0 ? queues.toReversed() : queues) {
            const most = MOST.get(cell.limit) ?? 0;
            await queue.fillUpTo(queued + most * cell.processes);
            await postgres.rest();
            const key = keyOf(queue.contender.name, cell);
            rates.set(key, [...(rates.get(key) ?? []), await rateOf(place, queue, cell)]);
          }
        }
      }
    }
    return [
      ...cells.flatMap((cell) => report(cell, { rates, place })),
      ...PEERS.flatMap((peer) => whyAbsent(peer) ?? []),
    ];
  },
};

/** Jobs a second of all processes together. */
async function rateOf(place: Place, queue: PostgresQueue, { processes, limit }: Cell): Promise<number> {
  const { warmUpMs, ms } = SIZES[place.effort];
  const most = MOST.get(limit) ?? 0;
  await using stack = new AsyncDisposableStack();
  const workers = Array.from({ length: processes }, () => stack.use(queue.start()));
  const worked = await Promise.all(workers.map((worker) => worker.ask("work", { limit, warmUpMs, ms, most })));
  return worked.reduce((sum, one) => sum + one.jobs / (one.ms / 1000), 0);
}

function report(cell: Cell, { rates, place }: { rates: ReadonlyMap<string, number[]>; place: Place }): Finding[] {
  const { queued, processes, limit } = cell;
  const what = `${inWords(processes)}, ${limit} in flight, ${jobsInWords(queued, "queued")}`;
  const panel = `jobs/s, ${inWords(processes)}`;
  const samplesOf = (name: string): number[] => rates.get(keyOf(name, cell)) ?? [];
  const mark = { mark: { panel, series: "queuectl", x: String(limit) } };
  return versus(
    { what, unit: "/s", samples: samplesOf("queuectl"), ...(queued === DRAWN[place.effort] ? mark : {}) },
    { peers: PEERS.map(({ name }) => ({ name, samples: samplesOf(name) })), better: "more" },
  );
}

function cellsOf(...sizes: readonly [number, readonly Omit<Cell, "queued">[]][]): Cell[] {
  return sizes.flatMap(([queued, cells]) => cells.map((cell) => ({ queued, ...cell })));
}

function inWords(processes: number): string {
  return processes === 1 ? "one process" : `${processes} processes`;
}

function keyOf(name: string, { queued, processes, limit }: Cell): string {
  return `${name} ${queued} ${processes} ${limit}`;
}
