import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { remove } from "../../src/job/control.ts";
import type { JobSpec } from "../../src/job/spec.ts";
import { encodeIndex, IdIndex } from "../../src/store/files/id-index.ts";
import type { Position } from "../../src/store/files/position.ts";
import { openFiles } from "../support/files-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { refused } from "./contract/bench.ts";

const PAGE_BYTES = 4096;

/** Some place in a journal. */
function positionAt(at: number): Position {
  return { generation: 7, at, end: { sum: "0123456789abcdef", seq: at } };
}

function indexOf(path: string, ids: readonly string[]): void {
  writeFileSync(path, Buffer.concat([...encodeIndex(ids, ids.length, positionAt(100))]), { mode: 0o600 });
}

function numbered(count: number, prefix = "job"): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}`);
}

function opened(path: string): IdIndex {
  const index = IdIndex.open(path);
  if (!index) throw new Error("no index is there");
  return index;
}

describe("an index of ids", () => {
  test.each([0, 1, 500, 20_000])("of %d holds each of them and no other", (count) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "ids.bin");
    indexOf(path, numbered(count));
    using index = opened(path);
    expect(index.position).toEqual(positionAt(100));
    expect(numbered(count).every((id) => index.mayHold(id))).toBe(true);
    expect(numbered(1000, "other").filter((id) => index.mayHold(id))).toEqual([]);
  });

  test("goes on with what is added, also for whoever opens it anew", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "ids.bin");
    indexOf(path, numbered(10));
    {
      using index = opened(path);
      index.extend(numbered(2000, "new"), positionAt(200));
      index.extend(["last"], positionAt(300));
      expect([...numbered(2000, "new"), "last"].every((id) => index.mayHold(id))).toBe(true);
    }
    using index = opened(path);
    expect(index.position).toEqual(positionAt(300));
    expect([...numbered(2000, "new"), "last"].every((id) => index.mayHold(id))).toBe(true);
    expect(numbered(1000, "other").filter((id) => index.mayHold(id))).toEqual([]);
  });

  test("reaches no further than to what was lost, and on again from what was added twice", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "ids.bin");
    indexOf(path, numbered(10));
    const start = statSync(path).size;
    {
      using index = opened(path);
      index.extend(["lost"], positionAt(200));
      index.extend(["behind"], positionAt(300));
    }
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(start + 300) ^ 1, start + 300);
    writeFileSync(path, bytes);
    using index = opened(path);
    expect(index.position).toEqual(positionAt(100));
    index.extend(["lost", "behind"], positionAt(300));
    using again = opened(path);
    expect(again.position).toEqual(positionAt(300));
    expect(["lost", "behind"].every((id) => again.mayHold(id))).toBe(true);
  });

  test("goes on behind a block of which only a part was written", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "ids.bin");
    indexOf(path, numbered(10));
    {
      using index = opened(path);
      index.extend(numbered(1000, "torn"), positionAt(200));
    }
    truncateSync(path, statSync(path).size - 1);
    {
      using index = opened(path);
      expect(index.position).toEqual(positionAt(100));
      index.extend(["new"], positionAt(300));
    }
    using index = opened(path);
    expect(index.position).toEqual(positionAt(300));
    expect(index.mayHold("new")).toBe(true);
  });

  test("whose page is damaged knows nothing of what might stand there", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "ids.bin");
    indexOf(path, numbered(10));
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(PAGE_BYTES + 300) ^ 1, PAGE_BYTES + 300);
    writeFileSync(path, bytes);
    using index = opened(path);
    expect(numbered(10, "other").every((id) => index.mayHold(id))).toBe(true);
  });

  test.each(["cut off", "flipped"])("whose first page is %s is none", (damage) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "ids.bin");
    indexOf(path, numbered(10));
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    if (damage === "cut off") truncateSync(path, PAGE_BYTES - 1);
    else writeFileSync(path, bytes);
    expect(IdIndex.open(path)).toBe(undefined);
  });
});

/** Large enough for its snapshots to be written late, and with them the index. */
async function largeStore(directory: string): Promise<void> {
  const store = await openFiles(directory);
  await store.enqueue(numbered(8000).map((id) => ({ id, command: "true" })));
  await store.close();
}

async function enqueueIn(directory: string, id: string): Promise<string> {
  const store = await openFiles(directory);
  try {
    await store.enqueue([{ id, command: "true" }]);
    return "enqueued";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await store.close();
  }
}

const TAKEN = 'A job with ID "job-17" exists already (pending).';
const TAKEN_SINCE = 'A job with ID "since" exists already (pending).';

describe("a large store to which jobs are added", () => {
  const damages: [string, (ids: string) => void][] = [
    ["with its index", () => {}],
    ["without its index", (ids) => rmSync(ids)],
    ["with an index that is empty", (ids) => truncateSync(ids)],
    ["with an index that lacks its end", (ids) => truncateSync(ids, statSync(ids).size - 5000)],
    ["with an index of something else", (ids) => indexOf(ids, ["x"])],
    [
      "with an index of which every page is damaged",
      (ids) =>
        writeFileSync(
          ids,
          readFileSync(ids).map((byte) => byte ^ 1),
        ),
    ],
  ];

  test.each(damages)("%s takes each id once", async (_name, damage) => {
    using directory = temporaryDirectory();
    await largeStore(directory.path);
    expect(await enqueueIn(directory.path, "since")).toBe("enqueued");
    damage(join(directory.path, "ids.bin"));
    expect(await enqueueIn(directory.path, "job-17")).toBe(TAKEN);
    expect(await enqueueIn(directory.path, "since")).toBe(TAKEN_SINCE);
    expect(await enqueueIn(directory.path, "new")).toBe("enqueued");
    expect(await enqueueIn(directory.path, "new")).toContain("exists already");
    const store = await openFiles(directory.path);
    const ids = (await store.list()).map(({ id }) => id);
    await store.close();
    expect(ids).toEqual([...numbered(8000), "since", "new"]);
  });

  test("has one job of a key, whether its first one is in the snapshots or behind them", async () => {
    using directory = temporaryDirectory();
    const add = async (spec: JobSpec): Promise<unknown> => {
      const store = await openFiles(directory.path);
      return await store.enqueue([spec]).finally(() => store.close());
    };
    await add({ id: "first", command: "true", key: "k" });
    await largeStore(directory.path);
    await add({ id: "since", command: "true", key: "l" });
    for (const key of ["k", "l"]) {
      expect(await add({ command: "true", key, if_exists: "skip" })).toEqual([]);
      expect((await refused(add({ command: "true", key }))).code).toBe("E_JOB_EXISTS");
    }
    expect(await add({ id: "other", command: "true", key: "m" })).toMatchObject([{ id: "other" }]);
  });

  test("has an index again after a job was added without one", async () => {
    using directory = temporaryDirectory();
    await largeStore(directory.path);
    rmSync(join(directory.path, "ids.bin"));
    await enqueueIn(directory.path, "new");
    using index = opened(join(directory.path, "ids.bin"));
    expect([...numbered(8000), "new"].every((id) => index.mayHold(id))).toBe(true);
    expect(index.mayHold("other")).toBe(false);
  });

  test("brings its index forward when much was added", async () => {
    using directory = temporaryDirectory();
    await largeStore(directory.path);
    const path = join(directory.path, "ids.bin");
    const before = statSync(path).size;
    const store = await openFiles(directory.path);
    await store.enqueue(numbered(1000, "more").map((id) => ({ id, command: "true" })));
    await store.close();
    expect(statSync(path).size).toBeGreaterThan(before);
    using index = opened(path);
    expect(numbered(1000, "more").every((id) => index.mayHold(id))).toBe(true);
  });

  test("knows that the ids of removed jobs are free", async () => {
    using directory = temporaryDirectory();
    await largeStore(directory.path);
    expect(await enqueueIn(directory.path, "job-17")).toBe(TAKEN);
    const store = await openFiles(directory.path);
    await store.alter(["job-17", "job-18"], remove);
    await store.close();
    expect(existsSync(join(directory.path, "ids.bin"))).toBe(true);
    for (const id of ["job-18", "job-17"]) expect(await enqueueIn(directory.path, id)).toBe("enqueued");
    expect(await enqueueIn(directory.path, "job-17")).toBe(TAKEN);
  });

  test("that is small has none: its snapshots hold all at rest", async () => {
    using directory = temporaryDirectory();
    await enqueueIn(directory.path, "a");
    expect(existsSync(join(directory.path, "ids.bin"))).toBe(false);
  });
});
