/**
 * A command from the start of its process to its end, on queues of any size, against a program that only prints a line;
 * and an enqueue, against one that does no more than make the calls to the system that an enqueue cannot do without.
 */
import { type Benchmark, type Beside, type Finding, interleave } from "./benchmark.ts";
import type { Place } from "./stage/place.ts";
import { type Contents, queueOf } from "./stage/queue.ts";
import { timeOf } from "./stage/run.ts";
import { jobsInWords, short } from "./stage/words.ts";

const SIZES = {
  full: [
    { jobs: 0, rounds: 40 },
    { jobs: 100, rounds: 40 },
    { jobs: 1000, rounds: 20 },
    { jobs: 100_000, rounds: 10 },
    { jobs: 1_000_000, rounds: 4 },
  ],
  quick: [
    { jobs: 0, rounds: 5 },
    { jobs: 100, rounds: 5 },
    { jobs: 20_000, rounds: 2 },
  ],
} as const;
/** Up to here an enqueue is held against the least that a program can take; above, against that of an empty queue. */
const SMALL = 100;

const COMMANDS = {
  "--version": ["--version"],
  enqueue: ["enqueue", '{"command":"true"}'],
  status: ["status"],
  list: ["list"],
} as const;
type Command = keyof typeof COMMANDS;

interface Programs {
  readonly hello: string;
  readonly bareEnqueue: string;
}

const PANELS = {
  pending: { name: "ms, jobs pending", kind: "lines", x: "jobs in the queue", isLogarithmic: true },
  completed: { name: "ms, jobs completed", kind: "lines", x: "jobs in the queue", isLogarithmic: true },
} as const;

export const coldStart: Benchmark = {
  chart: {
    title: "A command from start to end",
    panels: Object.values(PANELS),
  },
  async measure(place) {
    const programs = {
      hello: await place.compile(import.meta.resolve("./programs/hello.ts")),
      bareEnqueue: await place.compile(import.meta.resolve("./programs/bare-enqueue.ts")),
    };
    const findings: Finding[] = [];
    for (const { jobs, rounds } of SIZES[place.effort]) {
      for (const state of jobs <= SMALL ? (["pending"] as const) : (["pending", "completed"] as const)) {
        place.say(jobsInWords(jobs, state));
        findings.push(...(await measureSize(place, programs, { jobs, rounds, state })));
      }
    }
    return findings;
  },
};

async function measureSize(
  place: Place,
  { hello, bareEnqueue }: Programs,
  { jobs, rounds, state }: { jobs: number; rounds: number; state: keyof Contents },
): Promise<Finding[]> {
  const hasFloor = jobs > 0 && jobs <= SMALL;
  using queue = await queueOf(place, { [state]: jobs });
  // What the floor leaves is no queue any more, so it has one to itself.
  using spoilt = await queueOf(place, hasFloor ? { [state]: jobs } : {});
  const time = (command: Command, directory: string): number =>
    timeOf([place.queuectl, ...COMMANDS[command], "--data-dir", directory]);
  const ms = await interleave<string, number>(rounds, {
    hello: () => timeOf([hello]),
    "--version": () => timeOf([place.queuectl, ...COMMANDS["--version"]]),
    "empty queue": () => time("enqueue", place.fresh("first")),
    // Of an empty queue an enqueue makes one that is not.
    enqueue: () => time("enqueue", jobs === 0 ? place.fresh("first") : queue.directory),
    ...(hasFloor ? { "bare enqueue": () => timeOf([bareEnqueue, spoilt.directory]) } : {}),
    status: () => time("status", queue.directory),
    list: () => time("list", queue.directory),
  });
  const where = jobs === 0 ? "no queue yet" : jobsInWords(jobs, state);
  const figure = (name: string) => ({ what: `${name}, ${where}`, unit: "ms", samples: ms[name] ?? [] }) as const;
  const beside = (name: string): { beside: Beside } => ({ beside: { name, samples: ms[name] ?? [] } });
  const mark = (series: string) => ({ mark: { panel: PANELS[state].name, series, x: short(jobs) } });
  const atMost = (ratio: number) => ({ budget: { atMost: ratio } });

  const commands = (Object.keys(COMMANDS) as Command[]).filter((command) => jobs === 0 || command !== "--version");
  const findings = commands.map(
    (command): Finding => ({
      ...figure(command),
      ...(command === "--version" ? { what: command } : {}),
      ...beside("hello"),
      ...(command === "enqueue" && jobs <= SMALL ? atMost(2) : {}),
      ...mark(command),
    }),
  );
  if (hasFloor) {
    findings.push({ ...figure("enqueue"), ...beside("bare enqueue"), ...atMost(2) });
    findings.push({ ...figure("bare enqueue"), ...beside("hello"), ...mark("bare enqueue") });
  }
  if (jobs > SMALL && state === "pending") {
    findings.push({ ...figure("enqueue"), ...beside("empty queue"), ...atMost(2) });
  }
  return findings;
}
