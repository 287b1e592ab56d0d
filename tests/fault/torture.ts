/**
 * `bun run torture --minutes 20`: for so long, one lane plays the matrix of steps (each a schedule with one process that is
 * killed or frozen at a named step) over and over, and another runs selftests of the compiled program with seeds of their
 * own. Prints sums, and stops at the first broken promise with what is needed to see it again.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Verdict } from "../../src/selftest/torture.ts";

const QUEUECTL = join(import.meta.dir, "../../dist/queuectl");
const MATRIX = ["tests/fault/steps.test.ts", "tests/fault/worker-steps.test.ts"];
const SIZE = { jobs: 60, crash: 40 };

const { values } = parseArgs({ options: { minutes: { type: "string", default: "20" }, seed: { type: "string" } } });
const endsAt = performance.now() + Number(values.minutes) * 60_000;
const firstSeed = Number(values.seed ?? Date.now() % 2 ** 31);
const place = mkdtempSync(join(realpathSync(tmpdir()), "queuectl-torture-"));
const sums = { schedules: 0, selftests: 0, acknowledged: 0, attempts: 0, kills: 0, freezes: 0, requests: 0 };
let broken: string | undefined;

await Promise.all([repeat(playMatrix), repeat(runSelftest)]);
console.log(summary());
if (broken === undefined) rmSync(place, { recursive: true });
else console.log(broken);
process.exitCode = broken === undefined ? 0 : 1;

async function repeat(round: (index: number) => Promise<string | undefined>): Promise<void> {
  for (let index = 0; performance.now() < endsAt && broken === undefined; index++) {
    broken ??= await round(index);
    console.error(summary());
  }
}

async function playMatrix(): Promise<string | undefined> {
  const command = [process.execPath, "test", "--timeout", "120000", "--max-concurrency", "6", ...MATRIX];
  const run = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const output = (await Promise.all([run.stdout.text(), run.stderr.text()])).join("");
  sums.schedules += Number(/^ *(\d+) pass$/m.exec(output)?.[1] ?? 0);
  return (await run.exited) === 0 ? undefined : output;
}

async function runSelftest(index: number): Promise<string | undefined> {
  const seed = firstSeed + index;
  const words = ["--jobs", String(SIZE.jobs), "--crash", String(SIZE.crash), "--seed", String(seed)];
  const run = Bun.spawn([QUEUECTL, "selftest", "--json", "--dir", place, ...words], {
    stdin: "ignore",
    stderr: "inherit",
  });
  const output = await run.stdout.text();
  if ((await run.exited) !== 0) return `queuectl selftest ${words.join(" ")}\n${output}`;
  const { jobs, attempts, struck } = JSON.parse(output) as Verdict;
  sums.selftests += 1;
  sums.acknowledged += jobs.acknowledged;
  sums.attempts += attempts;
  sums.kills += struck.SIGKILL;
  sums.freezes += struck.SIGSTOP;
  sums.requests += struck.SIGTERM + struck.SIGINT + struck.SIGQUIT;
  return undefined;
}

function summary(): string {
  const { schedules, selftests, acknowledged, attempts, kills, freezes, requests } = sums;
  const verdict = broken === undefined ? "every promise kept" : "a promise broken";
  return (
    `${schedules} schedules of the matrix and ${selftests} selftests from seed ${firstSeed} on: ${verdict}. In the ` +
    `selftests, ${acknowledged} jobs acknowledged, ${attempts} attempts, ${kills} kills, ${freezes} freezes, ` +
    `${requests} requests to leave.`
  );
}
