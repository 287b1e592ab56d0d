/** The archive's files: what counts of them, and what of it is left when a process dies on the way. */
import { describe, expect, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ARCHIVE_STEPS } from "../../src/failpoint.ts";
import type { CompletedJob } from "../../src/job/job.ts";
import { isArchiveRange, withRange } from "../../src/store/files/archive-range.ts";
import { openDoctor } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { DriverProcess } from "../support/driver-process.ts";
import { filesOptions, openFiles } from "../support/files-store.ts";
import { sorted } from "../support/sorted.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = "completed-2026-11";

describe("ranges", () => {
  const first = { name: NAME, from: 0, to: 100, count: 2 };

  test("grow where one goes on from another", () => {
    expect(withRange([first], { name: NAME, from: 100, to: 150, count: 1 })).toEqual([{ ...first, to: 150, count: 3 }]);
  });

  test("stay apart where something lies between them, and in other files", () => {
    const behind = { name: NAME, from: 101, to: 150, count: 1 };
    const other = { name: "completed-2026-12", from: 0, to: 50, count: 1 };
    expect(withRange([first], behind)).toEqual([first, behind]);
    expect(withRange([first], other)).toEqual([first, other]);
  });

  test("count once what is applied again", () => {
    expect(withRange([first], { name: NAME, from: 50, to: 100, count: 1 })).toEqual([first]);
  });

  test.each([
    { ...first, name: "../completed-2026-11" },
    { ...first, from: -1 },
    { ...first, to: 0.5 },
    { ...first, from: 101 },
  ])("that cannot be are none: %j", (range) => {
    expect(isArchiveRange(first)).toBe(true);
    expect(isArchiveRange(range)).toBe(false);
  });
});

describe("an archive", () => {
  test("has a file a month, and lines as of queue.json", async () => {
    using directory = temporaryDirectory();
    let now = Date.UTC(2026, 9, 31, 23, 59);
    const store = await openFiles(directory.path, { now: () => now });
    await complete(store, "october");
    now = Date.UTC(2026, 10, 1);
    await complete(store, "november");
    const jobs = (await store.list("completed")) as CompletedJob[];
    await store.prune({ keep: 0 });
    await store.close();
    const text = (name: string): string => readFileSync(join(directory.path, "archive", name), "utf8");
    expect(sorted(readdirSync(join(directory.path, "archive")))).toEqual(["completed-2026-10.jsonl", `${NAME}.jsonl`]);
    expect(text("completed-2026-10.jsonl")).toBe(`${JSON.stringify(jobs[0])}\n`);
    expect(text(`${NAME}.jsonl`)).toBe(`${JSON.stringify(jobs[1])}\n`);
  });

  test("does not count what no commit speaks of, and goes on behind it", async () => {
    using directory = temporaryDirectory();
    const store = await openFiles(directory.path);
    await complete(store, "a");
    await store.prune({ keep: 0 });
    const [file = ""] = readdirSync(join(directory.path, "archive"));
    appendFileSync(join(directory.path, "archive", file), '{"id":"torn","comm');
    await complete(store, "b");
    await store.prune({ keep: 0 });
    expect(await archivedIds(store)).toEqual(["a", "b"]);
    expect(await store.counts()).toMatchObject({ completed: 2, archived: 2 });
    await store.close();
  });

  test("that was cut says so instead of showing less", async () => {
    using directory = temporaryDirectory();
    const store = await openFiles(directory.path);
    await complete(store, "a", "b");
    await store.prune({ keep: 0 });
    const [file = ""] = readdirSync(join(directory.path, "archive"));
    const path = join(directory.path, "archive", file);
    writeFileSync(path, readFileSync(path, "utf8").replace(/\n.*\n$/, "\n"));
    await expect(archivedIds(store)).rejects.toThrow(path);
    await store.close();
    const { sound, findings } = await (await openDoctor(filesOptions(directory.path))).examine();
    expect(sound).toBe(true);
    expect(findings).toMatchObject([{ severity: "concern", path, problem: expect.stringContaining("1 of 2 jobs") }]);
  });
});

