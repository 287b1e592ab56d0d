/** `queuectl worker-start --drain`, two at a time, on a queue of jobs that do nothing, against a loop that only spawns them. */
import { type Benchmark, type Finding, interleave } from "./benchmark.ts";
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
  const runs = await interleave(ROUNDS, {
    floor: () => runBare(bareLoop),
    processes: () => runWorkers(place.queuectl, place.fresh("drain"), WAYS.processes),
    slots: () => runWorkers(place.queuectl, place.fresh("drain"), WAYS.slots),
  });
  return (["processes", "slots"] as const).flatMap((way) => {
    const finding = (what: string, ms: (run: Run) => number): Finding => ({
      what: `${JOBS} × true, ${WAYS[way].join(" ")}${what}`,
      unit: "/s",
      samples: runs[way].map((run) => perSecond(ms(run))),
      floor: runs.floor.map((run) => perSecond(ms(run))),
      budget: { atLeast: 0.9 },
    });
    return [finding("", ({ wholeMs }) => wholeMs), finding(", once started", ({ steadyMs }) => steadyMs)];
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
