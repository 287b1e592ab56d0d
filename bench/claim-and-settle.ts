/** Taking jobs and ending them without running anything, by one process and by several at once: what the store alone costs. */
import type { Benchmark, Finding, Measured } from "./benchmark.ts";
import { Clerk } from "./stage/clerk.ts";
import type { Place } from "./stage/place.ts";
import { queueOf } from "./stage/queue.ts";
import { jobsInWords, short } from "./stage/words.ts";

const SIZES = {
  full: { rounds: 4, queued: [1000, 100_000, 1_000_000], turns: { 1: 5000, 8: 2000, 64: 500 } },
  quick: { rounds: 1, queued: [1000, 50_000], turns: { 1: 300, 8: 200, 64: 50 } },
} as const;
const LIMITS = [1, 8, 64] as const;
type Limit = (typeof LIMITS)[number];

/** Of one process, in jobs a second. */
const AT_LEAST: Readonly<Partial<Record<Limit, number>>> = { 1: 1500, 8: 20_000 };
const CONTENDERS = 4;
/** A job may cost so many times more in a long queue than in a short one. */
const FLAT = 1.3;

const PANELS = {
  1: { name: "jobs/s, one process", kind: "lines", x: "jobs queued", isLogarithmic: true },
  [CONTENDERS]: { name: `jobs/s, ${CONTENDERS} processes`, kind: "lines", x: "jobs queued", isLogarithmic: true },
} as const;
type Processes = keyof typeof PANELS;

/** Jobs a second of each round, by how many processes took how many at a time with how many queued. */
type Rates = Map<string, number[]>;

export const claimAndSettle: Benchmark = {
  chart: { title: "Claim and settle, running nothing", panels: Object.values(PANELS) },
  async measure(place) {
    const { rounds, queued } = SIZES[place.effort];
    const rates: Rates = new Map();
    for (let round = 1; round <= rounds; round++) {
      place.say(`round ${round} of ${rounds}`);
      for (const size of round % 2 === 0 ? queued : queued.toReversed()) {
        for (const [key, rate] of await measureSize(place, size)) {
          rates.set(key, [...(rates.get(key) ?? []), rate]);
        }
      }
    }
    return ([1, CONTENDERS] as const).flatMap((processes) =>
      LIMITS.flatMap((limit) => report({ rates, queued, processes, limit })),
    );
  },
};

async function measureSize(place: Place, size: number): Promise<Map<string, number>> {
  const rates = new Map<string, number>();
  for (const limit of LIMITS) {
    for (const processes of [1, CONTENDERS] as const) {
      rates.set(keyOf({ processes, limit, size }), await measureRate(place, { processes, limit, size }));
    }
  }
  return rates;
}

async function measureRate(
  place: Place,
  { processes, limit, size }: { processes: number; limit: Limit; size: number },
): Promise<number> {
  const turns = SIZES[place.effort].turns[limit];
  using queue = await queueOf(place, { pending: size });
  await using stack = new AsyncDisposableStack();
  const clerks = Array.from({ length: processes }, () => stack.use(Clerk.start(place, queue.directory)));
  const warmUp = Math.ceil(turns / 4);
  // As many as will be taken, the ones that are claimed last included: `size` of them are left when it ends.
  await clerks[0]?.ask("fill", (warmUp + 1 + turns + 1) * limit * processes, "more");
  for (const clerk of clerks) await clerk.ask("turns", warmUp, limit);
  const ms = await Promise.all(clerks.map((clerk) => clerk.ask("turns", turns, limit)));
  return (turns * limit * processes) / (Math.max(...ms) / 1000);
}

function report(of: { rates: Rates; queued: readonly number[]; processes: Processes; limit: Limit }): Finding[] {
  const { rates, queued, processes, limit } = of;
  const samplesOf = (size: number): number[] => rates.get(keyOf({ processes, limit, size })) ?? [];
  const who = processes === 1 ? "one process" : `${processes} processes`;
  const atLeast = processes === 1 ? AT_LEAST[limit] : undefined;
  const findings = queued.map((size): Measured => {
    const mark = { panel: PANELS[processes].name, series: `${limit} at a time`, x: short(size) };
    const what = `${who}, ${limit} at a time, ${jobsInWords(size, "queued")}`;
    const budget = atLeast === undefined ? {} : { budget: { atLeast } };
    return { what, unit: "/s", samples: samplesOf(size), ...budget, mark };
  });
  const [least = 0, most = 0] = [queued[0], queued.at(-1)];
  const beside = { name: jobsInWords(least, "queued"), samples: samplesOf(least) };
  const flat = { samples: samplesOf(most), beside, budget: { atLeast: 1 / FLAT } };
  return [...findings, { what: `${who}, ${limit} at a time, ${jobsInWords(most, "queued")}`, unit: "/s", ...flat }];
}

function keyOf({ processes, limit, size }: { processes: number; limit: number; size: number }): string {
  return `${processes} ${limit} ${size}`;
}
