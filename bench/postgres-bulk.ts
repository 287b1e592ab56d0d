/**
 * Many jobs at once into PostgreSQL, durable before the call returns, beside pg-boss and graphile-worker: each by its call
 * for many, with as many jobs a call. And by queuectl's command line, from a file.
 */
import { rmSync } from "node:fs";
import { absent, type Benchmark, type Finding, interleave } from "./benchmark.ts";
import { versus } from "./report/versus.ts";
import { contenders, PEERS, PostgresQueue, QUEUECTL, whyAbsent } from "./stage/contender.ts";
import type { Place } from "./stage/place.ts";
import { type Postgres, startPostgres } from "./stage/postgres.ts";
import { timeOf } from "./stage/run.ts";
import { jobsInWords, short } from "./stage/words.ts";

const SIZES = {
  full: [
    { jobs: 10_000, batch: 1000, rounds: 5 },
    { jobs: 10_000, batch: 10_000, rounds: 5 },
    { jobs: 100_000, batch: 1000, rounds: 3 },
    { jobs: 100_000, batch: 10_000, rounds: 3 },
  ],
  quick: [
    { jobs: 10_000, batch: 1000, rounds: 1 },
    { jobs: 10_000, batch: 10_000, rounds: 1 },
  ],
} as const;

type Size = (typeof SIZES)["full" | "quick"][number];

export const postgresBulk: Benchmark = {
  chart: {
    title: "Many jobs at once into PostgreSQL, durable",
    panels: [{ name: "jobs/s", kind: "bars", x: "jobs, of them a call", isLogarithmic: true }],
  },
  async measure(place) {
    await using postgres = await startPostgres(place);
    const queues = await Promise.all(contenders().map((one) => PostgresQueue.make(place, postgres, one)));
    const findings: Finding[] = [];
    for (const size of SIZES[place.effort]) {
      place.say(`${jobsInWords(size.jobs, "jobs")}, ${short(size.batch)} a call`);
      findings.push(...(await measureCalls(postgres, queues, size)));
    }
    findings.push(await measureFile(place, { postgres, queues, jobs: place.effort === "full" ? 100_000 : 10_000 }));
    return [...findings, ...PEERS.flatMap((peer) => whyAbsent(peer) ?? [])];
  },
};

async function measureCalls(postgres: Postgres, queues: readonly PostgresQueue[], size: Size): Promise<Finding[]> {
  const { jobs, batch, rounds } = size;
  await using stack = new AsyncDisposableStack();
  const measures = queues.map((queue) => {
    const process = stack.use(queue.start());
    const measure = async (): Promise<number> => {
      await queue.empty();
      await postgres.rest();
      const ms = await process.ask("add", jobs, batch);
      return rateOf(queue, jobs, ms);
    };
    return [queue.contender.name, measure] as const;
  });
  const rates = await interleave<string, number>(rounds, Object.fromEntries(measures));
  const own = {
    what: `${jobsInWords(jobs, "jobs")}, ${short(batch)} a call`,
    unit: "/s",
    samples: rates[QUEUECTL.name] ?? [],
    mark: { series: "queuectl", x: `${short(jobs)}, ${short(batch)}` },
  } as const;
  return versus(own, { peers: PEERS.map(({ name }) => ({ name, samples: rates[name] ?? [] })), better: "more" });
}

/** From the start of the program to its end. */
async function measureFile(
  place: Place,
  { postgres, queues, jobs }: { postgres: Postgres; queues: readonly PostgresQueue[]; jobs: number },
): Promise<Finding> {
  const what = `${jobsInWords(jobs, "jobs")} from a file, by the command line`;
  const queue = queues.find(({ contender }) => contender === QUEUECTL);
  if (queue === undefined) return absent(what, "there is no queue for it");
  place.say(what);
  const file = place.fresh("jobs.jsonl");
  await Bun.write(file, Array.from({ length: jobs }, (_, i) => `{"id":"job-${i + 1}","command":"true"}\n`).join(""));
  const { samples } = await interleave(2, {
    samples: async () => {
      await queue.empty();
      await postgres.rest();
      return rateOf(queue, jobs, timeOf([place.queuectl, "enqueue", "--file", file], { env: queue.environment }));
    },
  });
  rmSync(file);
  return { what, unit: "/s", samples };
}

async function rateOf(queue: PostgresQueue, jobs: number, ms: number): Promise<number> {
  const pending = await queue.pending();
  if (pending !== jobs) throw new Error(`${queue.contender.name} has ${pending} of ${jobs} jobs.`);
  return jobs / (ms / 1000);
}
