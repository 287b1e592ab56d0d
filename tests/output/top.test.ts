import { describe, expect, test } from "bun:test";
import type { Job, PendingJob, ProcessingJob } from "../../src/job/job.ts";
import { NO_COLOURS } from "../../src/output/colours.ts";
import { foldedLines } from "../../src/output/folded-lines.ts";
import { type Dashboard, dashboardLines } from "../../src/output/top/dashboard.ts";
import { helpLines } from "../../src/output/top/help-page.ts";
import { logPageLines } from "../../src/output/top/log-page.ts";
import { sparkline } from "../../src/output/top/sparkline.ts";

const NOW = new Date(2026, 10, 27, 14, 3, 10).getTime();
const MEDIUM = { columns: 80, rows: 24 };
const SIZES = [{ columns: 60, rows: 16 }, MEDIUM, { columns: 160, rows: 50 }];
const PLAIN = { max_retries: 3, created_at: 0, updated_at: NOW, attempts: 0, run_at: 0, priority: 0 };

function worker(n: number, more: object = {}) {
  const present = { id: `worker-1234${n}`, kind: "worker" as const, pid: 12340 + n, host: "render-2", startedAt: 0 };
  return { ...present, reachable: true, stopping: false, ...more };
}

function running(n: number, seconds: number): ProcessingJob {
  const command = `ffmpeg -i "my film ${n}.mov" -c:v libx264 -crf 22 out${n}.mp4`;
  const by = { worker_id: `worker-1234${n}`, lease: n, processing_started_at: NOW - seconds * 1000 };
  return { ...PLAIN, id: `film-${n}`, command, state: "processing", attempts: n, ...by };
}

function pending(n: number, more: Partial<PendingJob> = {}): PendingJob {
  return { ...PLAIN, id: `k3qhwz7x${n}`, command: `optipng images/${n}.png`, state: "pending", ...more };
}

const DASHBOARD: Dashboard = {
  location: "/srv/films/db/data",
  now: NOW,
  counts: { pending: 1204, processing: 3, completed: 104_233, archived: 94_233, failed: 1, dead: 1 },
  workers: [worker(1), worker(2, { stopping: true }), worker(3, { reachable: false })],
  queues: [
    { name: "default", pending: 1192, waiting: 0, processing: 2 },
    { name: "deploy", pending: 3, waiting: 1, processing: 1, concurrency: 1 },
    { name: "mail", pending: 9, waiting: 0, processing: 0, paused: true },
  ],
  glance: {
    processing: [running(5, 134), running(2, 28), running(1, 14)],
    next: [
      pending(1, { priority: 5 }),
      pending(2, { queue: "mail" }),
      pending(3, { attempts: 1 }),
      ...Array.from({ length: 30 }, (_, n) => pending(n + 4, { run_at: NOW + 90_000 * (n + 1) })),
    ],
    failures: [
      {
        id: "bad",
        command: "badcmd --all",
        attempts: 4,
        error: "exit 127: /bin/sh: 1: badcmd: not found",
        ...{ failed_at: NOW - 63_000, max_retries: 3, created_at: 0 },
      },
      { ...PLAIN, id: "stale", command: "make", state: "failed", last_error: "expired before it was begun" },
    ],
  },
  endedPerSecond: Array.from({ length: 60 }, (_, i) => (i * 7) % 13),
  chosen: "film-2",
  message: undefined,
};

