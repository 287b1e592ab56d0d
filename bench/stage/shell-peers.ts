/**
 * Other programs that run shell commands side by side. Each runs `/bin/sh -c true` a job, as queuectl does. What a peer
 * needs to take jobs in is not counted, nor is it for queuectl: queues are filled before, behind a job that waits at a gate.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import type { Place } from "./place.ts";
import { run, timeOf } from "./run.ts";

export interface ShellPeer {
  readonly name: string;
  /** What it must find on PATH. */
  readonly program: string;
  /** The most jobs that it is given: one that would take too long, or can hold no more. */
  readonly maxJobs: number;
  /** It cannot run more at a time. */
  readonly maxWidth?: number;
  /** Runs so many jobs, so many at a time; resolves with the ms that took. Throws when not all were run. */
  run(place: Place, jobs: number, width: number): Promise<number>;
}

export const SHELL_PEERS: readonly ShellPeer[] = [
  { name: "xargs", program: "xargs", maxJobs: 2000, run: runXargs },
  { name: "parallel", program: "parallel", maxJobs: 1000, run: runParallel },
  // Each waiting job is a process that locks the file of every one before it.
  { name: "nq", program: "nq", maxJobs: 2000, maxWidth: 1, run: runNq },
  // Its server selects among at most 1,024 descriptors, one a waiting job.
  { name: "tsp", program: "tsp", maxJobs: 900, run: runTsp },
];

/** Why it cannot be measured here; undefined when it can. */
export function whyAbsent({ name, program }: ShellPeer): string | undefined {
  if (Bun.which(program) === null) return `${program} is not on PATH`;
  if (name !== "parallel") return undefined;
  const { stdout } = Bun.spawnSync([program, "--version"], { stdin: "ignore", stderr: "ignore" });
  return stdout.toString().startsWith("GNU parallel") ? undefined : `${program} is not GNU parallel`;
}

async function runXargs(place: Place, jobs: number, width: number): Promise<number> {
  const lines = linesOf(place, jobs);
  // A shell that becomes xargs: the file is its standard input.
  const command = `exec xargs -P ${width} -I '{}' /bin/sh -c '{}' < ${lines}`;
  return (await run(place, ["/bin/sh", "-c", command])).ms;
}

async function runParallel(place: Place, jobs: number, width: number): Promise<number> {
  const env = { PARALLEL_SHELL: "/bin/sh", PARALLEL_HOME: place.fresh("parallel") };
  mkdirSync(env.PARALLEL_HOME);
  return (
    await run(place, ["parallel", "--will-cite", "--jobs", String(width), "--arg-file", linesOf(place, jobs)], { env })
  ).ms;
}

async function runNq(place: Place, jobs: number): Promise<number> {
  const env = { NQDIR: place.fresh("nq") };
  mkdirSync(env.NQDIR);
  await using gate = new Gate(place);
  timeOf(["nq", "-q", "/bin/sh", "-c", gate.wait], { env });
  timeOf(["/bin/sh", "-c", repeat(jobs, "nq -c -q /bin/sh -c true")], { env });
  const start = performance.now();
  gate.open(1);
  await run(place, ["nq", "-w"], { env });
  return performance.now() - start;
}

async function runTsp(place: Place, jobs: number, width: number): Promise<number> {
  const env = { TS_SOCKET: place.fresh("tsp"), TMPDIR: place.directory };
  await using gate = new Gate(place);
  await using _server = place.atEnd(() => timeOf(["tsp", "-K"], { env }));
  timeOf(["tsp", "-S", String(width)], { env });
  timeOf(["/bin/sh", "-c", repeat(width, `tsp -n /bin/sh -c '${gate.wait}'`)], { env });
  timeOf(["/bin/sh", "-c", repeat(jobs, "tsp -n /bin/sh -c true")], { env });
  const start = performance.now();
  gate.open(width);
  // Until the last one has ended. With several at a time another may end a moment later.
  await run(place, ["tsp", "-w"], { env });
  const ms = performance.now() - start;
  const finished = (await run(place, ["tsp"], { env })).stdout
    .split("\n")
    .filter((line) => / finished /.test(line)).length;
  if (finished <= jobs) throw new Error(`tsp ran only ${finished} of ${jobs + width} jobs.`);
  return ms;
}

function linesOf(place: Place, jobs: number): string {
  const path = place.fresh("lines");
  writeFileSync(path, "true\n".repeat(jobs));
  return path;
}

function repeat(times: number, command: string): string {
  return `i=0; while [ $i -lt ${times} ]; do ${command} > /dev/null || exit; i=$((i + 1)); done`;
}

/** What the first jobs of a queue wait at. */
class Gate implements AsyncDisposable {
  readonly #path: string;
  readonly #undo: AsyncDisposable;
  #fd: number | undefined;

  constructor(place: Place) {
    this.#path = place.fresh("gate");
    timeOf(["mkfifo", this.#path]);
    this.#undo = place.atEnd(() => this.#giveUp());
  }

  /** The command that waits. */
  get wait(): string {
    return `read _ < ${this.#path} || true`;
  }

  /** Lets so many jobs go on. */
  open(jobs: number): void {
    // For reading, too, so that it does not wait for who waits.
    this.#fd = openSync(this.#path, "r+");
    writeSync(this.#fd, "\n".repeat(jobs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#undo[Symbol.asyncDispose]());
  }

  /** Whoever waits still finds an end of the file. */
  #giveUp(): void {
    this.#fd ??= openSync(this.#path, "r+");
    closeSync(this.#fd);
  }
}
