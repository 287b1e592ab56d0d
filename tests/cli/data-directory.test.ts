import { expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Home, printed } from "../support/home.ts";

const JOB = '{"id":"p1","command":"true"}';

test("the first command that writes creates db/data here, and none that reads", async () => {
  await using home = new Home();
  for (const command of ["list", "status", "dlq-list", "config-get", "worker-stop"]) await home.obey(command);
  expect(existsSync(join(home.path, "db"))).toBe(false);
  await home.obey("enqueue", JOB);
  expect(existsSync(join(home.data, "queue.json"))).toBe(true);
});

test("a folder below finds the queue above, the nearest first", async () => {
  await using home = new Home();
  await home.obey("enqueue", JOB);
  home.write("sub/deep/db/data/config.json", "{}");
  const list = ["list", "--json"];
  expect(JSON.parse((await home.runIn({ cwd: "sub/deep" }, ...list)).stdout)).toMatchObject([{ id: "p1" }]);
  await home.runIn({ cwd: "sub/deep" }, "enqueue", '{"id":"p2","command":"true"}');
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["p1", "p2"]);
  await home.obey("enqueue", JOB, "--data-dir", "sub/db/data");
  expect(JSON.parse((await home.runIn({ cwd: "sub/deep" }, ...list)).stdout)).toMatchObject([{ id: "p1" }]);
  expect(JSON.parse((await home.runIn({ cwd: "sub/deep" }, ...list)).stdout)).toHaveLength(1);
});

test("--data-dir goes before QUEUECTL_DATA_DIR, which goes before what is found", async () => {
  await using home = new Home();
  const env = { QUEUECTL_DATA_DIR: "by-variable" };
  await home.obey("enqueue", JOB);
  expect(await home.runIn({ env }, "list")).toEqual(printed("[]\n"));
  await home.runIn({ env }, "enqueue", '{"id":"variable","command":"true"}');
  await home.runIn({ env }, "--data-dir", "by-option", "enqueue", '{"id":"option","command":"true"}');
  const ids = async (directory: string) => (await home.jobs("--data-dir", directory)).map(({ id }) => id);
  expect(await ids("by-variable")).toEqual(["variable"]);
  expect(await ids("by-option")).toEqual(["option"]);
  expect(await ids("db/data")).toEqual(["p1"]);
});

test("workers and their jobs work on the queue that worker-start was given, wherever they run", async () => {
  await using home = new Home();
  const command = `cd / && queuectl enqueue '{"id":"child","command":"true"}'`;
  await home.obey("enqueue", JSON.stringify({ id: "parent", command }), "--data-dir", "other");
  expect((await home.drain("--data-dir", "other")).exitCode).toBe(0);
  const completed = await home.jobs("--data-dir", "other", "--state", "completed");
  expect(completed.map(({ id }) => id)).toEqual(["parent", "child"]);
});

test("a queue without its empty folders, as git keeps it, works", async () => {
  await using home = new Home();
  await home.obey("enqueue", JOB);
  rmSync(join(home.data, "workers"), { recursive: true });
  expect((await home.drain()).exitCode).toBe(0);
  rmSync(join(home.data, "workers"), { recursive: true });
  expect(await home.run("worker-stop")).toEqual(printed("No workers are running.\n"));
  expect(await home.jobs()).toMatchObject([{ id: "p1", state: "completed" }]);
});