describe("the page of top", () => {
  test.each(SIZES)("reads well at $columns × $rows", ({ columns, rows }) => {
    const lines = dashboardLines(DASHBOARD, { columns, rows, colours: NO_COLOURS });
    expect(lines).toHaveLength(rows);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(`\n${lines.map((line) => line.trimEnd()).join("\n")}\n`).toMatchSnapshot();
  });

  test("shows the chosen job, however far down it is", () => {
    const lines = dashboardLines({ ...DASHBOARD, chosen: "k3qhwz7x33" }, { ...MEDIUM, colours: NO_COLOURS });
    expect(lines.filter((line) => line.startsWith("> "))).toEqual([expect.stringContaining("k3qhwz7x33  in 45m")]);
  });

  test("of an empty queue says so", () => {
    const counts = { pending: 0, processing: 0, completed: 0, archived: 0, failed: 0, dead: 0 };
    const glance = { processing: [], next: [], failures: [] };
    const nothing = { counts, glance, workers: [], queues: [], endedPerSecond: [], chosen: undefined };
    const lines = dashboardLines({ ...DASHBOARD, ...nothing }, { ...MEDIUM, colours: NO_COLOURS });
    expect(lines.filter(Boolean).slice(1)).toEqual([
      "0 pending  0 processing  0 completed  0 failed  0 in the DLQ  0 workers",
      "ended/s  now 0, most 0",
      "RUNNING  nothing",
      "NEXT  nothing",
      "LAST FAILURES  none",
      "↑↓ choose  l log  r retry  c cancel  p pause  ? help  q quit",
    ]);
  });

  test("says in red what is wrong, in the place of the keys", () => {
    const colours = { ...NO_COLOURS, red: (text: string) => `<${text}>` };
    const message = { text: "the disk\nis gone", isTrouble: true };
    const lines = dashboardLines({ ...DASHBOARD, message }, { ...MEDIUM, colours });
    expect(lines.at(-1)).toBe("<the disk\\nis gone>");
  });

  test("shows nothing of a job that could steer a terminal", () => {
    const evil = "\u001b[2J\u202e\n";
    const job: Job = { ...running(1, 1), id: evil, command: evil, worker_id: evil, queue: evil };
    const glance = {
      processing: [job],
      next: [],
      failures: [{ ...PLAIN, ...job, state: "failed" as const, last_error: evil }],
    };
    const queues = [{ name: evil, pending: 0, waiting: 0, processing: 1, concurrency: 1 }];
    const dashboard = { ...DASHBOARD, glance, queues, location: evil };
    for (const size of SIZES) {
      const text = dashboardLines(dashboard, { ...size, colours: NO_COLOURS }).join("");
      expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      expect(text).toContain("\\x1b[2J");
    }
  });
});

describe("the other pages", () => {
  test.each(SIZES)("of help fits into $columns × $rows", ({ columns, rows }) => {
    const lines = helpLines({ columns, rows, colours: NO_COLOURS });
    expect(lines).toHaveLength(rows);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines.at(-1)).toBe("any key goes back");
  });

  test("of a log is a window of its lines", () => {
    const lines = Array.from({ length: 100 }, (_, n) => `line ${n + 1}`);
    const page = logPageLines({ title: "p1   attempt 1", lines, first: 40 }, { ...MEDIUM, colours: NO_COLOURS });
    expect(page.slice(0, 2)).toEqual(["p1   attempt 1", "line 41"]);
    expect(page.slice(-2)).toEqual(["line 62", expect.stringContaining("41-62 of 100 lines")]);
  });

  test("of a log in which nothing is says so where it would be", () => {
    const page = logPageLines({ title: "p1   attempt 1", lines: [], first: 0 }, { ...MEDIUM, colours: NO_COLOURS });
    expect(page.filter(Boolean)).toEqual(["p1   attempt 1", "Nothing was printed.", "q back"]);
  });

  test("of a log goes on in the next line where one is too wide, also by characters of two columns", () => {
    expect(foldedLines(["abcdef", "", "a\tb", "漢漢漢"], 5)).toEqual(["abcde", "f", "", "a    ", "b", "漢漢", "漢"]);
  });
});

test("a sparkline is as high as the greatest value, and higher than nothing for the least", () => {
  expect(sparkline([])).toBe("");
  expect(sparkline([0, 0])).toBe("▁▁");
  expect(sparkline([0, 0.01, 50, 100])).toBe("▁▂▅█");
});
