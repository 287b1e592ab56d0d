/**
 * The server, its connections and the workers are hurt while jobs run and come in. By what the jobs wrote down themselves,
 * none is lost, none runs twice at a time, and where no worker was killed none is even started again.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { JobKind } from "../../src/selftest/execution-ledger.ts";
import { randomFrom } from "../../src/selftest/random.ts";
import { SCENARIOS, type Scenario, staff } from "../support/chaos-scenarios.ts";
import { ChaosStage } from "../support/chaos-stage.ts";
import { machineNamed } from "../support/machine.ts";
import { PostgresServer } from "../support/postgres-server.ts";
import { until } from "../support/until.ts";

const ROUNDS = 2;
const KINDS: readonly JobKind[] = ["succeeds", "takes-long", "recovers", "succeeds", "escapes", "succeeds"];

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await PostgresServer.start({ settings: { max_connections: "40" } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe("a queue that is hurt goes on and keeps its promises", () => {
  test.each(SCENARIOS.map((scenario): [string, Scenario] => [scenario.name, scenario]))("%s", async (_, scenario) => {
    await using stage = await ChaosStage.open(freshUrl());
    await stage.enqueueMany(Array.from({ length: 5 }, () => KINDS).flat());
    staff(stage);
    const arena = { server, stage, random: randomFrom(1) };
    const hurt = async (): Promise<void> => {
      for (let index = 0; index < ROUNDS; index++) {
        await stage.goesOn();
        await scenario.round(arena, index);
      }
      await stage.goesOn();
    };
    const refused = await whileEnqueuing(stage, hurt());
    const { violations, rerun } = await stage.finish();
    expect({ violations, refused }).toEqual({ violations: [], refused: [] });
    if (scenario.sparesWorkers) expect(rerun).toEqual([]);
  });
});

test("two machines share 300 jobs while the database restarts twice: each is run once", async () => {
  await using stage = await ChaosStage.open(freshUrl());
  await stage.enqueueMany(Array.from({ length: 300 }, () => "succeeds"));
  const machines = [await machineNamed("a"), await machineNamed("b")];
  const crew = machines.map((machine) => stage.start({ machine, drain: true }));
  for (const [mode, ended] of [
    ["fast", 50],
    ["immediate", 150],
  ] as const) {
    // Not so many more: they go on while the server is being started.
    await until(() => stage.ended >= ended, `${ended} attempts to end`, { timeoutMs: 90_000 });
    await server.stop(mode);
    await server.start();
  }
  const ends = await Promise.all(crew.map((supervisor) => supervisor.end()));
  expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  for (const { stdout } of ends) expect(stdout).toContain("Job succeeded");
  expect(await stage.finish()).toMatchObject({ completed: 300, attempts: 300, violations: [], rerun: [] });
});

/** Enqueues job after job until `hurting` is over; returns what the programs that failed had to say. */
async function whileEnqueuing(stage: ChaosStage, hurting: Promise<void>): Promise<string[]> {
  const refused: string[] = [];
  let isOver = false;
  const over = hurting.finally(() => {
    isOver = true;
  });
  for (let index = 0; !isOver; index++) {
    const { exitCode, stderr } = await stage.enqueue(KINDS[index % KINDS.length] ?? "succeeds");
    if (exitCode !== 0) refused.push(stderr);
  }
  await over;
  return refused;
}

function freshUrl(): string {
  schemas += 1;
  return `${server.url}?schema=chaos_${schemas}`;
}
