import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";
import { until } from "../support/until.ts";

test("exec runs a command where one stands, prints what it prints, and ends as it ends", async (home) => {
  await home.enqueue({ id: "before", command: "true", delay: "1h" });
  home.write("here/file", "");
  const said = await home.runIn(
    { cwd: "here", env: { COLOUR: "blue" } },
    "exec",
    "--",
    "sh",
    "-c",
    "pwd; echo $COLOUR; ls file",
  );
  expect(said).toEqual(printed(`${home.path}/here\nblue\nfile\n`));
  expect(await home.jobs("--state", "completed")).toMatchObject([{ attempts: 1, cwd: `${home.path}/here` }]);
  await home.deserted();
});

test.each<[command: string, exitCode: number, error: string]>([
  ["exit 7", 7, ""],
  ["kill -KILL $$", 137, "✗ x: killed by SIGKILL\n"],
  ["sleep 300", 124, "✗ x: timed out after 500ms\n"],
  ["nosuchcommand 2> /dev/null", 127, ""],
])("exec ends with the exit code of its job: %s", async (home, command, exitCode, error) => {
  expect(await home.run("exec", "--id", "x", "--timeout", "500ms", "-c", command)).toEqual({
    ...{ stdout: "", stderr: error, exitCode },
  });
  expect((await home.deadLetters()).map(({ id, attempts }) => [id, attempts])).toEqual([["x", 1]]);
});

test("a command that could not be run is told with exit code 5", async (home) => {
  expect(await home.run("exec", "--id", "x", "--cwd", "nowhere", "--", "true")).toEqual({
    stdout: "",
    stderr: `✗ x: could not start: its directory ${home.path}/nowhere is not there\n`,
    exitCode: 5,
  });
});

test("what it prints is there while it runs, of each of its attempts, and whole", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  const line =
    'echo "begun $QUEUECTL_ATTEMPT"; until [ -e go ]; do sleep 0.01; done; head -c 3145728 /dev/zero; [ $QUEUECTL_ATTEMPT = 2 ]';
  const exec = home.start("exec", "--max-retries", "1", "-c", line);
  await exec.says("begun 1");
  expect(exec.hasEnded).toBe(false);
  home.write("go", "");
  const { stdout, exitCode } = await exec.end();
  const zeros = "\0".repeat(3145728);
  expect(stdout === `begun 1\n${zeros}begun 2\n${zeros}`).toBe(true);
  expect(exitCode).toBe(0);
});

test("a worker that serves the queue runs the job, and exec brings none", async (home) => {
  const worker = home.start("worker-start", "--queue", "deploy");
  await worker.says("Worker 1 started");
  await until(async () => (await home.obey("status")).includes("activeWorkers: 1"), "the worker");
  expect(await home.run("exec", "--queue", "deploy", "-c", "echo $QUEUECTL_WORKER_ID")).toEqual(
    printed(`worker-${worker.workerPids[0]}\n`),
  );
  // Of another queue it is one of its own, however many others work.
  const own = await home.run("exec", "-c", "echo $QUEUECTL_WORKER_ID");
  expect(own.stdout).toMatch(/^worker-\d+\n$/);
  expect(own.stdout).not.toBe(`worker-${worker.workerPids[0]}\n`);
  worker.kill("SIGTERM");
});

test("the worker that exec brings takes no job but its own", async (home) => {
  await home.enqueue({ id: "before", command: "true", priority: 9 });
  expect(await home.run("exec", "-c", "queuectl enqueue -- true > /dev/null; echo ran")).toEqual(printed("ran\n"));
  expect(sorted((await home.jobs()).map(({ state }) => state))).toEqual(["completed", "pending", "pending"]);
});

test("ten at once into a queue of width 1 run one after the other, and each ends as its own job", async (home) => {
  await home.obey("queue-set", "deploy", "--concurrency", "1");
  const line = (n: number): string =>
    `mkdir gate || { echo two >> collisions; exit 99; }; echo out ${n}; sleep 0.02; rmdir gate; exit ${n}`;
  const shells = Array.from({ length: 10 }, (_, n) => home.start("exec", "--queue", "deploy", "-c", line(n)));
  const ended = await Promise.all(shells.map((shell) => shell.end()));
  expect(ended.map(({ stdout, exitCode }) => [stdout, exitCode])).toEqual(
    Array.from({ length: 10 }, (_, n) => [`out ${n}\n`, n]),
  );
  expect(home.read("collisions")).toBe("");
  await home.deserted();
});

test("^C ends the job, which is canceled", async (home) => {
  const exec = home.start("exec", "--id", "x", "-c", "echo begun; sleep 300 & sleep 300");
  await exec.says("begun");
  exec.interrupt();
  expect(await exec.end()).toEqual({ stdout: "begun\n", stderr: "✗ x: canceled\n", exitCode: 130 });
  await home.deserted();
  expect(await home.entry("x")).toMatchObject({ state: "failed", last_error: "canceled" });
});

test("whoever reads no more ends the job, as in any pipe", async (home) => {
  expect(await home.shell("{ queuectl exec --id x -- yes; echo $? > code; } 2> said | head -n 1")).toEqual(
    printed("y\n"),
  );
  expect([home.read("code"), home.read("said")]).toEqual(["130\n", "✗ x: canceled\n"]);
  await home.deserted();
});

test("a job whose turn has not come is said to be waited for, and is canceled by ^C all the same", async (home) => {
  await home.obey("pause", "deploy");
  const exec = home.start("exec", "--id", "x", "--queue", "deploy", "--", "true");
  await exec.says("Waiting for job x to be begun...");
  exec.interrupt();
  expect(await exec.end()).toEqual({
    stdout: "",
    stderr: "Waiting for job x to be begun...\n✗ x: canceled\n",
    exitCode: 130,
  });
  expect(await home.entry("x")).toMatchObject({ state: "failed", last_error: "canceled" });
});

test("killed itself, exec leaves a job that is run to its end", async (home) => {
  const exec = home.start(
    "exec",
    "--id",
    "x",
    "-c",
    "echo begun; until [ -e go ]; do sleep 0.01; done; echo done > done",
  );
  await exec.says("begun");
  exec.kill("SIGKILL");
  home.write("go", "");
  await home.deserted();
  expect(home.read("done")).toBe("done\n");
  expect(await home.entry("x")).toMatchObject({ state: "completed" });
});

test("exec --json is one document about the job", async (home) => {
  const { stdout, stderr, exitCode } = await home.run("exec", "--json", "--id", "x", "-c", "echo hi; exit 3");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 3 });
  expect(JSON.parse(stdout)).toMatchObject({ job: { id: "x", state: "dead", error: "exit 3: hi" }, exit_code: 3 });
});

test.each<[args: string[], hint: string]>([
  [[], "queuectl exec -- make"],
  [["make", "test"], "queuectl exec -- make test"],
  [["make && make test"], "queuectl exec -c 'make && make test'"],
])("what is no command is refused: exec %j", async (home, args, hint) => {
  expect(await home.run("exec", ...args)).toEqual({
    stdout: "",
    stderr: `Expected a command after --, or a line after -c.\nTo run that as a command: ${hint}\n`,
    exitCode: 2,
  });
});
