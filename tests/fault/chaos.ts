/**
 * `bun run chaos --minutes 10`: plays every chaos scenario against a queue that always has something to do, and prints
 * what became of its throughput and of its promises. Then two machines share 10,000 jobs while the database restarts twice:
 * with `--namespaces` machines with real names and pid namespaces (root on Linux), else those of a test build.
 */
import { parseArgs } from "node:util";
import type { JobKind } from "../../src/selftest/execution-ledger.ts";
import type { Violation } from "../../src/selftest/invariants.ts";
import { pause } from "../../src/worker/pause.ts";
import { SCENARIOS, type Scenario, staff } from "../support/chaos-scenarios.ts";
import { ChaosStage, type Verdict } from "../support/chaos-stage.ts";
import { machineNamed, namespaceNamed } from "../support/machine.ts";
import { PostgresServer } from "../support/postgres-server.ts";

const SHARED_JOBS = 10_000;
/** One in so many runs longer than a moment. */
const LONG_ONE_IN = 50;
const BACKLOG = { least: 1000, batch: 1000 };
const SAMPLE_EVERY_MS = 100;
/** Of what is measured: before, while it is hurt, after. */
const SHARES = { before: 0.3, during: 0.4, after: 0.3 };
const RECOVERED = 0.5;

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "6" }, namespaces: { type: "boolean", default: false } },
});
const measuredMs = (Number(values.minutes) * 60_000) / SCENARIOS.length;
let brokenPromises = 0;

print(
  "scenario",
  "jobs",
  "before/s",
  "during/s",
  "after/s",
  "after/before",
  "recovered in",
  "lost",
  "overlaps",
  "rerun",
);
for (const scenario of SCENARIOS) await play(scenario);
await share();
process.exitCode = brokenPromises === 0 ? 0 : 1;

async function play(scenario: Scenario): Promise<void> {
  await using server = await PostgresServer.start({ settings: { max_connections: "60" } });
  await using stage = await ChaosStage.open(`${server.url}?schema=chaos`);
  const feeding = new AbortController();
  const fed = feed(stage, feeding.signal);
  staff(stage);
  await stage.goesOn(50);

  const before = await rateOver(stage, measuredMs * SHARES.before);
  const hurting = hurt({ scenario, server, stage }, measuredMs * SHARES.during);
  const during = await rateUntil(stage, hurting);
  const recoveredInMs = await timeUntil(stage, before * RECOVERED);
  const after = await rateOver(stage, measuredMs * SHARES.after);
  feeding.abort();
  await fed;

  const verdict = await stage.finish();
  const seconds = `${(recoveredInMs / 1000).toFixed(1)} s`;
  const rates = [before, during, after].map((rate) => rate.toFixed(0));
  print(scenario.name, verdict.jobs, ...rates, (after / before).toFixed(2), seconds, ...promisesOf(verdict));
}

async function hurt(
  { scenario, ...means }: { scenario: Scenario; server: PostgresServer; stage: ChaosStage },
  ms: number,
): Promise<void> {
  const endsAt = performance.now() + ms;
  for (let index = 0; performance.now() < endsAt; index++) {
    if (index > 0) await means.stage.goesOn();
    await scenario.round({ ...means, random: Math.random }, index);
  }
}

async function share(): Promise<void> {
  await using server = await PostgresServer.start();
  await using stage = await ChaosStage.open(`${server.url}?schema=chaos`);
  await stage.enqueueMany(Array.from({ length: SHARED_JOBS }, () => "succeeds"));
  const machine = values.namespaces ? namespaceNamed : machineNamed;
  const crew = [await machine("machine-a"), await machine("machine-b")].map((one) =>
    stage.start({ machine: one, drain: true }),
  );
  const since = performance.now();
  for (const mode of ["fast", "immediate"] as const) {
    await stage.goesOn(SHARED_JOBS / 4);
    await server.stop(mode);
    await server.start();
  }
  const ends = await Promise.all(crew.map((supervisor) => supervisor.end()));
  const seconds = (performance.now() - since) / 1000;
  const verdict = await stage.finish();
  const [lost, overlaps, rerun] = promisesOf(verdict);
  const shares = ends.map(({ stdout }) => stdout.split("Job succeeded").length - 1);
  console.log(
    `two machines, two restarts: ${verdict.completed} of ${SHARED_JOBS} jobs completed in ${verdict.attempts} attempts ` +
      `(${shares.join(" + ")}) in ${seconds.toFixed(0)} s; lost ${lost}, overlaps ${overlaps}, rerun ${rerun}`,
  );
}

/** Sees to it that there is always something to do. */
async function feed(stage: ChaosStage, stop: AbortSignal): Promise<void> {
  const batch = Array.from(
    { length: BACKLOG.batch },
    (_, index): JobKind => (index % LONG_ONE_IN === 0 ? "takes-long" : "succeeds"),
  );
  while (!stop.aborted) {
    if ((await stage.store.counts()).pending < BACKLOG.least) await stage.add(batch);
    await pause(SAMPLE_EVERY_MS, stop);
  }
}

async function rateOver(stage: ChaosStage, ms: number): Promise<number> {
  return rateUntil(stage, pause(ms));
}

/** Attempts a second that ended until then. */
async function rateUntil(stage: ChaosStage, end: Promise<void>): Promise<number> {
  const [endedBefore, since] = [stage.ended, performance.now()];
  await end;
  return ((stage.ended - endedBefore) * 1000) / (performance.now() - since);
}

/** How long it takes, from the last hurt on, until a second begins in which so many attempts end. */
async function timeUntil(stage: ChaosStage, rate: number): Promise<number> {
  const since = performance.now();
  for (const samples = [stage.ended]; ; samples.push(stage.ended)) {
    await pause(SAMPLE_EVERY_MS);
    const aSecondAgo = samples.at(-1000 / SAMPLE_EVERY_MS);
    if (aSecondAgo !== undefined && stage.ended - aSecondAgo >= rate) return performance.now() - since - 1000;
  }
}

/** Lost, overlaps, rerun; what else is wrong is printed. */
function promisesOf({ violations, rerun }: Verdict): [lost: number, overlaps: number, rerun: number] {
  const count = (rule: Violation["rule"]): number => violations.filter((one) => one.rule === rule).length;
  brokenPromises += violations.length;
  for (const { rule, what } of violations) console.error(`${rule}: ${what}`);
  return [count("lost"), count("overlap"), rerun.length];
}

function print(name: string, ...cells: (string | number)[]): void {
  console.log(`${name.padEnd(18)}${cells.map((cell) => String(cell).padStart(13)).join("")}`);
}
