import { describe, expect, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { JobSpec } from "../../src/job/spec.ts";
import type { Store } from "../../src/store/store.ts";
import { openFiles } from "../support/files-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { claimedOne, end, FAILURE, refused, SUCCESS, T0 } from "./contract/bench.ts";

const WORKER = "worker-1";

/** Does one thing, as a command does: in a store that is opened for it, and has been read before if it is to. */
async function once<T>(
  directory: string,
  act: (store: Store) => Promise<T>,
  { at = 0, isRead = false }: { at?: number; isRead?: boolean } = {},
): Promise<T> {
  const store = await openFiles(directory, { now: () => T0 + at, random: () => (at % 97) / 97 });
  try {
    if (isRead) await store.counts();
    return await act(store);
  } finally {
    await store.close();
  }
}

async function claimAndEnd(store: Store, outcome: typeof SUCCESS): Promise<void> {
  const { claimed } = await store.settle([], { workerId: WORKER, limit: 1 });
  await store.settle(claimed.map((job) => end(job, outcome)));
}

/** What there is in a directory, but for locks. */
function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => name.includes(".json"));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}

const ODD_IDS = ["a", 'say "hi"', "back\\slash", "ümläut", "日本", "🐎", "../x", '","id":"b', "a,b", "{}"];

describe("a job that is added without reading the store", () => {
  test("leaves the same bytes as one that is added when it has been read", async () => {
    const job = fc.record<JobSpec>(
      {
        command: fc.constantFrom("true", 'echo "id":"x"', "printf 'ü\n'"),
        id: fc.constantFrom(...ODD_IDS),
        priority: fc.integer({ min: -2, max: 2 }),
      },
      { requiredKeys: ["command"] },
    );
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.array(job, { minLength: 1, maxLength: 20 }) },
      fc.constantFrom("complete" as const, "fail" as const, "rule" as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
        using unread = temporaryDirectory();
        using read = temporaryDirectory();
        for (const [at, what] of steps.entries()) {
          const act = async (store: Store): Promise<unknown> => {
            if (what === "complete") return claimAndEnd(store, SUCCESS);
            if (what === "fail") return claimAndEnd(store, FAILURE);
            if (what === "rule") return store.setQueue("default", { concurrency: 1 + at });
            const specs = what.map((spec) => ({ max_retries: 0, ...spec }));
            return store.enqueue(specs, { existing: at % 2 === 0 ? "skip" : "refuse" }).catch(String);
          };
          const told = await once(unread.path, act, { at });
          expect(await once(read.path, act, { at, isRead: true })).toEqual(told);
          expect(contents(unread.path)).toEqual(contents(read.path));
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each(ODD_IDS)("does not get the id %j when that is taken", async (id) => {
    using directory = temporaryDirectory();
    const spec = { id, command: "true", max_retries: 0 };
    const taken = async (place: string): Promise<void> => {
      const error = await refused(once(directory.path, (store) => store.enqueue([spec])));
      expect(error.message).toContain(`exists already (${place})`);
    };
    await once(directory.path, (store) => store.enqueue([spec]));
    await taken("pending");
    await once(directory.path, (store) => claimAndEnd(store, FAILURE));
    await taken("in the DLQ");
  });

  test("does not get an id that was taken since the snapshots, while a worker keeps the store from resting", async () => {
    using directory = temporaryDirectory();
    const worker = await openFiles(directory.path);
    await using _presence = await worker.announce({ kind: "worker" });
    await worker.enqueue([{ id: "first", command: "true" }]);
    const before = contents(directory.path)["queue.json"];
    await once(directory.path, (store) => store.enqueue([{ id: "second", command: "true" }]));
    expect(contents(directory.path)["queue.json"]).toEqual(before as string);
    for (const id of ["first", "second"]) {
      const error = await refused(once(directory.path, (store) => store.enqueue([{ id, command: "true" }])));
      expect(error.code).toBe("E_JOB_EXISTS");
    }
    expect((await claimedOne(worker)).id).toBe("first");
    expect((await claimedOne(worker)).id).toBe("second");
    await worker.close();
  });

  test("leaves what was claimed since the snapshots claimed, where nobody works any more", async () => {
    using directory = temporaryDirectory();
    const worker = await openFiles(directory.path);
    await worker.enqueue([{ id: "first", command: "true" }]);
    // As one that is killed leaves it.
    await claimedOne(worker);
    await once(directory.path, (store) => store.enqueue([{ id: "second", command: "true" }]));
    const states = await once(directory.path, async (store) =>
      (await store.list()).map(({ id, state }) => [id, state]),
    );
    expect(states).toEqual([
      ["first", "processing"],
      ["second", "pending"],
    ]);
    await worker.close();
  });

  describe.each(["nobody works", "a worker does"])("where %s", (who) => {
    test.each(['{"at":', '{"at":\n'])("comes after a line that is torn: %j, which is set aside", async (torn) => {
      using directory = temporaryDirectory();
      const open = () => openFiles(directory.path, { warn: () => {} });
      await using stack = new AsyncDisposableStack();
      const worker = stack.adopt(await open(), (store) => store.close());
      if (who === "a worker does") stack.use(await worker.announce({ kind: "worker" }));
      await worker.enqueue([{ id: "first", command: "true" }]);
      appendFileSync(join(directory.path, "journal.1.jsonl"), torn);
      const store = stack.adopt(await open(), (store) => store.close());
      await store.enqueue([{ id: "second", command: "true" }]);
      expect(readdirSync(join(directory.path, "quarantine"))).toHaveLength(1);
      expect((await store.list()).map(({ id }) => id)).toEqual(["first", "second"]);
    });
  });

  test("is refused beside a dlq.json of an earlier time, which does not know who is dead", async () => {
    using directory = temporaryDirectory();
    const spec = { id: "first", command: "false", max_retries: 0 };
    await once(directory.path, (store) => store.enqueue([spec]));
    const path = join(directory.path, "dlq.json");
    const earlier = readFileSync(path);
    await once(directory.path, (store) => claimAndEnd(store, FAILURE));
    writeFileSync(path, earlier);
    const error = await refused(once(directory.path, (store) => store.enqueue([spec])));
    expect(error.code).toBe("E_STORE_CORRUPT");
  });

  test.each(["queue.json", "dlq.json"])(
    "is refused where %s was changed by others, and nothing is written",
    async (name) => {
      using directory = temporaryDirectory();
      await once(directory.path, (store) => store.enqueue([{ id: "first", command: "true" }]));
      const path = join(directory.path, name);
      writeFileSync(path, readFileSync(path, "utf8").replace('":[', '":[ '));
      const before = contents(directory.path);
      const error = await refused(once(directory.path, (store) => store.enqueue([{ id: "second", command: "true" }])));
      expect(error.code).toBe("E_STORE_CORRUPT");
      expect(contents(directory.path)).toEqual(before);
    },
  );
});
