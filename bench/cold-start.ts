/** A command from the start of its process to its end, on queues of any size, against a program that only prints a line. */
import { type Benchmark, type Finding, interleave } from "./benchmark.ts";
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
    const hello = await place.compile(import.meta.resolve("./programs/hello.ts"));
    const findings: Finding[] = [];
    for (const { jobs, rounds } of SIZES[place.effort]) {
      for (const state of jobs <= SMALL ? (["pending"] as const) : (["pending", "completed"] as const)) {
        place.say(jobsInWords(jobs, state));
        findings.push(...(await measureSize(place, hello, { jobs, rounds, state })));
      }
    }
    return findings;
  },
};

async function measureSize(
  place: Place,
  hello: string,
  { jobs, rounds, state }: { jobs: number; rounds: number; state: keyof Contents },
): Promise<Finding[]> {
  using queue = await queueOf(place, { [state]: jobs });
  const time = (command: Command, directory: string): number =>
    timeOf([place.queuectl, ...COMMANDS[command], "--data-dir", directory]);
  const ms = await interleave<Command | "hello" | "first", number>(rounds, {
    hello: () => timeOf([hello]),
    "--version": () => timeOf([place.queuectl, ...COMMANDS["--version"]]),
    first: () => time("enqueue", place.fresh("first")),
    // Of an empty queue an enqueue makes one that is not.
    enqueue: () => time("enqueue", jobs === 0 ? place.fresh("first") : queue.directory),
    status: () => time("status", queue.directory),
    list: () => time("list", queue.directory),
  });
  const floor = { name: "hello", samples: ms.hello };
  const commands = (Object.keys(COMMANDS) as Command[]).filter((command) => jobs === 0 || command !== "--version");
  const where = jobs === 0 ? "no queue yet" : jobsInWords(jobs, state);
  const findings = commands.map((command): Finding => {
    const isJudged = command === "enqueue" && jobs <= SMALL;
    return {
      what: command === "--version" ? command : `${command}, ${where}`,
      unit: "ms",
      samples: ms[command],
      beside: floor,
      ...(isJudged ? { budget: { atMost: 2 } } : {}),
      mark: { panel: PANELS[state].name, series: command, x: short(jobs) },
    };
  });
  if (jobs <= SMALL || state === "completed") return findings;
  const empty = { name: "empty queue", samples: ms.first };
  return [
    ...findings,
    { what: `enqueue, ${where}`, unit: "ms", samples: ms.enqueue, beside: empty, budget: { atMost: 2 } },
  ];
}
