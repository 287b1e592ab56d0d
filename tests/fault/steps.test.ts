/**
 * A process dies (SIGKILL) or freezes past the staleness of its lock (SIGSTOP, later SIGCONT) at every step of a commit
 * and of a checkpoint, while others go on. Whatever was acknowledged to anyone must be there in the end, and no job may
 * have been given to two.
 */
import { describe, expect, test } from "bun:test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Step, STORE_STEPS } from "../../src/failpoint.ts";
import { type DriverEnd, DriverProcess } from "../support/driver-process.ts";
import { openFiles } from "../support/files-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

interface Scenario {
  /** What the directory holds before. */
  readonly start:
    | "nothing"
    | "a store"
    | "a store that a worker keeps from resting"
    | "a directory of the original tool";
  readonly operations: readonly string[];
  readonly step: Step;
  readonly nth: number;
}

const KEPT = "a store that a worker keeps from resting";
const ORIGINAL = join(import.meta.dir, "../fixtures/v0");

/** Taken by a change to a store at rest, which is a commit and a checkpoint in one. */
const AT_REST = STORE_STEPS.filter((step) => !["create-dlq", "create-queue", "append", "sync-journal"].includes(step));
const CREATION = ["create-dlq", "create-queue"] as const;
/** Taken by an attempt's claim, by its end, and by a change while a worker lives. */
const COMMIT = ["locked", "append", "appended", "unlock"] as const;

const SCENARIOS: readonly Scenario[] = [
  ...AT_REST.map((step) => scenario("a store", ["enqueue:x"], step)),
  ...[...CREATION, ...AT_REST].map((step) => scenario("nothing", ["enqueue:x"], step)),
  scenario("nothing", ["enqueue:x"], "create-journal", 2),
  ...(["create-journal", "append-checkpoint", "rename-dlq", "rename-queue", "sync-renames"] as const).map((step) =>
    scenario("a directory of the original tool", ["enqueue:x"], step),
  ),
  ...COMMIT.flatMap((step) => [1, 2].map((nth) => scenario("a store", ["claim:2", "finish"], step, nth))),
  // Closing, it leaves the store at rest: a checkpoint of its own.
  ...AT_REST.map((step) => {
    const isInEachCommit = (COMMIT as readonly Step[]).includes(step);
    return scenario("a store", ["claim:2", "finish"], step, isInEachCommit ? 3 : 1);
  }),
  // Here what the others write stands in the same journal as what the late one writes.
  ...[...COMMIT, "sync-journal" as const].map((step) => scenario(KEPT, ["enqueue:x"], step)),
  ...COMMIT.flatMap((step) => [1, 2].map((nth) => scenario(KEPT, ["claim:2", "finish"], step, nth))),
];

describe.concurrent("a process that is told to end while it enqueues", () => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  const steps = ["write-queue", "append-checkpoint", "sync-checkpoint", "rename-queue"] as const;

  test.each(signals.flatMap((signal) => steps.map((step) => [signal, step] as const)))(
    "by %s at %s ends at once, and its job is there whole or not at all",
    async (signal, step) => {
      await using directory = await prepared("a store");
      using victim = new DriverProcess(directory.path, ["enqueue:x"], `${step}:1:stop`);
      await victim.frozen();
      victim.signal(signal);
      victim.thaw();
      expect(await victim.end()).toMatchObject({ signal, acknowledged: [] });
      const others = await DriverProcess.run(directory.path, ["enqueue:g1", "claim:2", "finish", "enqueue:g2"]);
      await holdTrue(directory.path, [others]);
    },
  );
});

