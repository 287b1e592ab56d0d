/** `queuectl worker-start --drain`, two at a time, on a queue of jobs that do nothing, against a loop that only spawns them. */
import { type Benchmark, interleave } from "./benchmark.ts";
import { fill, openQueue } from "./queue.ts";

const ROUNDS = 5;
const JOBS = 2000;
const WIDTH = 2;

/** The two ways to run two at a time. */
const WAYS = { processes: ["--count", "2"], slots: ["--concurrency", "2"] } as const;

interface Run {
  /** From the start of the first process to the end of the last. */
  readonly wholeMs: number;
  /** From the start of the first job to the end of the last. */
  readonly steadyMs: number;
}

export const drain: Benchmark = async (place) => {
  const bareLoop = await place.compile(import.meta.resolve("./bare-loop.ts"));
  const steady: Record<string, number[]> = { floor: [], processes: [], slots: [] };
  const taken = (who: string, { wholeMs, steadyMs }: Run): number => {
    steady[who]?.push(perSecond(steadyMs));
    return perSecond(wholeMs);
  };
  const workers = async (way: keyof typeof WAYS): Promise<number> =>
    taken(way, await runWorkers(place.queuectl, place.fresh("drain"), WAYS[way]));
  const whole = await interleave(ROUNDS, {
    floor: async () => taken("floor", await runBare(bareLoop)),
    processes: () => workers("processes"),
    slots: () => workers("slots"),
  });
  // Less the round that warms up.
  const afterStart = (who: string): number[] => steady[who]?.slice(1) ?? [];
  return (["processes", "slots"] as const).flatMap((way) => {
    const what = `${JOBS} × true, ${WAYS[way].join(" ")}`;
    const row = { unit: "/s", budget: { atLeast: 0.9 } } as const;
    return [
      { ...row, what, samples: whole[way], floor: whole.floor },
      { ...row, what: `${what}, once started`, samples: afterStart(way), floor: afterStart("floor") },
    ];
  });
};

function perSecond(ms: number): number {
  return JOBS / (ms / 1000);
}

async function runBare(program: string): Promise<Run> {
  const { wholeMs, stdout } = await run([program, String(JOBS), String(WIDTH)]);
  return { wholeMs, steadyMs: Number(stdout) };
}

async function runWorkers(queuectl: string, directory: string, way: readonly string[]): Promise<Run> {
  const before = await openQueue(directory);
  await fill(before, JOBS);
  await before.close();
  const { wholeMs } = await run([queuectl, "worker-start", ...way, "--drain", "--data-dir", directory]);
  const after = await openQueue(directory);
  const completed = (await after.list("completed")).filter((job) => job.state === "completed");
  await after.close();
  if (completed.length !== JOBS) throw new Error(`Only ${completed.length} of ${JOBS} jobs were completed.`);
  const firstStart = Math.min(...completed.map((job) => job.processing_started_at));
  const lastEnd = Math.max(...completed.map((job) => job.updated_at));
  return { wholeMs, steadyMs: lastEnd - firstStart };
}

async function run(command: string[]): Promise<{ wholeMs: number; stdout: string }> {
  const start = performance.now();
  const process = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const [stdout, code] = await Promise.all([process.stdout.text(), process.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with exit code ${code}.`);
  return { wholeMs: performance.now() - start, stdout };
}
