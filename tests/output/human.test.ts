import { describe, expect, test } from "bun:test";
import { resolveConfig } from "../../src/config.ts";
import { QueueError } from "../../src/job/errors.ts";
import type { CompletedJob, DeadLetter, Job, PendingJob, ProcessingJob } from "../../src/job/job.ts";
import { NO_COLOURS } from "../../src/output/colours.ts";
import { HumanOutput } from "../../src/output/human.ts";
import type { Progress, View } from "../../src/output/output.ts";
import type { Present } from "../../src/store/present.ts";
import { collect } from "./collected.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const fields = { run_at: NOW, attempts: 1, max_retries: 3, created_at: NOW - 90_000, updated_at: NOW - 60_000 };
const pending: PendingJob = { id: "p1", command: "echo hi", state: "pending", ...fields, attempts: 0 };
const processing: ProcessingJob = {
  id: "run",
  command: "sleep 30",
  state: "processing",
  ...fields,
  processing_started_at: NOW - 12_000,
  worker_id: "worker-7",
  lease: 9,
};
const completed: CompletedJob = {
  id: "done",
  command: "true",
  state: "completed",
  ...fields,
  processing_started_at: NOW,
  worker_id: "worker-7",
};
const dead: DeadLetter = {
  id: "bad1",
  command: "wrongcmd",
  attempts: 4,
  error: "exit 127: not found",
  failed_at: NOW - 7_200_000,
  max_retries: 3,
  created_at: NOW - 9_000_000,
};
const worker: Present = {
  id: "worker-12345",
  kind: "worker",
  pid: 12345,
  host: "here",
  reachable: true,
  startedAt: NOW,
  stopping: false,
};
const counts = { pending: 0, processing: 0, completed: 3, archived: 0, failed: 0, dead: 2 };

async function printed(view: View, width?: number): Promise<string> {
  const sinks = collect();
  const screen = width === undefined ? undefined : { width, colours: NO_COLOURS };
  await new HumanOutput(sinks, { screen, messageColours: NO_COLOURS }).result(view);
  expect(sinks.stderr()).toBe("");
  return sinks.stdout();
}

function jobs(...list: Job[]): View {
  return { view: "jobs", jobs: list, state: undefined, now: NOW };
}

