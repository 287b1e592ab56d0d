/**
 * A process dies (SIGKILL) or freezes past the staleness of its lock (SIGSTOP, later SIGCONT) at every step of a commit
 * and of a checkpoint, while others go on. Whatever was acknowledged to anyone must be there in the end, and no job may
 * have been given to two.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { STORE_STEPS, type Step } from "../../src/failpoint.ts";
import { DriverProcess } from "../support/driver-process.ts";
import { openFiles } from "../support/files-store.ts";
import { holdTrue, KEPT, prepared, type Start } from "../support/store-under-fault.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

interface Scenario {
  readonly start: Start;
  readonly operations: readonly string[];
  readonly step: Step;
  readonly nth: number;
}

const CREATION = ["create-journal", "create-dlq", "create-queue"] as const;
/** Taken by an attempt's claim, by its end, and by a change while a worker lives. */
const COMMIT = ["locked", "append", "appended", "unlock"] as const;
/** Taken by a change to a store at rest, whose snapshots hold it at once. */
const AT_REST = [
  "read-snapshots",
  ...COMMIT,
  "sync-journal",
  "write-queue",
  "sync-queue",
  "remove-other-temporaries",
  "rename-queue",
] as const;
/** Besides, when a dead letter comes or goes. */
const WITH_DLQ = ["write-dlq", "sync-dlq", "rename-dlq"] as const;
const CHECKPOINT = STORE_STEPS.filter(
  (step) => !["create-dlq", "create-queue", "append", "sync-journal"].includes(step),
);

const LATE_CHECKPOINT = CHECKPOINT.filter(
  (step) => step !== "read-snapshots" && !(COMMIT as readonly Step[]).includes(step),
);
const GROWTH = ["enqueue-big:x1", "enqueue-big:x2", "enqueue-big:x3", "enqueue:x4"];

const SCENARIOS: readonly Scenario[] = [
  ...AT_REST.map((step) => scenario("a store", ["enqueue:x"], step)),
  ...[...CREATION, ...AT_REST].map((step) => scenario("nothing", ["enqueue:x"], step)),
  // Of the original's files a change makes our own: a checkpoint that holds the change.
  ...CHECKPOINT.map((step) => scenario("a directory of the original tool", ["enqueue:x"], step)),
  scenario("a directory of the original tool", ["enqueue:x"], "create-journal", 2),
  ...COMMIT.flatMap((step) => [1, 2].map((nth) => scenario("a store", ["claim:2", "finish"], step, nth))),
  ...[...AT_REST, ...WITH_DLQ].map((step) => scenario("a store with a dead letter", ["requeue:dead"], step)),
  ...AT_REST.map((step) => scenario("a store", ["remove:d"], step)),
  ...WITH_DLQ.map((step) => scenario("a store with a dead letter", ["edit:dead"], step)),
  ...[...AT_REST, ...WITH_DLQ].map((step) => scenario("a store with a dead letter", ["remove:dead"], step)),
  // Closing, it leaves the store at rest: a checkpoint of its own.
  ...CHECKPOINT.map((step) => {
    const isInEachCommit = (COMMIT as readonly Step[]).includes(step);
    return scenario("a store", ["claim:2", "finish"], step, isInEachCommit ? 3 : 1);
  }),
  // Here what the others write stands in the same journal as what the late one writes.
  ...[...COMMIT, "sync-journal" as const].map((step) => scenario(KEPT, ["enqueue:x"], step)),
  ...[...COMMIT, "sync-journal" as const].map((step) => scenario(KEPT, ["cancel:d"], step)),
  ...COMMIT.flatMap((step) => [1, 2].map((nth) => scenario(KEPT, ["claim:2", "finish"], step, nth))),
  // The journal outgrows its snapshots, and together they are too large for anybody to wait until new ones are written.
  ...LATE_CHECKPOINT.map((step) => scenario(KEPT, GROWTH, step)),
  // It is not read to add a job to it.
  ...[...COMMIT, "sync-journal" as const].map((step) => scenario("a large store", ["enqueue:x"], step)),
  ...COMMIT.flatMap((step) => [1, 2].map((nth) => scenario("a large store", ["claim:2", "finish"], step, nth))),
];

describe.concurrent("a process that dies loses nothing that was acknowledged", () => {
  test.each(SCENARIOS.map(named))("%s", async (_name, { start, operations, step, nth }) => {
    await using directory = await prepared(start);
    const victim = await DriverProcess.run(directory.path, operations, `${step}:${nth}:kill`);
    expect(victim.signal).toBe("SIGKILL");
    const others = await DriverProcess.run(directory.path, ["enqueue:g1", "claim:2", "finish", "enqueue:g2"]);
    await holdTrue(directory.path, [victim, others]);
  });
});

