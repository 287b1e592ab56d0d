import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { Home } from "../support/home.ts";
import { until } from "../support/until.ts";

const DAMAGED = (text: string): string => text.replace('"command":"echo b"', '"command:"echo b"');

async function homeWithJobs(): Promise<Home> {
  const home = new Home();
  for (const id of ["a", "b", "c"]) await home.enqueue({ id, command: `echo ${id}` });
  return home;
}

function damage(home: Home): string {
  const damaged = DAMAGED(home.read("db/data/queue.json"));
  home.write("db/data/queue.json", damaged);
  return damaged;
}

test.concurrent("doctor of a sound queue says what each file holds, and ends with 0", async () => {
  await using home = await homeWithJobs();
  const { stdout, stderr, exitCode } = await home.run("doctor");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  const { length } = home.read("db/data/journal.1.jsonl");
  expect(stdout).toBe(
    `${home.data}:\n  queue.json: 3 jobs\n  dlq.json: 0 dead letters\n  journal.1.jsonl: ${length} bytes\nSound.\n`,
  );
});

test.concurrent("doctor where there is no queue says so and makes none", async () => {
  await using home = new Home();
  expect((await home.run("doctor")).stdout).toBe(`${home.data}:\n  No queue is kept here yet.\nSound.\n`);
  expect(existsSync(home.data)).toBe(false);
});

test.concurrent("doctor of a damaged queue names file, line and job, ends with 7 and changes nothing", async () => {
  await using home = await homeWithJobs();
  const damaged = damage(home);
  const { stdout, exitCode } = await home.run("doctor");
  expect({ stdout, exitCode }).toEqual({
    stdout:
      `${home.data}:\n✗ queue.json, line 3: it is not a whole job. Jobs: b\nDamaged in 1 place.\n` +
      "To set it aside and rebuild from everything that is whole: queuectl doctor --fix\n",
    exitCode: 7,
  });
  expect(home.read("db/data/queue.json")).toBe(damaged);
  const { stdout: json } = await home.run("doctor", "--json");
  expect(JSON.parse(json)).toEqual({
    location: home.data,
    sound: false,
    mendable: true,
    files: [],
    findings: [
      { severity: "damage", path: `${home.data}/queue.json`, line: 3, problem: "it is not a whole job.", jobs: ["b"] },
    ],
  });
});

test.concurrent("doctor --fix rebuilds what is whole, names what is lost, and keeps the damaged file", async () => {
  await using home = await homeWithJobs();
  // Its worker begins a new journal, so that queue.json alone holds the jobs.
  await home.drain();
  const damaged = damage(home);
  const { stdout, exitCode } = await home.run("doctor", "--fix", "--yes");
  expect(exitCode).toBe(0);
  const [, kept = ""] = /kept in (.+)\n/.exec(stdout) ?? [];
  expect(stdout).toContain("Touched and now lost: b\n");
  expect(await Bun.file(`${kept}/queue.json`).text()).toBe(damaged);
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["a", "c"]);
  expect((await home.run("doctor")).exitCode).toBe(0);
  await home.enqueue({ id: "d", command: "true" });
  await home.drain();
  expect((await home.jobs()).at(-1)).toMatchObject({ id: "d", state: "completed" });
});

test.concurrent("doctor --fix takes from the journal what queue.json has lost", async () => {
  await using home = await homeWithJobs();
  damage(home);
  expect((await home.run("doctor", "--fix", "--yes")).stdout).toContain("Touched and now pending: b\n");
  expect(await home.jobs()).toMatchObject([{ id: "a" }, { id: "b", command: "echo b" }, { id: "c" }]);
});

test.concurrent("doctor --fix without a terminal and without --yes changes nothing", async () => {
  await using home = await homeWithJobs();
  const damaged = damage(home);
  const { stderr, exitCode } = await home.run("doctor", "--fix");
  expect({ stderr, exitCode }).toEqual({
    stderr: "Nobody can be asked here. To mend without: --fix --yes\n",
    exitCode: 2,
  });
  expect(home.read("db/data/queue.json")).toBe(damaged);
});

test.concurrent.each([
  ["y\n", ["a", "b", "c"], 0],
  ["n\n", undefined, 7],
] as const)("doctor --fix asks on a terminal: %j", async (answer, left, code) => {
  await using home = await homeWithJobs();
  const damaged = damage(home);
  await using terminal = home.startOnTerminal({ columns: 100, rows: 30 }, "doctor", "--fix");
  await terminal.shows("Rebuild it now? [y/N]");
  terminal.type(answer);
  expect(await terminal.end()).toBe(code);
  if (left) expect((await home.jobs()).map(({ id }) => id)).toEqual([...left]);
  else expect(home.read("db/data/queue.json")).toBe(damaged);
});

test.concurrent("doctor --fix refuses while workers run, by exit code 8", async () => {
  await using home = await homeWithJobs();
  // So that the worker has nothing to write.
  await home.drain();
  const workers = home.start("worker-start");
  await until(async () => /activeWorkers: 1/.test(await home.obey("status")), "a worker");
  const damaged = damage(home);
  const { stderr, exitCode } = await home.run("doctor", "--fix", "--yes");
  expect(exitCode).toBe(8);
  expect(stderr).toContain("still work on it.\nStop them first: queuectl worker-stop\n");
  expect(home.read("db/data/queue.json")).toBe(damaged);
  workers.kill("SIGTERM");
  await workers.end();
});

test.concurrent("doctor tells of dead workers and orphaned logs, and ends with 0", async () => {
  await using home = await homeWithJobs();
  // The log of a supervisor in the background is no job's, and no orphan.
  await home.shell(
    "queuectl worker-start --drain --detach; umask 077; touch db/data/logs/gone-0123456789abcdef.1.2.log",
  );
  await until(async () => (await home.obey("status")).includes("{ activeWorkers: 0,"), "the workers to have left");
  const dead = { id: "worker-1", kind: "worker", pid: 1, start: "0", host: "h", boot: "b", pidns: "p" };
  home.write("db/data/workers/worker-1.json", JSON.stringify(dead));
  const { stdout, exitCode } = await home.run("doctor");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("! workers: worker-1 is dead and left its file; the next worker removes it.\n");
  expect(stdout).toContain("! logs/gone-0123456789abcdef.1.2.log: it belongs to no job.\n");
  expect(stdout).toContain("Sound, 2 things worth a look.\n");
});

test.concurrent("doctor names everything that others may have put there, reads none of it, and ends with 7", async () => {
  await using home = await homeWithJobs();
  await home.shell(
    "mkdir -m 777 db/data/logs; chmod 666 db/data/queue.json; mv db/data/dlq.json other; ln -s ../../other db/data/dlq.json",
  );
  const { stdout, exitCode } = await home.run("doctor");
  expect(exitCode).toBe(7);
  expect(stdout).toContain("✗ dlq.json: it is a symbolic link to ../../other.");
  expect(stdout).toContain("✗ queue.json: it may be written by other users.");
  expect(stdout).toContain("✗ logs: it may be written by other users.");
  expect(stdout).toEndWith(
    "Damaged in 3 places.\nThat is for you to put right: doctor cannot tell whose word to take.\n",
  );
  expect(await home.run("doctor", "--fix", "--yes")).toEqual({ stdout, stderr: "", exitCode: 7 });
});
