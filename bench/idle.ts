/** What workers with nothing to do cost: processor time, memory and system calls, the supervisor's part told apart. */
import { absent, type Benchmark, type Finding } from "./benchmark.ts";
import type { Place } from "./stage/place.ts";
import { HAS_PROC, memory, processorMs, WITHOUT_PROC } from "./stage/proc.ts";
import { startWorkers, type Workers } from "./stage/workers.ts";

const SIZES = {
  full: { counts: [1, 8], watchedMs: 60_000, tracedMs: 10_000 },
  quick: { counts: [1, 8], watchedMs: 10_000, tracedMs: 3000 },
} as const;
/** What they do at their start, and bringing the queue to rest, is over by then. */
const SETTLED_MS = 2000;
const AT_MOST = { percent: 0.2, mib: 60 };

const PANELS = {
  processor: { name: "% of a processor", kind: "bars", x: "idle workers" },
  memory: { name: "MiB a process", kind: "bars", x: "idle workers" },
} as const;

export const idle: Benchmark = {
  chart: { title: "Idle workers", panels: Object.values(PANELS) },
  async measure(place) {
    if (!HAS_PROC) return [absent("idle", WITHOUT_PROC)];
    const findings: Finding[] = [];
    for (const count of SIZES[place.effort].counts) {
      place.say(`${count} idle for ${SIZES[place.effort].watchedMs / 1000} s`);
      findings.push(...(await measureIdle(place, count)));
    }
    return findings;
  },
};

async function measureIdle(place: Place, count: number): Promise<Finding[]> {
  const { watchedMs, tracedMs } = SIZES[place.effort];
  await using started = await startWorkers(place, place.fresh("idle"), ["--count", String(count)]);
  await Bun.sleep(SETTLED_MS);
  const { supervisor, workers } = started;
  const all = [supervisor, ...workers];
  const before = new Map(all.map((pid) => [pid, processorMs(pid)]));
  const start = performance.now();
  await Bun.sleep(watchedMs);
  const passed = performance.now() - start;
  const percent = (pid: number): number => ((processorMs(pid) - (before.get(pid) ?? Number.NaN)) / passed) * 100;
  const mib = (pid: number): number => memory(pid).now;

  const x = String(count);
  const of = (what: string): string => `${what} of ${count === 1 ? "1 worker" : `${count} workers`}`;
  const mark = (panel: keyof typeof PANELS, series: string) => ({ panel: PANELS[panel].name, series, x });
  const processor = { unit: "%", budget: { atMost: AT_MOST.percent } } as const;
  const inMemory = { unit: "MiB", budget: { atMost: AT_MOST.mib } } as const;
  return [
    { what: of("processor, each"), ...processor, samples: workers.map(percent), mark: mark("processor", "a worker") },
    {
      what: of("processor, the supervisor"),
      unit: "%",
      samples: [percent(supervisor)],
      mark: mark("processor", "the supervisor"),
    },
    { what: of("memory, each"), ...inMemory, samples: workers.map(mib), mark: mark("memory", "a worker") },
    {
      what: of("memory, the supervisor"),
      unit: "MiB",
      samples: [mib(supervisor)],
      mark: mark("memory", "the supervisor"),
    },
    await systemCalls(place, started, { what: of("system calls, all"), ms: tracedMs }),
  ];
}

/** A second, of all of them together. */
async function systemCalls(
  place: Place,
  { supervisor, workers }: Workers,
  { what, ms }: { what: string; ms: number },
): Promise<Finding> {
  if (Bun.which("strace") === null) return absent(what, "strace is not on PATH");
  const pids = [supervisor, ...workers].flatMap((pid) => ["-p", String(pid)]);
  const report = place.fresh("strace");
  const strace = place.adopt(
    Bun.spawn(["strace", "-c", "-f", "-o", report, ...pids], { stdin: "ignore", stdout: "ignore", stderr: "pipe" }),
    "SIGINT",
  );
  await Bun.sleep(ms);
  strace.kill("SIGINT");
  const [complaint] = await Promise.all([strace.stderr.text(), strace.exited]);
  const total = /(\d+)\s+(?:\d+\s+)?total$/m.exec(await Bun.file(report).text());
  if (total === null) return absent(what, `strace: ${complaint.trim().split("\n")[0]}`);
  return { what, unit: "/s", samples: [Number(total[1]) / (ms / 1000)] };
}
