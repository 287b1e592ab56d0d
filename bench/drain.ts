/** `queuectl worker-start --count 2 --drain` on a queue of jobs that do nothing, against a loop that only spawns them. */
import { type Benchmark, interleave } from "./benchmark.ts";
import { fill, openQueue } from "./queue.ts";

const ROUNDS = 5;
const JOBS = 2000;
const WIDTH = 2;

interface Run {
  /** From the start of the first process to the end of the last. */
  readonly wholeMs: number;
  /** From the start of the first job to the end of the last. */
  readonly steadyMs: number;
}

export const drain: Benchmark = async (place) => {
  const bareLoop = await place.compile(import.meta.resolve("./bare-loop.ts"));
  const steady = { floor: [] as number[], ours: [] as number[] };
  const perSecond = (ms: number): number => JOBS / (ms / 1000);
  const whole = await interleave(ROUNDS, {
    floor: async () => {
      const { wholeMs, steadyMs } = await runBare(bareLoop);
      steady.floor.push(perSecond(steadyMs));
      return perSecond(wholeMs);
    },
    ours: async () => {
      const { wholeMs, steadyMs } = await runWorkers(place.queuectl, place.fresh("drain"));
      steady.ours.push(perSecond(steadyMs));
      return perSecond(wholeMs);
    },
  });
  const what = `${JOBS} × true, ${WIDTH} at a time`;
  const budget = { atLeast: 0.9 };
  return [
    { what, unit: "/s", samples: whole.ours, floor: whole.floor, budget },
    {
      what: `${what}, once started`,
      unit: "/s",
      // Less the round that warms up.
      samples: steady.ours.slice(1),
      floor: steady.floor.slice(1),
      budget,
    },
  ];
};

async function runBare(program: string): Promise<Run> {
  const { wholeMs, stdout } = await run([program, String(JOBS), String(WIDTH)]);
  return { wholeMs, steadyMs: Number(stdout) };
}

async function runWorkers(queuectl: string, directory: string): Promise<Run> {
  const before = await openQueue(directory);
  await fill(before, JOBS);
  await before.close();
  const { wholeMs } = await run([
    queuectl,
    "worker-start",
    "--count",
    String(WIDTH),
    "--drain",
    "--data-dir",
    directory,
  ]);
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
