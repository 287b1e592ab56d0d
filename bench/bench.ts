/**
 * `bun run bench [name…] [--quick] [--save]`: what the queue costs, beside the least that the same work can cost and beside
 * other programs that do it. Read the ratios: both sides come from one run on one machine, measured in turn. The absolute
 * figures are the machine's.
 *
 * The results are written to `bench/results/`, and some of them into the tables of `docs/scale.md`; those of a quick run
 * only with `--save`, and never those of a benchmark that failed. The exit code is 1 when a benchmark could not be carried
 * out; a budget that is not kept is told, and no failure.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, Finding } from "./benchmark.ts";
import { bigQueue } from "./big-queue.ts";
import { bulk } from "./bulk.ts";
import { claimAndSettle } from "./claim-and-settle.ts";
import { coldStart } from "./cold-start.ts";
import { readCommandLine, type Wishes } from "./command-line.ts";
import { endurance } from "./endurance.ts";
import { idle } from "./idle.ts";
import { postgresBulk } from "./postgres-bulk.ts";
import { postgresClaim } from "./postgres-claim.ts";
import { postgresEndurance } from "./postgres-endurance.ts";
import { postgresWakeUp } from "./postgres-wake-up.ts";
import { drawChart } from "./report/chart.ts";
import { withFigures } from "./report/document.ts";
import { inShort, inWords, load, machineOf } from "./report/machine.ts";
import { type Result, writeResults } from "./report/results.ts";
import { tableOf } from "./report/table.ts";
import { rescue } from "./rescue.ts";
import { scale } from "./scale.ts";
import { Place } from "./stage/place.ts";
import { throughput } from "./throughput.ts";
import { wakeUp } from "./wake-up.ts";

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  throughput,
  "cold-start": coldStart,
  bulk,
  "claim-and-settle": claimAndSettle,
  "wake-up": wakeUp,
  idle,
  "big-queue": bigQueue,
  endurance,
  rescue,
  "postgres-bulk": postgresBulk,
  "postgres-claim": postgresClaim,
  "postgres-wake-up": postgresWakeUp,
  "postgres-endurance": postgresEndurance,
  scale,
};
const RESULTS = join(import.meta.dir, "results");
/** Has tables of what some of them found. */
const DOCUMENT = join(import.meta.dir, "..", "docs", "scale.md");
const INTERRUPTED = 130;

const wishes = readCommandLine(process.argv.slice(2), Object.keys(BENCHMARKS));
if ("mistake" in wishes) {
  console.error(wishes.mistake);
  process.exitCode = 2;
} else {
  // What its caller has set for a queue of his own is not to be measured.
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("QUEUECTL_") && !name.startsWith("QUEUECTL_BENCH_")) delete process.env[name];
  }
  process.exitCode = (await carryOut(wishes)) ? 0 : 1;
}

/** False when a benchmark failed. */
async function carryOut({ names, quick, save }: Wishes): Promise<boolean> {
  await using place = new Place(quick ? "quick" : "full");
  clearOnSignals(place);
  const machine = machineOf(place);
  console.log(`${inWords(machine)}, load ${load().toFixed(1)} before`);
  const results = new Map<string, Result>();
  for (const name of names) {
    const benchmark = BENCHMARKS[name];
    if (benchmark === undefined) continue;
    console.error(`${name}...`);
    const before = { at: new Date(), effort: place.effort, load: load() };
    const findings = await measure(place, name, benchmark);
    const day = before.at.toISOString().slice(0, 10);
    const caption = `${day}: ${inShort(machine)}${quick ? ", a quick run" : ""}`;
    results.set(name, { ...before, findings, chart: drawChart(benchmark.chart, findings, caption) });
    const remark = quick ? " (quick: small sizes and few rounds, to see that it works; no figures to tell)" : "";
    console.log(["", `${name}${remark}`, ...tableOf(findings)].join("\n"));
  }
  const whole = new Map(Array.from(results).filter(([, { findings }]) => !findings.some(isFailure)));
  if (whole.size > 0 && (!quick || save)) {
    const written = writeResults(RESULTS, machine, whole);
    writeFileSync(DOCUMENT, withFigures(readFileSync(DOCUMENT, "utf8"), whole));
    console.log(["", "Written:", ...[...written, DOCUMENT].map((path) => `  ${path}`)].join("\n"));
  }
  return whole.size === names.length;
}

/** A benchmark that fails must not take the others with it. */
async function measure(place: Place, name: string, benchmark: Benchmark): Promise<Finding[]> {
  try {
    return await benchmark.measure(place);
  } catch (error) {
    return [{ what: name, because: error instanceof Error ? error.message : String(error), isFailure: true }];
  } finally {
    await place.clear();
  }
}

function isFailure(finding: Finding): boolean {
  return "because" in finding && finding.isFailure;
}

/** ^C must leave no workers behind, nor a gigabyte of queues. */
function clearOnSignals(place: Place): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => void place[Symbol.asyncDispose]().finally(() => process.exit(INTERRUPTED)));
  }
}
