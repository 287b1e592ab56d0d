/**
 * Writers that come too late, are told to end, or meet a mending: what they leave must lead nobody astray. The steps at which
 * they die or freeze are those of `steps.test.ts`.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DriverProcess } from "../support/driver-process.ts";
import { holdTrue, KEPT, prepared } from "../support/store-under-fault.ts";

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

describe.concurrent("a process that is told to end while it enqueues", () => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  const steps = ["write-queue", "append", "sync-journal", "rename-queue"] as const;

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
    using victim = new DriverProcess(directory.path, ["enqueue:x"], "append:1:stop");
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

function many(operation: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${operation}${index + 1}`);
}
