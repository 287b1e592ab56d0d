/**
 * `true`, many times, from the start of the first process to the end of the last: against a loop that only spawns it, one
 * that throws away what it prints, one that also gives each job a log file and an environment, and peers.
 */
import { absent, type Benchmark, type Beside, type Finding, interleave } from "./benchmark.ts";
import type { Place } from "./stage/place.ts";
import { fill, openQueue } from "./stage/queue.ts";
import { run } from "./stage/run.ts";
import { SHELL_PEERS, type ShellPeer, whyAbsent } from "./stage/shell-peers.ts";

const SIZES = {
  full: { rounds: 4, jobs: 2000, widths: [1, 2, 4, 8] },
  quick: { rounds: 1, jobs: 300, widths: [1, 2, 4, 8] },
} as const;
/** For this many at a time there are budgets, and with these the program's own start is told apart. */
const JUDGED_WIDTH = 2;

/** The ways to run several at a time. */
const WAYS = {
  workers: (width: number) => ["--count", String(width), "--concurrency", "1"],
  slots: (width: number) => ["--count", "1", "--concurrency", String(width)],
} as const;
type Way = keyof typeof WAYS;
const SERIES: Readonly<Record<Way, string>> = { workers: "queuectl, a worker each", slots: "queuectl, 1 worker" };

/**
 * The least that the same work can cost: whoever only spawns the jobs, whoever loses what they print, and whoever owes each a
 * log file and an environment.
 */
const LOOPS = {
  "bare loop": import.meta.resolve("./programs/bare-loop.ts"),
  "silent loop": import.meta.resolve("./programs/silent-loop.ts"),
  "logging loop": import.meta.resolve("./programs/logging-loop.ts"),
} as const;
type Loop = keyof typeof LOOPS;

/** Jobs a second. */
interface Rate {
  /** From the start of the first process to the end of the last. */
  readonly whole: number;
  /** From the start of the first job to the end of the last. */
  readonly steady: number;
}

export const throughput: Benchmark = {
  chart: {
    title: "Running /bin/sh -c true, jobs a second",
    panels: [{ name: "jobs/s", kind: "bars", x: "at a time" }],
  },
  async measure(place) {
    const { widths } = SIZES[place.effort];
    // Before anything is measured.
    for (const source of Object.values(LOOPS)) await place.compile(source);
    const findings: Finding[] = [];
    for (const width of widths) {
      place.say(`${width} at a time`);
      findings.push(...(await measureWidth(place, width)));
    }
    const missing = SHELL_PEERS.flatMap((peer) => {
      const why = whyAbsent(peer);
      return why === undefined ? [] : [absent(peer.name, why)];
    });
    return [...findings, ...missing];
  },
};

async function measureWidth(place: Place, width: number): Promise<Finding[]> {
  const { rounds, jobs } = SIZES[place.effort];
  const loops = Object.keys(LOOPS) as Loop[];
  const ways: readonly Way[] = width === 1 ? ["slots"] : ["workers", "slots"];
  const peers = SHELL_PEERS.filter((peer) => width <= (peer.maxWidth ?? width) && whyAbsent(peer) === undefined);
  const rates = await interleave<string, Rate>(rounds, {
    ...Object.fromEntries(loops.map((loop) => [loop, () => runLoop(place, loop, { jobs, width })])),
    ...Object.fromEntries(ways.map((way) => [way, () => runWorkers(place, jobs, WAYS[way](width))])),
    ...Object.fromEntries(peers.map((peer) => [peer.name, () => runPeer(place, peer, { jobs, width })])),
  });
  const figures = (name: string, of: keyof Rate): number[] => (rates[name] ?? []).map((rate) => rate[of]);
  const beside = (name: string, of: keyof Rate = "whole"): Beside => ({ name, samples: figures(name, of) });
  const atLeast = (ratio: number) => (width === JUDGED_WIDTH ? { budget: { atLeast: ratio } } : {});

  const floor: Finding = {
    what: `${width} at a time, logging loop`,
    unit: "/s",
    samples: figures("logging loop", "whole"),
    beside: beside("bare loop"),
  };
  const own = ways.flatMap((way) =>
    loops.flatMap((loop): Finding[] => {
      const what = `${width} at a time, ${way === "slots" ? "1 worker" : `${width} workers`}`;
      const finding = { unit: "/s", ...(loop === "bare loop" ? atLeast(0.9) : {}) } as const;
      const mark = { series: SERIES[way], x: String(width) };
      const whole = { ...finding, what, samples: figures(way, "whole"), beside: beside(loop), mark };
      if (width !== JUDGED_WIDTH) return [whole];
      const steady = { samples: figures(way, "steady"), beside: beside(loop, "steady") };
      return [whole, { ...finding, what: `${what}, once started`, ...steady }];
    }),
  );
  const held = peers.map((peer): Finding => {
    // One that has no more than one at a time is judged there.
    const budget = peer.maxWidth === width ? { budget: { atLeast: 1 } } : atLeast(1);
    const mark = { series: SERIES.slots, x: String(width) };
    const samples = figures("slots", "whole");
    return { what: `${width} at a time, 1 worker`, unit: "/s", samples, beside: beside(peer.name), ...budget, mark };
  });
  return [floor, ...own, ...held];
}

async function runLoop(place: Place, loop: Loop, { jobs, width }: { jobs: number; width: number }): Promise<Rate> {
  const program = await place.compile(LOOPS[loop]);
  const { ms, stdout } = await run(place, [program, String(jobs), String(width), place.fresh("loop")]);
  return { whole: perSecond(jobs, ms), steady: perSecond(jobs, Number(stdout)) };
}

async function runPeer(place: Place, peer: ShellPeer, { jobs, width }: { jobs: number; width: number }): Promise<Rate> {
  const given = Math.min(jobs, peer.maxJobs);
  const rate = perSecond(given, await peer.run(place, given, width));
  return { whole: rate, steady: rate };
}

async function runWorkers(place: Place, jobs: number, way: readonly string[]): Promise<Rate> {
  const directory = place.fresh("drain");
  const before = await openQueue(directory);
  await fill(before, jobs);
  await before.close();
  const { ms } = await run(place, [place.queuectl, "worker-start", ...way, "--drain", "--data-dir", directory]);
  const after = await openQueue(directory);
  const completed = (await after.list("completed")).filter((job) => job.state === "completed");
  await after.close();
  if (completed.length !== jobs) throw new Error(`Only ${completed.length} of ${jobs} jobs were completed.`);
  const firstStart = Math.min(...completed.map((job) => job.processing_started_at));
  const lastEnd = Math.max(...completed.map((job) => job.updated_at));
  return { whole: perSecond(jobs, ms), steady: perSecond(jobs, lastEnd - firstStart) };
}

function perSecond(jobs: number, ms: number): number {
  return jobs / (ms / 1000);
}