describe("into a pipe", () => {
  test("the sentences are the original's", async () => {
    expect(await printed({ view: "enqueued", job: pending })).toBe("Job enqueued with ID: p1\n");
    expect(await printed({ view: "setting-changed", key: "max_retries", value: 5 })).toBe(
      "⚙️ Config updated: max_retries = 5\n",
    );
    const done = [pending, { ...pending, id: "b" }].map((job) => ({ event: "requeued" as const, job }));
    expect(await printed({ view: "altered", done, dryRun: false })).toBe(
      "🔁 Job p1 moved back to queue.\n🔁 Job b moved back to queue.\n",
    );
    expect(await printed({ view: "status", counts, workers: [worker, worker] })).toBe(
      "📊 Queue Status:\n{ activeWorkers: 2, pending: 0, processing: 0, completed: 3, failed: 0 }\n",
    );
  });

  test("what was done by hand is told of each job, and what would be", async () => {
    const told = (event: "failed" | "requeued" | "edited" | "removed", dryRun: boolean): Promise<string> =>
      printed({ view: "altered", done: [{ event, job: pending }], dryRun });
    expect(await told("failed", false)).toBe("Job p1 canceled.\n");
    expect(await told("edited", false)).toBe("Job p1 changed.\n");
    expect(await told("removed", false)).toBe("Job p1 removed.\n");
    expect(await told("failed", true)).toBe("Would cancel job p1.\n");
    expect(await told("requeued", true)).toBe("Would move job p1 back to queue.\n");
    expect(await told("edited", true)).toBe("Would change job p1.\n");
    expect(await told("removed", true)).toBe("Would remove job p1.\n");
    expect(await printed({ view: "altered", done: [], dryRun: false })).toBe("");
  });

  test("many jobs that were enqueued are counted, and those that were skipped", async () => {
    const told = (enqueued: number, skipped: number) => printed({ view: "bulk-enqueued", enqueued, skipped });
    expect(await told(1000, 0)).toBe("1000 jobs enqueued.\n");
    expect(await told(1, 0)).toBe("1 job enqueued.\n");
    expect(await told(1000, 3)).toBe("1000 jobs enqueued, 3 skipped (their ids or keys exist already).\n");
    expect(await told(0, 1)).toBe("0 jobs enqueued, 1 skipped (its id or key exists already).\n");
    expect(await printed({ view: "skipped", id: "a\u001bb" })).toBe("Job a\\x1bb exists already: skipped.\n");
  });

  test("a list is a JSON array of the whole records, indented by two", async () => {
    expect(await printed(jobs())).toBe("[]\n");
    expect(await printed(jobs(pending, completed))).toBe(`${JSON.stringify([pending, completed], undefined, 2)}\n`);
    expect(await printed({ view: "dead-letters", dead: [dead], now: NOW })).toBe(
      `${JSON.stringify([dead], undefined, 2)}\n`,
    );
  });

  test("a setting is its bare value, all of them are key = value", async () => {
    expect(await printed({ view: "setting", key: "backoff_base", value: 2 })).toBe("2\n");
    const all = await printed({ view: "config", config: resolveConfig({}, {}) });
    expect(all).toStartWith("max_retries = 3\nbackoff_base = 2\n");
  });

  test("a job is shown field by field, with its times in ISO 8601 and its logs", async () => {
    const text = await printed({
      view: "entry",
      entry: pending,
      logs: [{ attempt: 1, lease: 3, path: "/l/1.log" }],
      now: NOW,
    });
    expect(text).toContain("command: echo hi\nstate: pending\nrun_at: 2026-01-31T12:00:00.000Z\nattempts: 0\n");
    expect(text).toEndWith("log of attempt 1: /l/1.log\n");
  });

  test("worker-stop says what it did", async () => {
    const stopped = (...who: Present[]) => printed({ view: "stopped", stopped: who, unreachable: [] });
    expect(await stopped()).toBe("No workers are running.\n");
    expect(await stopped(worker)).toBe("Stopped 1 worker.\n");
    expect(await stopped(worker, worker, { ...worker, kind: "supervisor" })).toBe("Stopped 2 workers.\n");
  });
});

