import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";

const MS = expect.any(Number);

test("stats counts the runs of each command in the queue, the DLQ and the archive", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "a", command: "true" }, { id: "b", command: "true" });
  await home.drain();
  await home.obey("prune", "--keep", "1");
  await home.enqueue({ id: "flaky", command: "test $QUEUECTL_ATTEMPT = 2" });
  await home.enqueue({ id: "bad", command: "false", max_retries: 1 });
  await home.drain();
  const times = { p50_ms: MS, p95_ms: MS };
  const bad = { command: "false", jobs: 1, runs: 2, failures: 2, flaky: 0, p50_ms: null, p95_ms: null };
  const flaky = { command: "test", jobs: 1, runs: 2, failures: 1, flaky: 1, ...times };
  expect(JSON.parse(await home.obey("stats", "--json"))).toEqual({
    all: { jobs: 4, runs: 6, failures: 3, flaky: 1, ...times },
    commands: [{ command: "true", jobs: 2, runs: 2, failures: 0, flaky: 0, ...times }, bad, flaky],
  });
  const { all, commands } = JSON.parse(await home.obey("stats", "--json", "--match", "test *", "--by", "command"));
  expect(commands).toEqual([{ ...flaky, command: "test $QUEUECTL_ATTEMPT = 2" }]);
  expect(all).toMatchObject({ jobs: 1 });
  expect(JSON.parse(await home.obey("stats", "--json", "--limit", "1"))).toMatchObject({ commands: [{ runs: 2 }] });
});

test("stats is a table, with all commands together in its last line", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  expect(await home.obey("stats")).toBe("No jobs.\n");
  await home.enqueue({ command: "false", max_retries: 11 });
  await home.drain();
  const table = ["COMMAND  JOBS  RUNS  FAILED  FLAKY  P50  P95", "false       1    12      12      0    -    -"];
  expect(await home.obey("stats")).toBe(`${[...table, "in all      1    12      12      0    -    -"].join("\n")}\n`);
  expect(await home.showOnTerminalOf(80, "stats")).toBe(await home.obey("stats"));
});

test("stats by what is no grouping is a mistake", async (home) => {
  expect(await home.run("stats", "--by", "comand")).toEqual({
    stdout: "",
    stderr: 'Expected --by to be one of words, command, got "comand".\nDid you mean "command"?\n',
    exitCode: 2,
  });
});
