/**
 * What is done to a queue that is at work: the five chaos scenarios of the public harness postgresql-job-queue-benchmarking,
 * and a crash of the server. Each is played in rounds; after a round everything is there again that was there before.
 */
import type { ChaosStage } from "./chaos-stage.ts";
import type { PostgresServer } from "./postgres-server.ts";
import type { RunningProgram } from "./running-program.ts";
import { until } from "./until.ts";

interface Arena {
  readonly server: PostgresServer;
  readonly stage: ChaosStage;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

export interface Scenario {
  readonly name: string;
  /** Whether no process of the queue is killed by it: then no job may have been started twice. */
  readonly sparesWorkers: boolean;
  round(arena: Arena, index: number): Promise<void>;
}

const REPLICAS = 2;
const OURS = "application_name = 'queuectl'";

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "postgres_restart",
    sparesWorkers: true,
    async round({ server }, index) {
      await server.stop(index % 2 === 0 ? "fast" : "immediate");
      await server.start();
    },
  },
  {
    name: "pg_backend_kill",
    sparesWorkers: true,
    async round({ server }, index) {
      await using sql = connectTo(server);
      // Whatever they are at; in every other round all of them.
      const which = index % 2 === 0 ? "" : "AND random() < 0.5";
      await sql.unsafe(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS} ${which}`);
    },
  },
  {
    name: "pool_exhaustion",
    sparesWorkers: true,
    async round({ server, stage }) {
      const troublesBefore = stage.troubles;
      await using _ = await takeAllConnections(server);
      await until(() => stage.troubles > troublesBefore, "a worker to find no connection");
    },
  },
  {
    // In that harness it is a replica that crashes, not the server.
    name: "crash_recovery",
    sparesWorkers: false,
    async round({ stage }) {
      const [replica] = stage.crew;
      for (const pid of replica?.workerPids ?? []) kill(pid);
      replica?.kill("SIGKILL");
      await replica?.end();
      staff(stage);
    },
  },
  {
    name: "repeated_kills",
    sparesWorkers: false,
    async round({ stage, random }, index) {
      const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
      const supervisor = pick(stage.crew);
      // A worker that died before is not told apart here, and its pid is given to nobody else so soon.
      if (index % 3 < 2) kill(pick(supervisor?.workerPids ?? []));
      else supervisor?.kill("SIGKILL");
      staff(stage);
    },
  },
  {
    name: "postgres_crash",
    sparesWorkers: true,
    async round({ server }) {
      await server.kill();
      await server.start();
    },
  },
];

/** Starts supervisors until there are as many as there should be. */
export function staff(stage: ChaosStage): RunningProgram[] {
  while (stage.crew.length < REPLICAS) stage.start();
  return stage.crew;
}

function connectTo(server: PostgresServer): Bun.SQL {
  return new Bun.SQL(server.url, { max: 1 });
}

/** None is left for the queue, whose own are ended. */
async function takeAllConnections(server: PostgresServer): Promise<AsyncDisposable> {
  const taken: Bun.SQL[] = [connectTo(server)];
  const [admin] = taken as [Bun.SQL];
  await until(async () => {
    await admin.unsafe(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`);
    for (let one = connectTo(server); await isAnswered(one); one = connectTo(server)) taken.push(one);
    return (await admin.unsafe(`SELECT FROM pg_stat_activity WHERE ${OURS}`)).length === 0;
  }, "every connection to be taken");
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(taken.map((sql) => sql.close({ timeout: 0 })));
    },
  };
}

/** Closed if not. */
async function isAnswered(sql: Bun.SQL): Promise<boolean> {
  try {
    await sql`SELECT 1`;
    return true;
  } catch {
    await sql.close({ timeout: 0 });
    return false;
  }
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is dead already.
  }
}