describe.concurrent("a process that was frozen past its lock changes nothing that others have done since", () => {
  test.each(SCENARIOS.map(named))("%s", async (_name, { start, operations, step, nth }) => {
    await using directory = await prepared(start);
    using victim = new DriverProcess(directory.path, operations, `${step}:${nth}:stop`);
    await victim.frozen();
    const first = await DriverProcess.run(directory.path, ["enqueue:g1", "claim:2", "finish"]);
    const second = await DriverProcess.run(directory.path, ["enqueue:h1", "claim:1", "enqueue:h2", "finish"]);
    victim.thaw();
    const thawed = await victim.end();
    for (const end of [first, second, thawed]) expect(end).toMatchObject({ exitCode: 0, stderr: "" });
    await holdTrue(directory.path, [thawed, first, second]);
  });
});

describe.concurrent("a late checkpoint that was frozen while others made theirs brings nothing back", () => {
  test.each([...LATE_CHECKPOINT])("at %s", async (step) => {
    await using directory = await prepared(KEPT);
    using victim = new DriverProcess(directory.path, GROWTH, `${step}:1:stop`);
    await victim.frozen();
    const grown = ["y1", "y2", "y3", "y4", "y5", "y6", "y7"].map((id) => `enqueue-big:${id}`);
    const others = await DriverProcess.run(directory.path, [...grown, "claim:2", "finish"]);
    victim.thaw();
    const thawed = await victim.end();
    for (const end of [others, thawed]) expect(end).toMatchObject({ exitCode: 0, stderr: "" });
    await holdTrue(directory.path, [others, thawed]);
  });
});

test("the snapshots of a late checkpoint whose writer died are written by who comes next", async () => {
  await using directory = await prepared(KEPT);
  const victim = await DriverProcess.run(directory.path, GROWTH, "write-queue:1:kill");
  expect(victim.signal).toBe("SIGKILL");
  const journals = (): string[] => readdirSync(directory.path).filter((name) => name.startsWith("journal."));
  expect(journals()).toHaveLength(2);
  const others = await DriverProcess.run(directory.path, ["enqueue-big:y1", "enqueue-big:y2", "enqueue-big:y3"]);
  expect(journals()).toHaveLength(1);
  await holdTrue(directory.path, [victim, others]);
});

/** Each asks the system for something that it may refuse: for want of space, or because the disk fails. */
const REFUSALS: readonly [code: string, said: string, steps: RegExp][] = [
  ["ENOSPC", "the disk is full (ENOSPC)", /^(?:create|write|append)(?:-|$)/],
  ["EIO", "the disk reports an error (EIO)", /^(?:sync|rename)-/],
  ["short", "bytes were taken", /^append(?:-|$)/],
];

describe.concurrent("a process that the disk refuses a step", () => {
  const cases = REFUSALS.flatMap(([code, said, steps]) =>
    SCENARIOS.filter(({ step }) => steps.test(step)).map((each) => [code, named(each)[0], said, each] as const),
  );

  test.each(cases)("(%s) says so, and nothing acknowledged is lost: %s", async (code, _name, said, scenario) => {
    const { start, operations, step, nth } = scenario;
    await using directory = await prepared(start);
    const victim = await DriverProcess.run(directory.path, operations, `${step}:${nth}:${code}`);
    expect(victim.signal).toBe(null);
    expect(victim.stderr).toContain(said);
    const others = await DriverProcess.run(directory.path, ["enqueue:g1", "claim:2", "finish", "enqueue:g2"]);
    await holdTrue(directory.path, [victim, others]);
  });
});

describe.concurrent("a snapshot of which the disk takes half at first", () => {
  const cases = SCENARIOS.filter(({ step }) => step.startsWith("write-"));

  test.each(cases.map(named))("is written to its end: %s", async (_name, { start, operations, step, nth }) => {
    await using directory = await prepared(start);
    const victim = await DriverProcess.run(directory.path, operations, `${step}:${nth}:short`);
    expect(victim).toMatchObject({ exitCode: 0, stderr: "" });
    await holdTrue(directory.path, [victim]);
  });
});

/** The original tool lost a job here: it was in neither file when the second write failed. */
test.each(["rename-dlq", "rename-queue"] as const)(
  "whoever reads the two files by himself finds a job that died in one of them, also if its writer dies at %s",
  async (step) => {
    using directory = temporaryDirectory();
    const store = await openFiles(directory.path);
    await store.setConfig("max_retries", 0);
    await store.close();
    await DriverProcess.run(directory.path, ["enqueue:x"]);
    const victim = await DriverProcess.run(directory.path, ["claim:1", "fail"], `${step}:1:kill`);
    expect(victim.signal).toBe("SIGKILL");
    const files = ["queue.json", "dlq.json"].map((name) => readFileSync(join(directory.path, name), "utf8"));
    expect(files.filter((text) => text.includes('"id":"x"'))).not.toEqual([]);
  },
);

function scenario(start: Start, operations: readonly string[], step: Step, nth = 1): Scenario {
  return { start, operations, step, nth };
}

function named(scenario: Scenario): [string, Scenario] {
  const { start, operations, step, nth } = scenario;
  return [`at ${step}${nth > 1 ? ` (${nth})` : ""} of ${operations.join(" ")}, starting from ${start}`, scenario];
}
