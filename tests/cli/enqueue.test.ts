import { expect } from "bun:test";
import { lstatSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";

test("a job without an id gets one of its own", async (home) => {
  const said = await Promise.all([1, 2].map(() => home.obey("enqueue", '{"command":"true"}')));
  const ids = said.map((line) => /^Job enqueued with ID: (\S+)\n$/.exec(line)?.[1] ?? line);
  expect(sorted((await home.jobs()).map(({ id }) => id))).toEqual(sorted(ids));
  expect(new Set(ids).size).toBe(2);
});

test("run_at may be epoch milliseconds or ISO 8601, and may be called runAt", async (home) => {
  await home.enqueue(
    { id: "number", command: "true", run_at: 4_102_444_800_000 },
    { id: "text", command: "true", run_at: "2100-01-01T00:00:00Z" },
    { id: "original", command: "true", runAt: 4_102_444_800_000 },
  );
  expect((await home.jobs()).map(({ run_at }) => run_at)).toEqual(new Array(3).fill(4_102_444_800_000));
});

test("a job's own max_retries rules, 0 included; else the setting at the time of enqueueing", async (home) => {
  await home.obey("config-set", "max_retries", "7");
  await home.enqueue(
    { id: "none", command: "true", max_retries: 0 },
    { id: "own", command: "true", max_retries: 2 },
    { id: "default", command: "true" },
  );
  await home.obey("config-set", "max_retries", "1");
  expect((await home.jobs()).map(({ id, max_retries }) => [id, max_retries])).toEqual([
    ["none", 0],
    ["own", 2],
    ["default", 7],
  ]);
});

test("an id that is in the queue or in the DLQ is refused, and the job that has it stays as it is", async (home) => {
  await home.seed([{ id: "dead", command: "false", max_retries: 0 }]);
  await home.drain();
  await home.enqueue({ id: "p1", command: "echo 1" });
  expect(await home.run("enqueue", '{"id":"p1","command":"echo 2"}')).toEqual({
    stdout: "",
    stderr: 'A job with ID "p1" exists already (pending).\nChoose another id, or leave it out.\n',
    exitCode: 4,
  });
  expect(await home.run("enqueue", '{"id":"dead","command":"echo 2"}')).toEqual({
    stdout: "",
    stderr: 'A job with ID "dead" exists already (in the DLQ).\nTo run that one again: queuectl dlq-retry dead\n',
    exitCode: 4,
  });
  expect(await home.jobs()).toMatchObject([{ id: "p1", command: "echo 1" }]);
});

test("ids that look like paths, options or patterns run, and never become paths", async (home) => {
  const ids = [
    "../x",
    "../../../x",
    "a/b",
    "/etc/x",
    ".",
    "..",
    "-x",
    "*",
    "a b",
    "CON",
    "p1",
    "P1",
    `${"ü".repeat(127)}z`,
  ];
  home.write("before/x", "");
  await home.enqueue(...ids.map((id) => ({ id, command: 'printf %s "$QUEUECTL_JOB_ID"' })));
  expect(await home.drain("--count", "2")).toMatchObject({ stderr: "", exitCode: 0 });
  expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(ids);
  for (const id of ids) expect(await home.run("logs", "--", id)).toEqual(printed(id));
  expect(sorted(readdirSync(home.path))).toEqual(["before", "db"]);
  expect(readdirSync(join(home.path, "db"))).toEqual(["data"]);
  const shown = await Promise.all(ids.map((id) => home.obey("show", "--json", "--", id)));
  const logs = shown.flatMap((text) => (JSON.parse(text).logs as { path: string }[]).map(({ path }) => basename(path)));
  expect(logs).toHaveLength(ids.length);
  expect(new Set(logs.map((name) => name.toLowerCase())).size).toBe(ids.length);
  expect(logs.filter((name) => !/^[A-Za-z0-9_.-]+$/.test(name))).toEqual([]);
}, 60_000);

test("text from a job cannot steer the terminal of whoever looks at it", async (home) => {
  const command = "printf '\u001b[31m' # \u009b\u202e";
  await home.enqueue({ id: "evil\u202e", command });
  expect(await home.jobs()).toMatchObject([{ id: "evil\u202e", command }]);
  for (const args of [["list"], ["list", "--json"], ["show", "evil\u202e"], ["show", "--json", "evil\u202e"]]) {
    expect(await home.obey(...args)).not.toMatch(/[\u001b\u009b\u202e]/);
  }
});

test("what it creates is for its user alone", async (home) => {
  await home.shell('umask 0; queuectl enqueue \'{"command":"echo 1"}\'; queuectl worker-start --drain');
  await home.shell("umask 0; queuectl config-set max_retries 1");
  const created = readdirSync(join(home.path, "db"), { recursive: true, encoding: "utf8" }).map((name) => {
    const stat = lstatSync(join(home.path, "db", name));
    return [name, (stat.mode & 0o777).toString(8), stat.isDirectory() ? "700" : "600"] as const;
  });
  const some = home.store === "files" ? ["data/queue.json", "data/config.json"] : [expect.stringMatching(/\.log$/)];
  expect(created.map(([name]) => name)).toEqual(expect.arrayContaining(some));
  expect(created.filter(([, mode, wanted]) => mode !== wanted)).toEqual([]);
});