describe.concurrent("a mending", () => {
  const damage = (directory: string): void => {
    const path = join(directory, "dlq.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"dlq":[', '"dlq":[ '));
  };

  test("leaves nothing to a writer that was frozen before its append", async () => {
    await using directory = await prepared("a store");
    using victim = new DriverProcess(directory.path, ["enqueue:x"], "append-checkpoint:1:stop");
    await victim.frozen();
    damage(directory.path);
    const mending = await DriverProcess.run(directory.path, ["mend", "enqueue:g1"]);
    victim.thaw();
    const thawed = await victim.end();
    for (const end of [mending, thawed]) expect(end).toMatchObject({ exitCode: 0, stderr: "" });
    await holdTrue(directory.path, [mending, thawed]);
  });

  test.each([
    "write-queue",
    "sync-dlq",
    "create-journal",
    "sync-directory",
    "rename-dlq",
    "rename-queue",
    "sync-renames",
  ] as const)("that dies at %s is done again to the same end", async (step) => {
    await using directory = await prepared("a store");
    damage(directory.path);
    const victim = await DriverProcess.run(directory.path, ["mend"], `${step}:1:kill`);
    expect(victim.signal).toBe("SIGKILL");
    const again = await DriverProcess.run(directory.path, ["mend", "enqueue:g1", "claim:4", "finish"]);
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    const claims = again.acknowledged.flatMap((told) => ("claimed" in told ? told.claimed : []));
    expect(claims.map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
    await holdTrue(directory.path, [again]);
  });
});

/** Found by the model (tests/model): the late one makes a journal of a name that is taken up and done with already. */
test.each([
  ["as they go on", ["enqueue-big:g1", "enqueue-big:g2", "enqueue-big:g3", "enqueue:g4"], []],
  ["and another", ["enqueue-big:g1", "enqueue-big:g2", "enqueue-big:g3"], many("enqueue-big:h", 6)],
] as const)("a checkpoint that comes after another's, %s, leads nobody astray", async (_name, first, second) => {
  await using directory = await prepared(KEPT);
  const big = ["enqueue-big:v1", "enqueue-big:v2", "enqueue-big:v3"];
  const after = ["claim:1", "finish", "enqueue:v4", "claim:1", "finish"];
  using victim = new DriverProcess(directory.path, [...big, ...after], "create-journal:1:stop");
  await victim.frozen();
  const ends = [await DriverProcess.run(directory.path, ["claim:1", "finish", ...first])];
  if (second.length > 0) ends.push(await DriverProcess.run(directory.path, ["claim:1", "finish", ...second]));
  victim.thaw();
  ends.push(await victim.end());
  for (const end of ends) expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  await holdTrue(directory.path, ends);
});

test("nor whoever was frozen between the snapshots and their journal", async () => {
  await using directory = await prepared(KEPT);
  const big = ["enqueue-big:v1", "enqueue-big:v2", "enqueue-big:v3"];
  using late = new DriverProcess(directory.path, big, "create-journal:1:stop");
  await late.frozen();
  const first = await DriverProcess.run(directory.path, many("enqueue-big:g", 3));
  using reader = new DriverProcess(directory.path, ["enqueue:r1", "claim:1", "finish"], "read-snapshots:1:stop");
  await reader.frozen();
  const second = await DriverProcess.run(directory.path, many("enqueue-big:h", 6));
  late.thaw();
  const third = await late.end();
  reader.thaw();
  const ends = [first, second, third, await reader.end()];
  for (const end of ends) expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  await holdTrue(directory.path, ends);
});

/** Each asks the system for something that it may refuse. */
const REFUSED: ReadonlySet<Step> = new Set(
  STORE_STEPS.filter((step) => /^(?:create|append|sync|write|rename)-?/.test(step) && step !== "appended"),
);

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

describe.concurrent("a process that the disk refuses a step", () => {
  const refusable = SCENARIOS.filter(({ step }) => REFUSED.has(step));

  test.each(refusable.map(named))("says so, and nothing acknowledged is lost: %s", async (_name, scenario) => {
    const { start, operations, step, nth } = scenario;
    await using directory = await prepared(start);
    const victim = await DriverProcess.run(directory.path, operations, `${step}:${nth}:EIO`);
    expect(victim.signal).toBe(null);
    expect(victim.stderr).toContain("the disk reports an error (EIO)");
    const others = await DriverProcess.run(directory.path, ["enqueue:g1", "claim:2", "finish", "enqueue:g2"]);
    await holdTrue(directory.path, [victim, others]);
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

function scenario(start: Scenario["start"], operations: readonly string[], step: Step, nth = 1): Scenario {
  return { start, operations, step, nth };
}

function many(operation: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${operation}${index + 1}`);
}

function named(scenario: Scenario): [string, Scenario] {
  const { start, operations, step, nth } = scenario;
  return [`at ${step}${nth > 1 ? ` (${nth})` : ""} of ${operations.join(" ")}, starting from ${start}`, scenario];
}

async function prepared(start: Scenario["start"]): Promise<{ path: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(temporaryDirectory());
  if (start === "a directory of the original tool") cpSync(ORIGINAL, path, { recursive: true });
  if (start === "a store" || start === KEPT) {
    await DriverProcess.run(path, ["enqueue:a", "enqueue:b", "enqueue:c", "enqueue:d"]);
  }
  if (start === KEPT) {
    const worker = stack.adopt(await openFiles(path), (store) => store.close());
    const { id } = stack.use(await worker.announce({ kind: "worker" }));
    await worker.enqueue([{ id: "held", command: "true", priority: 1 }]);
    await worker.settle([], { workerId: id, limit: 1 });
  }
  const all = stack.move();
  return { path, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The store is sound, holds every acknowledged job once, and gave none of them to two. */
async function holdTrue(directory: string, ends: readonly DriverEnd[]): Promise<void> {
  const last = await DriverProcess.run(directory, ["enqueue:last"]);
  expect(last).toMatchObject({ exitCode: 0, stderr: "" });
  const told = [...ends, last].flatMap((end) => end.acknowledged);

  const store = await openFiles(directory);
  const jobs = await store.list();
  const ids = [...jobs, ...(await store.deadLetters())].map((entry) => entry.id);
  await store.close();

  expect(new Set(ids).size).toBe(ids.length);
  for (const acknowledged of told) if ("enqueued" in acknowledged) expect(ids).toContain(acknowledged.enqueued);

  const claims = told.flatMap((acknowledged) => ("claimed" in acknowledged ? acknowledged.claimed : []));
  expect(new Set(claims.map((claim) => claim.lease)).size).toBe(claims.length);
  expect(new Set(claims.map((claim) => claim.id)).size).toBe(claims.length);
  for (const ended of told.flatMap((acknowledged) => ("ended" in acknowledged ? acknowledged.ended : []))) {
    expect(ended.event).toBe("completed");
    expect(jobs.find((job) => job.id === ended.id)?.state).toBe("completed");
  }
}
