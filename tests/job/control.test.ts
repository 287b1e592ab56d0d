/** Which states each wish is granted in, and what becomes of the job. Whole sequences are compared in the stores' contract. */
import { describe, expect, test } from "bun:test";
import { alterationsOf, type Rule, wherePossible } from "../../src/job/alteration.ts";
import { cancel, remove, removeDeadLetter, retry, retryDeadLetter } from "../../src/job/control.ts";
import { checkChanges, edit } from "../../src/job/edit.ts";
import { QueueError } from "../../src/job/errors.ts";
import type { DeadLetter, Entry } from "../../src/job/job.ts";

const T0 = 1_700_000_000_000;
const fields = {
  command: "true",
  run_at: T0,
  attempts: 2,
  max_retries: 3,
  created_at: T0,
  updated_at: T0,
  priority: 7,
};
const run = { processing_started_at: T0, worker_id: "worker-1" };
const DEAD: DeadLetter = {
  ...{ id: "dead", command: "true", attempts: 4, error: "exit 1", failed_at: T0, max_retries: 3, created_at: T0 },
  priority: 7,
};
const ENTRIES: Readonly<Record<string, Entry>> = {
  pending: { id: "pending", state: "pending", ...fields },
  processing: { id: "processing", state: "processing", ...fields, ...run, lease: 5 },
  completed: { id: "completed", state: "completed", ...fields, ...run },
  failed: { id: "failed", state: "failed", ...fields, last_error: "expired before it was begun" },
  canceled: { id: "canceled", state: "failed", ...fields, last_error: "canceled" },
  dead: DEAD,
};
const entryOf = (id: string): Entry | undefined => ENTRIES[id];
const keyHolder = (): undefined => undefined;
const IDS = [...Object.keys(ENTRIES), "nobody"];

/** In the order of IDS: what happens, "-" for nothing, or the code of the refusal. */
const TABLE: readonly [name: string, rule: Rule, verdicts: string][] = [
  ["cancel", cancel, "failed - E_JOB_STATE E_JOB_STATE - E_JOB_STATE E_JOB_NOT_FOUND"],
  ["retry", retry, "E_JOB_STATE E_JOB_STATE requeued requeued requeued E_JOB_STATE E_JOB_NOT_FOUND"],
  ["remove", remove, "removed E_JOB_STATE removed removed removed removed E_JOB_NOT_FOUND"],
  [
    "edit",
    edit(checkChanges({ priority: 1 })),
    "edited E_JOB_STATE E_JOB_STATE E_JOB_STATE E_JOB_STATE edited E_JOB_NOT_FOUND",
  ],
  ["dlq-retry", retryDeadLetter, `${"E_JOB_NOT_FOUND ".repeat(5)}requeued E_JOB_NOT_FOUND`],
  ["dlq-remove", removeDeadLetter, `${"E_JOB_NOT_FOUND ".repeat(5)}removed E_JOB_NOT_FOUND`],
];

function verdict(rule: Rule, id: string): string {
  const made = rule(ENTRIES[id], { id, now: T0 + 500, entryOf, keyHolder });
  if (made === undefined) return "-";
  return made instanceof QueueError ? made.code : made.event;
}

describe.each(TABLE)("%s", (_name, rule, verdicts) => {
  test("is granted in these states, and refused in the others", () => {
    expect(IDS.map((id) => verdict(rule, id)).join(" ")).toBe(verdicts);
  });

  test("where it is possible refuses nothing", () => {
    const granted = verdicts.replaceAll(/E_JOB_\w+/g, "-");
    expect(IDS.map((id) => verdict(wherePossible(rule), id)).join(" ")).toBe(granted);
  });

  test("names the job where it is refused", () => {
    for (const id of IDS) {
      const made = rule(ENTRIES[id], { id, now: T0, entryOf, keyHolder });
      if (made instanceof QueueError) expect(made.message).toStartWith(`Job ${id} `);
    }
  });
});

