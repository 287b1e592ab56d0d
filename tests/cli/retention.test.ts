import { expect } from "bun:test";
import { existsSync } from "node:fs";
import type { Job } from "../../src/job/job.ts";
import { test } from "../support/both-stores.ts";
import { type Home, printed } from "../support/home.ts";

/** Five jobs that were run. */
async function completed(home: Home): Promise<void> {
  home.write("jobs.jsonl", [1, 2, 3, 4, 5].map((n) => `{"id":"p${n}","command":"echo ${n}"}\n`).join(""));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  await home.drain();
}

async function archivedIds(home: Home): Promise<string[]> {
  return (JSON.parse(await home.obey("list", "--archived")) as Job[]).map(({ id }) => id);
}

test("prune moves older completed jobs to the archive, which list shows and status counts", async (home) => {
  await completed(home);
  const will = "Would archive 3 completed jobs and remove 0 logs.\n";
  expect(await home.run("prune", "--keep", "2", "--dry-run")).toEqual(printed(will));
  expect(await archivedIds(home)).toEqual([]);
  expect(await home.run("prune", "--keep", "2")).toEqual(printed("Archived 3 completed jobs and removed 0 logs.\n"));
  expect(await archivedIds(home)).toEqual(["p1", "p2", "p3"]);
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["p4", "p5"]);
  expect(await home.run("show", "p1")).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining("list --archived"),
  });
  const counts = "pending: 0, processing: 0, completed: 5, failed: 0";
  expect(await home.obey("status")).toContain(counts);
  expect(await home.showOnTerminal("status")).toContain("3 of the completed are archived");
  expect(await home.obey("list", "--archived", "--json")).toBe(await home.obey("list", "--archived"));
});

test("prune removes the logs of archived jobs that are old enough", async (home) => {
  await completed(home);
  await home.obey("config-set", "keep_logs", "0");
  const { stdout } = await home.run("prune", "--keep", "4", "--json");
  expect(JSON.parse(stdout)).toEqual({ archived: 1, logs: 1, bytes: 2, dry_run: false });
  expect((await home.run("logs", "p1")).exitCode).toBe(3);
  expect(await home.obey("logs", "p2")).toBe("2\n");
});

test("workers archive by themselves what is more than keep_completed", async (home) => {
  await home.obey("config-set", "keep_completed", "1");
  home.write("jobs.jsonl", '{"id":"a","command":"true"}\n{"id":"b","command":"true"}\n{"id":"c","command":"true"}\n');
  await home.obey("enqueue", "--file", "jobs.jsonl");
  await home.drain();
  expect(await archivedIds(home)).toEqual(["a", "b"]);
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["c"]);
});

test("the archive is a table on a terminal, and says when it is empty", async (home) => {
  await completed(home);
  expect(await home.showOnTerminal("list", "--archived")).toContain("No archived jobs.");
  expect(await home.obey("list", "--archived")).toBe("[]\n");
  await home.obey("prune", "--keep", "0");
  expect(await home.showOnTerminal("list", "--archived")).toContain("COMMAND");
});

test("only completed jobs are archived, and only a number is kept", async (home) => {
  const state = await home.run("list", "--archived", "--state", "pending");
  expect(state).toMatchObject({ exitCode: 2, stdout: "" });
  expect(state.stderr).toContain("Only completed jobs are archived, got --state pending with --archived.");
  expect((await home.run("list", "--archived", "--state", "completed")).exitCode).toBe(0);
  const keep = await home.run("prune", "--keep", "some");
  expect(keep).toMatchObject({ exitCode: 2, stdout: "" });
  expect(keep.stderr).toContain("--keep");
});

test("prune of a queue that is not there makes none", async (home) => {
  expect(await home.run("prune")).toEqual(printed("Archived 0 completed jobs and removed 0 logs.\n"));
  expect(existsSync(home.data)).toBe(false);
});
