/**
 * From the call that enqueues one job in PostgreSQL to an idle worker's having it, by LISTEN and NOTIFY, beside pg-boss and
 * graphile-worker. Both ends are in one process, by connections of their own, so that one clock measures both. Nothing is
 * started for the job.
 */
import type { Benchmark } from "./benchmark.ts";
import { versus } from "./report/versus.ts";
import { contenders, PEERS, PostgresQueue, QUEUECTL, whyAbsent } from "./stage/contender.ts";
import { startPostgres } from "./stage/postgres.ts";

const SIZES = {
  full: { rounds: 3, jobs: 80 },
  quick: { rounds: 1, jobs: 15 },
} as const;
/** Spread so that they meet the worker in each of the things that it does now and then. */
const PAUSES_MS = [20, 71, 33, 112, 58, 27, 95, 44];

export const postgresWakeUp: Benchmark = {
  chart: {
    title: "PostgreSQL: from a job's being enqueued to an idle worker's having it",
    panels: [{ name: "ms", kind: "bars", x: "which" }],
  },
  async measure(place) {
    const { rounds, jobs } = SIZES[place.effort];
    await using postgres = await startPostgres(place);
    const queues = await Promise.all(contenders().map((one) => PostgresQueue.make(place, postgres, one)));
    const ms = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      place.say(`round ${round + 1} of ${rounds}`);
      for (const queue of round % 2 === 0 ? queues : queues.toReversed()) {
        await using process = queue.start();
        const { name } = queue.contender;
        ms.set(name, [...(ms.get(name) ?? []), ...(await process.ask("wakeUps", jobs, PAUSES_MS))]);
      }
    }
    const rows = (what: string, x: string, quantile: number) =>
      versus(
        {
          what: `enqueue → a worker has it, ${what}`,
          unit: "ms",
          samples: ms.get(QUEUECTL.name) ?? [],
          quantile,
          mark: { series: "queuectl", x },
        },
        { peers: PEERS.map(({ name }) => ({ name, samples: ms.get(name) ?? [] })), better: "less" },
      );
    return [
      ...rows("median", "median", 0.5),
      ...rows("99th percentile", "99th percentile", 0.99),
      ...PEERS.flatMap((peer) => whyAbsent(peer) ?? []),
    ];
  },
};
