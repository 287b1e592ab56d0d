import { expect, test } from "bun:test";
import { cpSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Home } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";

const FIXTURE = join(import.meta.dir, "..", "fixtures", "v0");

test.concurrent("no reader changes a file, neither at rest nor beside workers that were killed", async () => {
  await using home = new Home();
  await home.obey("config-set", "max_retries", "0");
  await home.enqueue({ id: "good", command: "echo hi" }, { id: "bad", command: "false" });
  await home.drain();
  await readersChangeNothing(home);

  await home.enqueue({ id: "stuck", command: "sleep 30" });
  const terminal = home.start("worker-start");
  await terminal.says("Processing job: stuck");
  for (const pid of [terminal.pid, ...terminal.workerPids]) process.kill(pid, "SIGKILL");
  await readersChangeNothing(home);
});

async function readersChangeNothing(home: Home): Promise<void> {
  const before = snapshotOf(home);
  expect(Object.keys(before).length).toBeGreaterThan(3);
  const readers = [["list"], ["status"], ["dlq-list"], ["show", "good"], ["logs", "good"], ["config-get"]];
  for (const args of readers) {
    expect((await home.run(...args)).exitCode).toBe(0);
    expect([args, snapshotOf(home)]).toEqual([args, before]);
  }
}

/** What is in each file, and when it was last changed. */
function snapshotOf(home: Home): Record<string, string> {
  const names = sorted(readdirSync(home.data, { recursive: true, encoding: "utf8" }));
  return Object.fromEntries(
    names.map((name) => {
      const stat = lstatSync(join(home.data, name));
      return [
        name,
        stat.isDirectory() ? `directory ${stat.mtimeMs}` : `${stat.mtimeMs} ${home.read(`db/data/${name}`)}`,
      ];
    }),
  );
}

test.concurrent("a full disk is told, and what was acknowledged before it stays", async () => {
  await using home = new Home();
  await home.enqueue({ id: "before", command: "true" });
  const { stdout, stderr } = await home.shell(`
    ulimit -f 8
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
      queuectl enqueue '{"id":"'$i'","command":"echo ${"x".repeat(1000)}"}'
      echo "exit $?"
    done
  `);
  const acknowledged = [...stdout.matchAll(/^Job enqueued with ID: (\d+)$/gm)].map(([, id]) => id);
  const codes = [...stdout.matchAll(/^exit (\d+)$/gm)].map(([, code]) => code);
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(acknowledged.length).toBeLessThan(12);
  expect(codes).toEqual([...acknowledged.map(() => "0"), ...new Array(12 - acknowledged.length).fill("7")]);
  expect(stderr).toMatch(/Cannot write .*: (?:only \d+ of \d+ bytes were taken|the file size limit is reached)/);
  await home.enqueue({ id: "after", command: "true" });
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["before", ...(acknowledged as string[]), "after"]);
});

test.concurrent("a job that dies while the disk is full is in the queue or in the DLQ", async () => {
  await using home = new Home();
  const padding = { id: "padding", command: `: ${"x".repeat(7000)}`, run_at: "2100-01-01" };
  await home.enqueue(padding, { id: "bad", command: "echo > tried; exit 3", max_retries: 0 });
  const terminal = home.startShell("ulimit -f 1; exec queuectl worker-start");
  await terminal.says("cannot use the queue: ");
  const found = [...(await home.jobs()), ...(await home.deadLetters())].map(({ id }) => id);
  expect(found).toEqual(["padding", "bad"]);
  terminal.kill("SIGKILL");
});

test.concurrent("a data directory of the original opens as it is: its jobs, dead letters and settings", async () => {
  await using home = new Home();
  cpSync(FIXTURE, home.data, { recursive: true });
  const before = snapshotOf(home);
  expect((await home.jobs()).map(({ id, state }) => [id, state])).toEqual([
    ["p1", "completed"],
    ["p2", "pending"],
    ["stuck", "processing"],
  ]);
  expect(await home.deadLetters()).toMatchObject([
    { id: "bad1", command: "wrongcmd", attempts: 4, error: expect.stringContaining("wrongcmd: not found") },
  ]);
  expect(await home.obey("config-get", "max_retries")).toBe("5\n");
  expect(snapshotOf(home)).toEqual(before);
});

test.concurrent("a job that the original left processing is taken back and run, and so is its DLQ", async () => {
  await using home = new Home();
  cpSync(FIXTURE, home.data, { recursive: true });
  await home.obey("config-set", "backoff_base", "0.1");
  expect(await home.obey("dlq-retry", "bad1")).toBe("🔁 Job bad1 moved back to queue.\n");
  const { stdout, exitCode } = await home.drain();
  expect(stdout).toContain("[RESCUE] worker worker-12346 was killed; worker ");
  expect(stdout).toContain("Job succeeded: p2\n");
  expect(stdout).toContain("Job succeeded: stuck\n");
  expect(stdout).toContain("bad1 moved to DLQ\n");
  expect(exitCode).toBe(5);
  expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(["p1", "p2", "stuck"]);
});

test.concurrent("an id that the original's queue holds is taken", async () => {
  await using home = new Home();
  cpSync(FIXTURE, home.data, { recursive: true });
  for (const id of ["p1", "bad1"]) {
    expect((await home.run("enqueue", JSON.stringify({ id, command: "true" }))).exitCode).toBe(4);
  }
});