test("a job that was canceled while it waited keeps what it was, but for its state", () => {
  expect(cancel(ENTRIES.pending, { id: "pending", now: T0 + 500, entryOf, keyHolder })).toStrictEqual({
    event: "failed",
    job: { id: "pending", ...fields, state: "failed", updated_at: T0 + 500, last_error: "canceled" },
  });
});

test("all or none, each once, in order", () => {
  const circumstances = { now: T0, entryOf, keyHolder };
  expect(alterationsOf(["failed", "completed", "failed"], remove, circumstances).map(({ job }) => job.id)).toEqual([
    "failed",
    "completed",
  ]);
  expect(() => alterationsOf(["failed", "processing"], remove, circumstances)).toThrow("Job processing is processing");
});

test("a rule that would change a running job is a mistake of ours", () => {
  const wrong: Rule = (entry) => entry && { event: "removed", job: entry };
  expect(() => alterationsOf(["processing"], wrong, { now: T0, entryOf: (id) => ENTRIES[id], keyHolder })).toThrow(
    "a rule would",
  );
});

describe("a job that is to run after others, when it is run again", () => {
  const job = { ...ENTRIES.failed, after: ["pending", "processing", "completed", "nobody"] } as Entry;

  test("waits for those that are not completed", () => {
    expect(retry(job, { id: "failed", now: T0, entryOf, keyHolder })).toMatchObject({
      job: { state: "pending", waits_for: ["pending", "processing"] },
    });
    expect(
      retry({ ...job, after: ["completed"] } as Entry, { id: "failed", now: T0, entryOf, keyHolder }),
    ).not.toHaveProperty("job.waits_for");
  });

  test.each(["failed", "dead"])("cannot, when one of them is %s", (lost) => {
    const circumstances = { id: "canceled", now: T0, entryOf, keyHolder };
    expect(retry({ ...ENTRIES.canceled, after: [lost] } as Entry, circumstances)).toMatchObject({
      code: "E_JOB_STATE",
      message: expect.stringContaining(`it waits for job ${lost}, which did not complete`),
    });
  });

  test("waits for those that are run again with it", () => {
    const second = { ...ENTRIES.canceled, after: ["failed"] } as Entry;
    const both = (id: string): Entry | undefined => (id === "canceled" ? second : ENTRIES[id]);
    expect(alterationsOf(["failed", "canceled"], retry, { now: T0, entryOf: both, keyHolder })).toMatchObject([
      { job: { id: "failed" } },
      { job: { id: "canceled", waits_for: ["failed"] } },
    ]);
  });
});

describe("changes", () => {
  test("of terms leave the others, take away what is null, and need not be there before", () => {
    const job = { ...ENTRIES.pending, timeout: 5, env: { A: "1" }, expires_at: 9 } as Entry;
    const changes = checkChanges({ timeout: null, expires_in: null, priority: null, cwd: null, retry_on: ["signal"] });
    const { priority: _, ...unchanged } = fields;
    expect(edit(changes)(job, { id: "pending", now: T0 + 500, entryOf, keyHolder })).toStrictEqual({
      event: "edited",
      job: {
        ...{ id: "pending", state: "pending", ...unchanged, updated_at: T0 + 500 },
        ...{ env: { A: "1" }, retry_on: ["signal"] },
      },
    } as never);
  });

  test.each([
    [null, "expected an object"],
    [{ id: "x" }, '"id" is what it is known by'],
    [{ id: null }, '"id" cannot be taken away'],
    [{ run_at: null }, '"run_at" cannot be taken away'],
    [{ state: "completed" }, 'unknown field "state"'],
    [{ after: ["x"] }, '"after" is settled'],
    [{ key: null }, '"key" is settled'],
    [{ if_exists: "skip" }, '"if_exists" is settled'],
    [{ nope: null }, '"nope" cannot be taken away'],
    [{ command: "" }, '"command"'],
    [{ run_at: 1, delay: 1 }, "give one of them"],
  ])("that are wrong are refused: %j", (value, said) => {
    expect(() => checkChanges(value)).toThrow(said);
  });
});