describe("on a terminal", () => {
  const long = { ...pending, id: "i".repeat(200), command: "c".repeat(300), last_error: "e".repeat(100) };

  test.each([80, 160])("a list fits %p columns", async (width) => {
    const lines = (await printed(jobs(pending, processing, completed, long), width)).trimEnd().split("\n");
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
    expect(lines.at(-1)).toContain("…");
  });

  test("a list tells the queues, where there are several, and which jobs wait for others", async () => {
    const waiting = { ...pending, queue: "deploy", waits_for: ["run", "done"] };
    expect(await printed(jobs(waiting, completed), 80)).toBe(
      [
        "ID    QUEUE    STATE      ATTEMPTS  WHEN          COMMAND",
        "p1    deploy   pending    0/4       after 2 jobs  echo hi",
        "done  default  completed  1/4       1m ago        true",
        "",
      ].join("\n"),
    );
  });

  test("of a job's attempts those that are not kept are mentioned, and one that runs is told as running", async () => {
    const past = { attempt: 3, started_at: NOW - 90_000, ended_at: NOW - 24_900, outcome: "exit 2", lease: 5 };
    const entry = { ...processing, attempts: 4, history: [{ ...past, worker_id: "worker-7" }] };
    const lines = (await printed({ view: "entry", entry, logs: [], now: NOW }, 80)).split("\n").slice(-5);
    expect(lines).toEqual([
      "ATTEMPT  STARTED  TOOK   WORKER    OUTCOME",
      "3        1m ago   1m5s   worker-7  exit 2",
      "4        12s ago  12.0s  worker-7  running",
      "What became of the 2 attempts before is not kept.",
      "",
    ]);
  });

  test("a list says when: due, running for, ended ago", async () => {
    const later = { ...pending, run_at: NOW + 300_000 };
    expect(await printed(jobs(pending, later, processing, completed), 80)).toBe(
      [
        "ID    STATE       ATTEMPTS  WHEN     COMMAND",
        "p1    pending     0/4       due      echo hi",
        "p1    pending     0/4       in 5m    echo hi",
        "run   processing  1/4       for 12s  sleep 30",
        "done  completed   1/4       1m ago   true",
        "",
      ].join("\n"),
    );
  });

  test("what went wrong is listed where there is room", async () => {
    expect(await printed(jobs(long), 80)).not.toContain("LAST ERROR");
    expect(await printed(jobs(long), 160)).toContain("LAST ERROR");
    expect(await printed({ view: "dead-letters", dead: [dead], now: NOW }, 80)).toContain("exit 127: not found");
  });

  test("an empty list is a sentence", async () => {
    expect(await printed({ view: "jobs", jobs: [], state: "failed", now: NOW }, 80)).toBe("No failed jobs.\n");
    expect(await printed({ view: "dead-letters", dead: [], now: NOW }, 80)).toBe("The dead letter queue is empty.\n");
  });

  test("the status adds a line about the DLQ unless it is empty", async () => {
    expect(await printed({ view: "status", counts, workers: [] }, 80)).toContain("2 jobs in the dead letter queue");
    expect(await printed({ view: "status", counts: { ...counts, dead: 0 }, workers: [] }, 80)).not.toContain(
      "dead letter",
    );
  });

  test("times are also relative", async () => {
    const text = await printed({ view: "entry", entry: dead, logs: [], now: NOW }, 80);
    expect(text).toMatch(/failed_at: +2026-01-31T10:00:00\.000Z \(2h ago\)/);
    expect(text).toMatch(/state: +in the dead letter queue/);
  });

  test("control characters of a job cannot reach it", async () => {
    const hostile = {
      ...pending,
      id: "a\u009bb",
      command: "printf '\u001b[2J'\nls\u202e",
      last_error: "exit 1: \u2028\u007f",
      "\u001b[m": "\u001b[m",
    };
    for (const width of [undefined, 80, 160]) {
      const text =
        (await printed({ view: "entry", entry: hostile, logs: [], now: NOW }, width)) +
        (await printed(jobs(hostile), width));
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }
    expect(JSON.parse(await printed(jobs(hostile)))).toEqual([hostile]);
  });
});

