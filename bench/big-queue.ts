/**
 * A worker of its own on a queue with many jobs: when it claims the first, and how much memory it takes by then and while
 * it works. And what a writer waits for when others write and a checkpoint has to be made.
 */
import { absent, type Benchmark, type Finding, quantileOf } from "./benchmark.ts";
import { Clerk } from "./stage/clerk.ts";
import type { Place } from "./stage/place.ts";
import { HAS_PROC, memory, WITHOUT_PROC } from "./stage/proc.ts";
import { queueOf } from "./stage/queue.ts";
import { jobsInWords, short } from "./stage/words.ts";

const SIZES = {
  full: { pending: [1, 100_000, 1_000_000], rounds: 3, checkpoints: 2, leastMs: 3000 },
  quick: { pending: [1, 20_000], rounds: 1, checkpoints: 2, leastMs: 500 },
} as const;
/** Until its memory is looked at, once it has begun to work. */
const WORKS_MS = 1000;
const LIMIT = 64;
const BETWEEN_ENQUEUES_MS = 1;

interface Budgets {
  readonly readyMs?: number;
  readonly mib?: number;
  readonly waitMs?: number;
}

/** By how many jobs are pending. */
const BUDGETS: ReadonlyMap<number, Budgets> = new Map([
  [100_000, { readyMs: 500, mib: 200 }],
  [1_000_000, { readyMs: 4000, mib: 700, waitMs: 250 }],
]);

const PANELS = {
  ready: { name: "ms to the first claim", kind: "bars", x: "jobs pending", isLogarithmic: true },
  memory: { name: "MiB at most", kind: "bars", x: "jobs pending" },
  waits: { name: "ms that a writer waited", kind: "bars", x: "jobs pending", isLogarithmic: true },
} as const;

export const bigQueue: Benchmark = {
  chart: { title: "Big queues", panels: Object.values(PANELS) },
  async measure(place) {
    const { pending, rounds } = SIZES[place.effort];
    const findings: Finding[] = [];
    for (const size of pending) {
      place.say(`${jobsInWords(size, "pending")}: start`);
      findings.push(...(await measureStart(place, size, rounds)));
      place.say(`${jobsInWords(size, "pending")}: checkpoints`);
      findings.push(...(await measureWaits(place, size)));
    }
    return findings;
  },
};

async function measureStart(place: Place, size: number, rounds: number): Promise<Finding[]> {
  const starts: Start[] = [];
  const supervised: Start[] = [];
  for (let round = 0; round < rounds; round++) {
    starts.push(await start(place, size, ["__worker"]));
    supervised.push(await start(place, size, ["worker-start"]));
  }
  const { readyMs, mib } = BUDGETS.get(size) ?? {};
  const where = jobsInWords(size, "pending");
  const x = short(size);
  const peaks = starts.flatMap(({ peak }) => peak ?? []);
  const peak: Finding =
    peaks.length === 0
      ? absent(`worker, most memory, ${where}`, WITHOUT_PROC)
      : {
          what: `worker, most memory, ${where}`,
          unit: "MiB",
          samples: peaks,
          ...(mib === undefined ? {} : { budget: { atMost: mib } }),
          mark: { panel: PANELS.memory.name, series: "a worker", x },
        };
  const ready = (series: string, of: readonly Start[]): Finding => ({
    what: `${series}, start → first claim, ${where}`,
    unit: "ms",
    samples: of.map((one) => one.readyMs),
    mark: { panel: PANELS.ready.name, series, x },
  });
  return [
    { ...ready("worker", starts), ...(readyMs === undefined ? {} : { budget: { atMost: readyMs } }) },
    ready("worker-start", supervised),
    peak,
  ];
}

interface Start {
  readonly readyMs: number;
  /** In MiB; undefined where there is no way to know. */
  readonly peak: number | undefined;
}

async function start(place: Place, pending: number, command: readonly string[]): Promise<Start> {
  using queue = await queueOf(place, { pending });
  const begun = performance.now();
  const program = place.adopt(
    Bun.spawn([place.queuectl, ...command, "--data-dir", queue.directory], { stdin: "ignore", stdout: "pipe" }),
    "SIGQUIT",
  );
  const claimed = Promise.withResolvers<number>();
  // To the end, for what nobody reads would stop it.
  const reading = watch(program.stdout, () => claimed.resolve(performance.now() - begun));
  void reading.then(() => claimed.reject(new Error("A worker ended before it claimed anything.")));
  const readyMs = await claimed.promise;
  await Bun.sleep(WORKS_MS);
  const peak = HAS_PROC ? memory(program.pid).peak : undefined;
  program.kill("SIGQUIT");
  await program.exited;
  await reading;
  return { readyMs, peak };
}

/** Calls `onClaim` when the log of a worker tells of one. */
async function watch(stdout: ReadableStream<Uint8Array>, onClaim: () => void): Promise<void> {
  let log = "";
  for await (const bytes of stdout) {
    // The word is ASCII, and what comes after its first time is of no interest.
    if (!log.includes("[CLAIM]")) log += Buffer.from(bytes).toString("latin1");
    if (log.includes("[CLAIM]")) onClaim();
  }
}

/** One process takes and ends jobs until there were some checkpoints, while another enqueues one job at a time. */
async function measureWaits(place: Place, size: number): Promise<Finding[]> {
  const { checkpoints, leastMs } = SIZES[place.effort];
  using queue = await queueOf(place, { pending: size });
  await using worker = Clerk.start(place, queue.directory);
  await using writer = Clerk.start(place, queue.directory);
  await Promise.all([worker.ask("load"), writer.ask("load")]);
  const [ms] = await Promise.all([
    writer.ask("enqueueSingly", BETWEEN_ENQUEUES_MS),
    worker.ask("untilCheckpoints", checkpoints, { limit: LIMIT, leastMs }).finally(() => writer.stop()),
  ]);
  const { waitMs } = BUDGETS.get(size) ?? {};
  const row = (what: string, quantile: number): Finding => ({
    what: `enqueue while others write, ${jobsInWords(size, "pending")}, ${what}`,
    unit: "ms",
    // Of thousands of waits only these are worth keeping.
    samples: [quantileOf(ms, quantile)],
    ...(waitMs === undefined || quantile < 1 ? {} : { budget: { atMost: waitMs } }),
    mark: { panel: PANELS.waits.name, series: what, x: short(size) },
  });
  return [row("median", 0.5), row("99th percentile", 0.99), row("longest", 1)];
}
