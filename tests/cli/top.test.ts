import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { until } from "../support/until.ts";

const SMALL = { columns: 80, rows: 24 };

test("top shows what runs, what is next and what failed, and follows it", async (home) => {
  await home.enqueue({ id: "bad", command: "echo no luck; exit 3", max_retries: 0 });
  await home.drain();
  await home.enqueue({ id: "gated", command: "mkfifo gate; cat gate" }, { id: "after", command: "true" });
  await home.obey("queue-set", "deploy", "--concurrency", "1");
  await using top = home.startOnTerminal(SMALL, "top");
  await top.shows(/NEXT {2}of 2 pending\n> gated .*due .*mkfifo gate; cat gate\n {2}after .*due .*true\n/);
  await top.shows("queue deploy: 0 of 1 run, 0 wait");
  await top.shows(/LAST FAILURES {2}of 1\n {2}bad .*exit 3: no luck/);
  expect(top.screen.isAlternate).toBe(true);
  const worker = home.start("worker-start");
  await top.shows(/RUNNING {2}1\n> gated .*for \d+s .*worker-\d+ .*mkfifo gate; cat gate\n/);
  await home.shell("echo > gate");
  await worker.says("Job succeeded: after");
  await top.shows(/0 pending {2}0 processing {2}2 completed {2}0 failed {2}1 in the DLQ {2}1 worker/);
  await top.shows(/RUNNING {2}nothing\n {2}- +idle +worker-\d+/);
  await top.shows(/ended\/s [▁▂▃▄▅▆▇█]*█/);
  top.type("q");
  expect(await top.end()).toBe(0);
  expect(top.screen).toMatchObject({ isAlternate: false, isCursorShown: true, doesWrap: true });
});

test("keys choose a job, show its log, retry a dead letter and pause its queue", async (home) => {
  await home.enqueue({
    id: "bad",
    command: "seq 50; printf '\\033[31mred\\n'; exit 3",
    max_retries: 0,
    queue: "deploy",
  });
  await home.drain();
  await home.enqueue({ id: "p1", command: "true" }, { id: "p2", command: "true" });
  await using top = home.startOnTerminal(SMALL, "top");
  await top.shows("> p1");
  top.type("r");
  const refusal = "Job p1 is pending: only a completed or failed job can be run again.";
  await top.shows(refusal);
  await home.enqueue({ id: "p3", command: "true" });
  // It stays until the next key, whatever is seen of the queue meanwhile.
  expect(await top.shows("3 pending")).toContain(refusal);
  top.type("jj\x1b[B");
  await top.shows("> bad");
  top.type("l");
  expect(await top.shows("30-51 of 51 lines")).toContain("50\n\\x1b[31mred");
  top.type("g");
  expect(await top.shows("1-22 of 51 lines")).toStartWith("bad   attempt 1");
  top.type("q?");
  await top.shows("any key goes back");
  top.type("?p");
  await top.shows("Queue deploy is paused.");
  await until(async () => (await home.obey("queue-list")).includes("paused"), "the queue to be paused");
  top.type("p");
  await top.shows("Queue deploy goes on.");
  top.type("r");
  await top.shows("Job bad moved back to queue.");
  await top.shows(/LAST FAILURES {2}none/);
  expect(await home.entry("bad")).toMatchObject({ state: "pending", attempts: 0 });
  top.type("c");
  await top.shows("Job bad canceled.");
  expect(await home.entry("bad")).toMatchObject({ state: "failed", last_error: "canceled" });
  top.type("\x03");
  expect(await top.end()).toBe(130);
});

test("the terminal is as it was however top ends, and while it is stopped", async (home) => {
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const) {
    await using top = home.startOnTerminal(SMALL, "top");
    await top.shows("q quit");
    top.kill(signal);
    expect(await top.end()).toBe(signal);
    await until(() => !top.screen.isAlternate, "the screen to be given back");
    expect(top.screen).toMatchObject({ isCursorShown: true, doesWrap: true, text: "" });
  }
  await using top = home.startOnTerminal(SMALL, "top");
  await top.shows("q quit");
  top.type("\x1a");
  await until(() => !top.screen.isAlternate, "the screen to be given back");
  top.kill("SIGCONT");
  await top.shows("q quit");
  expect(top.screen.isAlternate).toBe(true);
});

test("top follows the size of its terminal, and says when it is too small", async (home) => {
  await home.enqueue({ id: "p1", command: "true" });
  await using top = home.startOnTerminal({ columns: 160, rows: 50 }, "top");
  await top.shows("> p1");
  expect(top.screen.lines[0]).toHaveLength(160);
  top.resize(60, 16);
  await top.shows("> p1");
  expect(top.screen.lines[0]).toHaveLength(60);
  top.resize(40, 10);
  expect(await top.shows("top needs 60 columns and 16 rows.")).toContain("Here are 40 and 10.");
});

test("only the rows that change are drawn", async (home) => {
  await home.enqueue({ id: "p1", command: "true" }, { id: "p2", command: "true" });
  await using top = home.startOnTerminal(SMALL, "top");
  const before = (await top.shows("> p1")).split("\n");
  top.screen.touched.clear();
  top.type("j");
  const after = (await top.shows("> p2")).split("\n");
  const changed = after.flatMap((line, row) => (line === before[row] ? [] : [row]));
  expect(changed.length).toBeLessThan(6);
  // A second may pass meanwhile: that changes the first row, and the bars.
  for (const row of top.screen.touched) expect([0, ...changed, 3, 2]).toContain(row);
});

test("what jobs are called and print cannot steer the terminal", async (home) => {
  await home.enqueue({ id: "tricky", command: "printf '\u001b[2J\u202e'" });
  await using top = home.startOnTerminal(SMALL, "top");
  await top.shows("printf '\\x1b[2J\\u202e'");
});

test("without a terminal to draw on, top says what else there is", async (home) => {
  const hint = "For scripts there are: queuectl status, queuectl list (with --json, too)\n";
  expect(await home.run("top")).toEqual({
    stdout: "",
    stderr: `A terminal is needed, to read keys from and to draw on.\n${hint}`,
    exitCode: 2,
  });
  const json = await home.run("top", "--json");
  expect(JSON.parse(json.stderr).error.message).toBe("top draws on a terminal, and prints no JSON.");
  await using dumb = home.startOnTerminal({ ...SMALL, env: { TERM: "dumb" } }, "top");
  expect(await dumb.end()).toBe(2);
  expect(await dumb.shows("A terminal that can be drawn on is needed, and TERM is dumb.")).toContain("queuectl status");
});