describe.each([...ARCHIVE_STEPS, "append" as const, "appended" as const])("a process that dies at %s", (step) => {
  test("leaves each completed job in one of the two places", async () => {
    using directory = temporaryDirectory();
    await DriverProcess.run(directory.path, ["enqueue:a", "enqueue:b", "claim:2", "finish"]);
    const victim = await DriverProcess.run(directory.path, ["prune"], `${step}:1:kill`);
    expect(victim.signal).toBe("SIGKILL");
    const store = await openFiles(directory.path);
    expect(await store.counts()).toMatchObject({ completed: 2 });
    const ids = [...(await archivedIds(store)), ...(await store.list()).map(({ id }) => id)];
    expect(sorted(ids)).toEqual(["a", "b"]);
    await store.prune({ keep: 0 });
    expect(await archivedIds(store)).toEqual(["a", "b"]);
    expect(await store.counts()).toMatchObject({ completed: 2, archived: 2 });
    await store.close();
  });
});

describe("a worker's process", () => {
  test("archives by itself what is too much, when it has nothing to do", async () => {
    using directory = temporaryDirectory();
    const store = await openFiles(directory.path);
    await using _ = await store.announce({ kind: "worker" });
    await store.setConfig("keep_completed", 1);
    await complete(store, "a", "b", "c");
    await store.settle([], { workerId: "worker-1", limit: 1 });
    await store.close();
    const after = await openFiles(directory.path);
    expect(await archivedIds(after)).toEqual(["a", "b"]);
    await after.close();
  });

  test("archives at work only when there is much", async () => {
    using directory = temporaryDirectory();
    const store = await openFiles(directory.path);
    await using _ = await store.announce({ kind: "worker" });
    await store.setConfig("keep_completed", 10);
    await complete(store, ...Array.from({ length: 60 }, (_, number) => `a-${number}`));
    expect(await store.counts()).toMatchObject({ archived: 0 });
    await complete(store, ...Array.from({ length: 60 }, (_, number) => `b-${number}`));
    await store.close();
    const after = await openFiles(directory.path);
    expect(await after.counts()).toMatchObject({ completed: 120, archived: 110 });
    await after.close();
  });
});

describe("old logs", () => {
  test("of archived jobs are removed; young ones, and those of jobs in the queue, stay", async () => {
    using directory = temporaryDirectory();
    const store = await openFiles(directory.path);
    await store.setConfig("keep_logs", 7);
    for (const id of ["old", "young", "kept"]) await completeWithLog(store, id);
    const logs = join(directory.path, "logs");
    const weekAgo = new Date(Date.now() - 8 * 86_400_000);
    for (const name of readdirSync(logs)) if (!name.startsWith("young")) utimesSync(join(logs, name), weekAgo, weekAgo);
    const size = readdirSync(logs).reduce(
      (sum, name) => sum + (name.startsWith("old") ? statSync(join(logs, name)).size : 0),
      0,
    );
    const pruned = { archived: 2, logs: 1, bytes: size };
    expect(await store.prune({ keep: 1, dryRun: true })).toEqual(pruned);
    expect(readdirSync(logs)).toHaveLength(3);
    expect(await store.prune({ keep: 1 })).toEqual(pruned);
    expect(
      readdirSync(logs)
        .map((name) => name.split("-")[0])
        .sort(),
    ).toEqual(["kept", "young"]);
    await store.close();
  });
});

test("a store that has lost what it knew of its archive counts what is there", async () => {
  using directory = temporaryDirectory();
  const store = await openFiles(directory.path);
  await complete(store, "a", "b", "c");
  await store.prune({ keep: 1 });
  await store.close();
  const path = join(directory.path, "queue.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"generation"', '"gene'));
  await (await openDoctor(filesOptions(directory.path))).mend();
  const mended = await openFiles(directory.path);
  expect(await archivedIds(mended)).toEqual(["a", "b"]);
  expect(await mended.counts()).toMatchObject({ completed: 3, archived: 2 });
  await mended.close();
});

async function complete(store: Store, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    await store.enqueue([{ id, command: "true" }]);
    const { claimed } = await store.settle([], { workerId: "worker-1", limit: 1 });
    await store.settle(claimed.map(({ id, lease }) => ({ id, lease, outcome: { kind: "exited", code: 0 } })));
  }
}

async function completeWithLog(store: Store, id: string): Promise<void> {
  await store.enqueue([{ id, command: "echo" }]);
  const { claimed } = await store.settle([], { workerId: "worker-1", limit: 1 });
  for (const job of claimed) {
    const { path } = await store.openLog(job);
    appendFileSync(path, "said something\n");
  }
  await store.settle(claimed.map(({ id, lease }) => ({ id, lease, outcome: { kind: "exited", code: 0 } })));
}

async function archivedIds(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of store.archived()) ids.push(...batch.map(({ id }) => id));
  return ids;
}
