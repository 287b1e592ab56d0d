/** Which lines stand out by their colour. What they say is the same without it. */
import { expect, test } from "bun:test";
import type { JobEvent } from "../../src/job/event.ts";
import type { DeadLetter, PendingJob, ProcessingJob } from "../../src/job/job.ts";
import type { JobResult } from "../../src/job/result.ts";
import { type Colours, NO_COLOURS } from "../../src/output/colours.ts";
import { HumanOutput } from "../../src/output/human.ts";
import { collect } from "./collected.ts";

const TAGGED: Colours = {
  bold: (text) => `<bold>${text}`,
  dim: (text) => `<dim>${text}`,
  red: (text) => `<red>${text}`,
  yellow: (text) => `<yellow>${text}`,
  green: (text) => `<green>${text}`,
  cyan: (text) => `<cyan>${text}`,
};
const fields = { command: "make", run_at: 1, attempts: 1, max_retries: 3, created_at: 1, updated_at: 1 };
const pending: PendingJob = { id: "p1", state: "pending", ...fields };
const running = { processing_started_at: 1, worker_id: "worker-1", lease: 7 };
const processing: ProcessingJob = { id: "p1", state: "processing", ...fields, ...running };
const dead: DeadLetter = { ...{ id: "p1", command: "make", error: "exit 1" }, ...fields, failed_at: 1 };
const good: JobResult = { id: "good", command: "true", state: "completed", attempts: 1 };

async function shown(colours: Colours, act: (output: HumanOutput) => unknown): Promise<string[]> {
  const sinks = collect();
  await act(new HumanOutput(sinks, { screen: { width: 80, colours }, messageColours: colours }));
  return `${sinks.stdout()}${sinks.stderr()}`.trimEnd().split("\n");
}

test.each([
  [{ event: "claimed", job: processing }, ""],
  [{ event: "rescheduled", job: pending, delayMs: 1 }, "<yellow>"],
  [{ event: "dead-lettered", job: dead }, "<red>"],
] as const satisfies [JobEvent, string][])("in the log of workers %j is %p", async (change, tag) => {
  const event = { event: "job", workerId: "worker-1", change } as const;
  const plain = await shown(NO_COLOURS, (output) => output.event(event));
  expect(await shown(TAGGED, (output) => output.event(event))).toEqual(plain.map((line) => tag + line));
});

test.each([
  [[good], "<green>1 job in 1.0s: 1 completed."],
  [[good, { ...good, state: "pending" }], "<yellow>2 jobs in 1.0s: 1 completed, 1 not ended."],
  [[good, { ...good, state: "dead" }], "<red>2 jobs in 1.0s: 1 completed, 1 failed."],
] as const satisfies [JobResult[], string][])("what became of %j is %p", async (results, line) => {
  const view = { view: "outcome", results, how: "all-ended", ms: 1000 } as const;
  expect(await shown(TAGGED, (output) => output.result(view))).toEqual([line]);
});

test("in tables what is paused stands out, and the sum of all", async () => {
  const held = { pending: 0, waiting: 0, processing: 0 };
  const queues = ["deploy", "mail"].map((name) => ({ name, ...held, paused: name === "mail" }));
  const [, ...rows] = await shown(TAGGED, (output) => output.result({ view: "queues", queues }));
  expect(rows.map((row) => row.includes("<yellow>paused"))).toEqual([false, true]);
  const figures = { jobs: 1, runs: 1, failures: 0, flaky: 0, p50_ms: 1, p95_ms: 1 };
  const stats = { all: figures, commands: [{ command: "make", ...figures }] };
  const [, ...lines] = await shown(TAGGED, (output) => output.result({ view: "stats", stats }));
  expect(lines.map((line) => line.startsWith("<bold>"))).toEqual([false, true]);
});

test("among the lines about a failed job the first is red, and what it printed is not", async () => {
  const lines = ["✗ bad: exit 1", "    ✗ 3 of 7 tests"];
  expect(await shown(TAGGED, (output) => output.aside(lines))).toEqual(["<red>✗ bad: exit 1", "    ✗ 3 of 7 tests"]);
});
