import { describe, expect, test } from "bun:test";
import type { CompletedJob, DeadLetter, Entry } from "../../src/job/job.ts";
import { parseLedger } from "../../src/selftest/execution-ledger.ts";
import { type Rule, violationsOf } from "../../src/selftest/invariants.ts";

const COMPLETED: CompletedJob = {
  id: "a",
  command: "true",
  state: "completed",
  run_at: 0,
  attempts: 2,
  max_retries: 3,
  created_at: 0,
  updated_at: 0,
  processing_started_at: 0,
  worker_id: "worker-1",
};
const DEAD: DeadLetter = {
  id: "b",
  command: "false",
  attempts: 1,
  error: "exit 1",
  failed_at: 0,
  max_retries: 0,
  created_at: 0,
};
const SOUND = [
  "start a 1 10 100 1.0",
  "beat a 1 10 100 1.1",
  "start b 1 11 101 1.2",
  "end b 1 11 101 1.2",
  "start a 2 12 102 1.3",
  "end a 2 12 102 1.4",
];

function violated(
  lines: readonly string[],
  entries: readonly Entry[] = [COMPLETED, DEAD],
  acknowledged = ["a", "b"],
): Rule[] {
  const ids = { acknowledged: new Set(acknowledged), attempted: new Set(["a", "b"]) };
  return violationsOf({ ...ids, lines: parseLedger(lines.join("\n")), entries }).map(({ rule }) => rule);
}

describe("what jobs wrote down and how they ended", () => {
  test("keeps every promise", () => {
    expect(violated(SOUND)).toEqual([]);
  });

  test("may have an attempt that was released and made again under the same number", () => {
    expect(violated(["start a 1 10 100 1", "start a 1 12 100 2", "start a 2 13 100 3", "end a 2 13 100 3"])).toEqual(
      [],
    );
  });

  test("may have attempts that were charged before they wrote anything", () => {
    expect(violated(["start a 2 12 100 1"])).toEqual([]);
  });

  test("may have a job that nobody was told of", () => {
    expect(violated(SOUND, [COMPLETED, DEAD], ["a"])).toEqual([]);
    expect(violated([], [DEAD], ["b"])).toEqual([]);
  });

  const BROKEN: readonly [name: string, rule: Rule, found: Rule[]][] = [
    ["an acknowledged job is nowhere", "lost", violated(SOUND, [DEAD])],
    ["a job is there twice", "lost", violated(SOUND, [COMPLETED, { ...DEAD, id: "a", attempts: 2 }, DEAD])],
    ["a job never ended", "lost", violated(SOUND, [{ ...COMPLETED, state: "pending" }, DEAD])],
    ["an earlier attempt still lives when the next has begun", "overlap", violated([...SOUND, "beat a 1 10 100 1.5"])],
    ["an earlier attempt ends after the next has begun", "overlap", violated([...SOUND, "end a 1 10 100 1.5"])],
    ["an attempt ran that is not counted", "uncounted", violated([...SOUND, "start a 3 13 100 1.5"])],
    ["a job ran that nobody enqueued", "stranger", violated([...SOUND, "start c 1 13 100 1.5"])],
    ["a job is there that nobody enqueued", "stranger", violated(SOUND, [COMPLETED, DEAD, { ...DEAD, id: "c" }])],
    ["a lease was used by two jobs", "lease", violated([...SOUND, "start b 1 12 100 1.5"])],
    ["a lease was used twice", "lease", violated([...SOUND, "start a 2 12 100 1.5"])],
    ["a later attempt has a smaller number", "lease", violated([...SOUND, "start a 1 13 100 1.5"])],
  ];

  test.each(BROKEN)("shows that %s", (_name, rule, found) => {
    expect([...new Set(found)]).toEqual([rule]);
  });
});

test("a line that no job writes is not taken for one", () => {
  expect(() => parseLedger("start a 1 10\n")).toThrow("not a line of an execution ledger");
});
