import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Home } from "../support/home.ts";
import { until } from "../support/until.ts";

test.concurrent("selftest tortures a queue of its own, tells in a paragraph what it found, and leaves nothing behind", async () => {
  await using home = new Home();
  const { stdout, stderr, exitCode } = await home.run("selftest", "--jobs", "12", "--crash", "6", "--seed", "1");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  expect(stdout).toStartWith("Every promise was kept.\nSeed 1: ");
  expect(stdout).toContain(
    "0 lost, 0 overlapping, 0 uncounted, 0 with a wrong lease, 0 from nowhere, 0 left behind, 0 damaged.",
  );
  expect(readdirSync(home.path)).toEqual([]);
  expect(home.processes()).toEqual([]);
});

test.concurrent("selftest --json counts what it did", async () => {
  await using home = new Home();
  const { stdout, exitCode } = await home.run("selftest", "--jobs", "8", "--crash", "3", "--seed", "2", "--json");
  expect(exitCode).toBe(0);
  const { jobs, attempts, struck, ...rest } = JSON.parse(stdout);
  expect(rest).toEqual({ held: true, seed: 2, violations: [], ms: expect.any(Number), evidence: null });
  expect(jobs.acknowledged).toBeGreaterThan(0);
  expect(jobs.completed + jobs.dead).toBeGreaterThanOrEqual(jobs.acknowledged);
  expect(attempts).toBeGreaterThanOrEqual(jobs.acknowledged);
  expect(Object.keys(struck)).toEqual(["SIGKILL", "SIGSTOP", "SIGTERM", "SIGINT", "SIGQUIT"]);
});

test.concurrent("^C ends a selftest and everything that it started", async () => {
  await using home = new Home();
  const selftest = home.start("selftest", "--jobs", "100000", "--seed", "3");
  await home.has(`${await folderIn(home)}/workers.log`, 3);
  selftest.interrupt();
  expect((await selftest.end()).exitCode).toBe(130);
  expect(readdirSync(home.path)).toEqual([]);
  expect(home.processes()).toEqual([]);
});

test.concurrent("selftest in a folder that is not there says so", async () => {
  await using home = new Home();
  const { stderr, exitCode } = await home.run("selftest", "--dir", "nowhere");
  expect({ stderr, exitCode }).toEqual({ stderr: "Cannot make a folder in nowhere (ENOENT).\n", exitCode: 7 });
});

async function folderIn(home: Home): Promise<string> {
  return until(() => readdirSync(home.path)[0], "the folder of the selftest");
}
