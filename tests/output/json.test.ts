import { describe, expect, test } from "bun:test";
import { QueueError } from "../../src/job/errors.ts";
import type { DeadLetter, PendingJob } from "../../src/job/job.ts";
import { JsonOutput } from "../../src/output/json.ts";
import { jsonArray } from "../../src/output/json-array.ts";
import type { LogChunk, LogStream, View } from "../../src/output/output.ts";
import type { Present } from "../../src/store/present.ts";
import { collect } from "./collected.ts";

const job: PendingJob = {
  id: "p1",
  command: "echo hi",
  state: "pending",
  run_at: 1,
  attempts: 0,
  max_retries: 3,
  created_at: 1,
  updated_at: 1,
};
const dead: DeadLetter = {
  id: "b",
  command: "x",
  attempts: 4,
  error: "exit 1",
  failed_at: 2,
  max_retries: 3,
  created_at: 1,
};
const worker: Present = {
  id: "worker-1",
  kind: "worker",
  pid: 1,
  host: "here",
  reachable: true,
  supervisor: "supervisor-2",
  startedAt: 5,
  stopping: false,
};
const shownWorker = {
  id: "worker-1",
  kind: "worker",
  pid: 1,
  host: "here",
  reachable: true,
  supervisor: "supervisor-2",
  started_at: 5,
  stopping: false,
};
const counts = { pending: 1, processing: 2, completed: 3, archived: 0, failed: 4, dead: 5 };
const logs = [{ attempt: 1, lease: 3, path: "/l" }];

const figures = { jobs: 1, runs: 4, failures: 4, flaky: 0, p50_ms: null, p95_ms: null };
const some = { settings: 1, jobs: 1000, dead_letters: 1, archived: 0 };
const none = { settings: 0, jobs: 0, dead_letters: 0, archived: 0 };

const DOCUMENTS: [View, unknown][] = [
  [{ view: "enqueued", job }, { job }],
  [
    { view: "skipped", id: "p1" },
    { job: null, existing: "p1" },
  ],
  [
    {
      view: "origins",
      settings: [{ key: "max_retries", value: 5, origin: "environment", where: "QUEUECTL_MAX_RETRIES" }],
    },
    { max_retries: { value: 5, origin: "environment", where: "QUEUECTL_MAX_RETRIES" } },
  ],
  [
    { view: "bulk-enqueued", enqueued: 1000, skipped: 3 },
    { enqueued: 1000, skipped: 3 },
  ],
  [
    { view: "exported", exported: some, path: "q.jsonl", sum: "ab" },
    { exported: some, path: "q.jsonl", sum: "ab" },
  ],
  [
    { view: "imported", imported: { added: some, skipped: none }, sum: "ab" },
    { imported: some, skipped: none, sum: "ab" },
  ],
  [
    { view: "stats", stats: { all: figures, commands: [{ command: "x", ...figures }] } },
    { all: figures, commands: [{ command: "x", ...figures }] },
  ],
  [
    { view: "why", entry: dead, reason: { because: "dead", failedAt: 2, attempts: 4, error: "exit 1" }, now: 9 },
    {
      ...{ id: "b", state: "dead", reason: "in the DLQ: exit 1 after 4 attempts" },
      ...{ because: "dead", failed_at: 2, attempts: 4, error: "exit 1" },
    },
  ],
  [{ view: "jobs", jobs: [job], state: undefined, now: 9 }, [job]],
  [{ view: "dead-letters", dead: [dead], now: 9 }, [dead]],
  [
    { view: "status", counts, workers: [worker] },
    { active_workers: 1, ...counts, workers: [shownWorker] },
  ],
  [
    { view: "altered", done: [{ event: "requeued", job }], dryRun: false },
    { jobs: [job], dry_run: false },
  ],
  [{ view: "setting", key: "max_retries", value: 5 }, { max_retries: 5 }],
  [{ view: "setting-changed", key: "max_retries", value: 5 }, { max_retries: 5 }],
  [
    { view: "entry", entry: job, logs, now: 9 },
    { job, logs },
  ],
  [
    { view: "entry", entry: dead, logs, now: 9 },
    { dead_letter: dead, logs },
  ],
  [
    { view: "stopped", stopped: [worker], unreachable: [] },
    { stopped: [shownWorker], unreachable: [] },
  ],
  [
    { view: "version", version: "1.0.0", commit: undefined, bun: "1" },
    { version: "1.0.0", commit: null, bun: "1" },
  ],
];