describe("messages", () => {
  function said(act: (output: HumanOutput) => void): string {
    const sinks = collect();
    act(new HumanOutput(sinks, { screen: undefined, messageColours: NO_COLOURS }));
    expect(sinks.stdout()).toBe("");
    return sinks.stderr();
  }

  test("an error is its sentence, then its hint, on stderr", () => {
    const error = new QueueError("E_USAGE", "Unknown `command`.", { hint: "Did you mean _x_ ?" });
    expect(said((output) => output.error(error))).toBe("Unknown `command`.\nDid you mean _x_ ?\n");
  });

  test("a job that is not there has the original's mark", () => {
    const error = new QueueError("E_JOB_NOT_FOUND", "Job nope not found in DLQ.");
    expect(said((output) => output.error(error))).toBe("❌ Job nope not found in DLQ.\n");
  });

  test("an error is one line whatever is in it; the lines that it quotes stay lines; none keeps a control character", () => {
    const error = new QueueError("E_STORE_IO", "No\nError: x\u001b[2J", {
      quoted: ["a", "b\u009b"],
      hint: "Its log: /\n",
    });
    expect(said((output) => output.error(error))).toBe("No\\nError: x\\x1b[2J\na\nb\\x9b\nIts log: /\\n\n");
  });

  test("a bug keeps its lines and no control character", () => {
    const text = said((output) => output.bug(new TypeError("boom \u001b[2J")));
    expect(text).toContain("boom \\x1b[2J");
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("a bug shows its stack", () => {
    expect(said((output) => output.bug(new TypeError("boom")))).toMatch(/boom[\s\S]*human\.test\.ts/);
  });
});

describe("the progress of long work", () => {
  function shown(isWatched: boolean, ...states: (Progress | undefined)[]): string {
    const sinks = collect();
    const output = new HumanOutput(sinks, { screen: undefined, messageColours: NO_COLOURS, isWatched });
    for (const state of states) output.progress(state);
    expect(sinks.stdout()).toBe("");
    return sinks.stderr();
  }

  test("is a bar that is drawn over and in the end taken away", () => {
    const text = shown(true, { done: 1, of: 3, text: "one" }, { done: 3, of: 3, text: "three" }, undefined);
    const [third, whole] = [`[${"#".repeat(10)}${" ".repeat(20)}] one`, `[${"#".repeat(30)}] three`];
    expect(text).toBe(`\r\x1b[K${third}\r\x1b[K${whole}\r\x1b[K`);
  });

  test("is told in words alone where nobody knows how much there is", () => {
    expect(shown(true, { done: 5, of: undefined, text: "5 jobs" })).toBe("\r\x1b[K5 jobs");
  });

  test.each([
    [0, 0, 0],
    [9, 3, 30],
  ])("is a bar also of %i in %i", (done, of, filled) => {
    expect(shown(true, { done, of, text: "x" })).toBe(`\r\x1b[K[${"#".repeat(filled).padEnd(30)}] x`);
  });

  test("is drawn over by whatever is said meanwhile", () => {
    const sinks = collect();
    const output = new HumanOutput(sinks, { screen: undefined, messageColours: NO_COLOURS, isWatched: true });
    output.progress({ done: 5, of: undefined, text: "5 jobs" });
    output.aside(["one", "two"]);
    expect(sinks.stderr()).toBe("\r\x1b[K5 jobs\r\x1b[Kone\ntwo\n");
  });

  test("is not told where nobody watches", async () => {
    expect(shown(false, { done: 1, of: 3, text: "one" }, undefined)).toBe("");
  });
});

describe("the output of a job", () => {
  const printedBytes = [Buffer.from("\u001b[31mred"), Buffer.from("\n")];
  async function streamed({ screen, raw }: { screen: boolean; raw: boolean }): Promise<string[]> {
    const sinks = collect();
    const look = screen ? { width: 80, colours: NO_COLOURS } : undefined;
    const output = new HumanOutput(sinks, { screen: look, messageColours: NO_COLOURS });
    async function* chunks() {
      for (const bytes of printedBytes) yield { bytes };
    }
    expect(await output.stream({ id: "p1", attempt: 1, places: [], chunks: chunks(), raw })).toBe(9);
    return [sinks.stdout(), sinks.stderr()];
  }

  test.each([
    { screen: false, raw: false },
    { screen: false, raw: true },
    { screen: true, raw: true },
  ])("is passed on byte for byte, and counted, with %j", async (how) => {
    expect(await streamed(how)).toEqual(["\u001b[31mred\n", ""]);
  });

  test("that went to stderr goes there, escaped and red on a terminal, unless it is all that was asked for", async () => {
    async function* chunks() {
      yield { bytes: Buffer.from("one\n"), stream: "stdout" as const };
      yield { bytes: Buffer.from("\u001b[1mtwo\n"), stream: "stderr" as const };
    }
    const marking = {
      ...NO_COLOURS,
      red: (text: string) => `<red>${text}</red>`,
      dim: (text: string) => `<dim>${text}</dim>`,
    };
    const streamed = async (log: object, isStderrTerminal = false): Promise<string[]> => {
      const sinks = collect();
      const output = new HumanOutput(sinks, { screen: undefined, messageColours: marking, isStderrTerminal });
      await output.stream({ id: "p1", attempt: 1, places: [], chunks: chunks(), raw: false, ...log });
      return [sinks.stdout(), sinks.stderr()];
    };
    expect(await streamed({})).toEqual(["one\n", "\u001b[1mtwo\n"]);
    expect(await streamed({ only: "stderr" })).toEqual(["one\n\u001b[1mtwo\n", ""]);
    const note = "Control characters are shown escaped; --raw passes them on.";
    expect(await streamed({}, true)).toEqual(["one\n", `<red>\\x1b[1mtwo\n</red><dim>${note}</dim>\n`]);
    expect(await streamed({ raw: true }, true)).toEqual(["one\n", "\u001b[1mtwo\n"]);
  });

  test("is shown escaped on a terminal, which is said", async () => {
    expect(await streamed({ screen: true, raw: false })).toEqual([
      "\\x1b[31mred\n",
      "Control characters are shown escaped; --raw passes them on.\n",
    ]);
  });
});