test.each(DOCUMENTS)("%j is one document", async (view, expected) => {
  const sinks = collect();
  await new JsonOutput(sinks).result(view);
  expect(JSON.parse(sinks.stdout())).toEqual(expected);
  expect(sinks.stdout()).toEndWith("\n");
});

test("messages are one JSON line each on stderr", () => {
  const sinks = collect();
  const output = new JsonOutput(sinks);
  output.error(new QueueError("E_USAGE", "No.", { hint: "Yes." }));
  output.error(new QueueError("E_STORE_LOCKED", "Busy."));
  output.warn("Careful.");
  output.note("So.");
  expect(sinks.stdout()).toBe("");
  expect(
    sinks
      .stderr()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { error: { code: "E_USAGE", message: "No.", hint: "Yes." } },
    { error: { code: "E_STORE_LOCKED", message: "Busy.", hint: null } },
    { warning: "Careful." },
    { note: "So." },
  ]);
});

describe("the output of a job", () => {
  const [out, err] = [
    { path: "/o", stream: "stdout" },
    { path: "/e", stream: "stderr", host: "far" },
  ] as const;

  async function document(log: Pick<LogStream, "places" | "only">, ...pieces: LogChunk[]): Promise<object> {
    const sinks = collect();
    async function* chunks() {
      yield* pieces;
    }
    const all = await new JsonOutput(sinks).stream({ id: "p1", attempt: 1, chunks: chunks(), raw: false, ...log });
    expect(all).toBe(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0));
    return JSON.parse(sinks.stdout());
  }

  test("is whole where chunks cut a character in two", async () => {
    const bytes = Buffer.from("é");
    const pieces = [{ bytes: bytes.subarray(0, 1) }, { bytes: bytes.subarray(1) }];
    const place = { id: "p1", attempt: 1, path: "/l", output: "é" };
    expect(await document({ places: [{ path: "/l" }] }, ...pieces)).toEqual(place);
  });

  test("is that of each stream where they are split", async () => {
    const pieces = [
      { bytes: Buffer.from("o"), stream: "stdout" },
      { bytes: Buffer.from("e"), stream: "stderr" },
      { bytes: Buffer.from("o"), stream: "stdout" },
    ] as const;
    const all = { id: "p1", attempt: 1, path: "/o", output: "oo", stderr: { path: "/e", host: "far", output: "e" } };
    expect(await document({ places: [out, err] }, ...pieces)).toEqual(all);
    const none = { path: null, output: "" };
    expect(await document({ places: [out] }, pieces[0])).toMatchObject({ path: "/o", output: "o", stderr: none });
    expect(await document({ places: [err] }, pieces[1])).toMatchObject({
      ...none,
      stderr: { path: "/e", output: "e" },
    });
  });

  test("is that of the stream that was asked for", async () => {
    const one = { id: "p1", attempt: 1, stream: "stderr", path: "/e", host: "far", output: "e" };
    const chunk = { bytes: Buffer.from("e"), stream: "stderr" } as const;
    expect(await document({ places: [err], only: "stderr" }, chunk)).toEqual(one);
  });
});

test("an array is what JSON.stringify prints with an indent of two, less raw control characters", () => {
  const records = [{ a: "x\ny", b: [1, { c: {} }], d: [] }, {}];
  expect([...jsonArray(records)].join("")).toBe(`${JSON.stringify(records, undefined, 2)}\n`);
  const text = [...jsonArray([{ a: "\u009b\u202e\u007f" }])].join("");
  expect(text).toContain("\\u009b\\u202e\\u007f");
  expect(JSON.parse(text)).toEqual([{ a: "\u009b\u202e\u007f" }]);
});
