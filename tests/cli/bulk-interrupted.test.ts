/** Enqueueing many jobs, cut short: by ^C, by SIGKILL, by a disk that takes no more. What was committed stays, whole. */
import { expect, test as testOnce } from "bun:test";
import { existsSync } from "node:fs";
import { test } from "../support/both-stores.ts";
import { Home, printed } from "../support/home.ts";
import { until } from "../support/until.ts";

const MANY = 60_000;
const IDS = Array.from({ length: MANY }, (_, i) => `job-${i + 1}`);
const JOBS = IDS.map((id) => `${JSON.stringify({ id, command: "true" })}\n`).join("");
const SKIPPING = ["enqueue", "--file", "jobs.jsonl", "--skip-existing", "--json"];

async function idsIn(home: Home): Promise<string[]> {
  return (await home.jobs()).map(({ id }) => id);
}

test("^C is told with how many jobs were enqueued, exit code 130, and the line that had begun is not one", async (home) => {
  const lines = '{"id":"a","command":"true"}\\n{"id":"b","command":"true"}\\n{"id":"torn","command":"true"}';
  const pipe = home.startShell(`mkfifo pipe; exec 3<>pipe; printf '${lines}' >&3; exec queuectl enqueue - < pipe`);
  await until(async () => (await idsIn(home)).length === 2, "the jobs of the whole lines");
  pipe.interrupt();
  expect(await pipe.end()).toEqual({
    stdout: "",
    stderr: "Interrupted. 2 jobs were enqueued, up to line 2. To go on, run it again with --skip-existing.\n",
    exitCode: 130,
  });
  expect(await idsIn(home)).toEqual(["a", "b"]);
});

test("^C with --atomic leaves nothing behind", async (home) => {
  home.write("jobs.jsonl", JOBS);
  // More than a pipe holds: once it is written, some of it has been read.
  const write = "{ cat jobs.jsonl >&3; echo yes > written; }";
  const pipe = home.startShell(`mkfifo pipe; exec 3<>pipe; ${write} & exec queuectl enqueue - --atomic < pipe`);
  await home.has("written");
  pipe.interrupt();
  expect(await pipe.end()).toEqual({ stdout: "", stderr: "Interrupted. Nothing was enqueued.\n", exitCode: 130 });
  expect(existsSync(home.data)).toBe(false);
});

test("killed in the middle, it has enqueued the first so many lines, each whole, and can be run again", async (home) => {
  home.write("jobs.jsonl", JOBS);
  const program = home.start("enqueue", "--file", "jobs.jsonl");
  await until(async () => program.hasEnded || (await idsIn(home)).length > 0, "the first commit");
  program.kill("SIGKILL");
  await program.end();
  const ids = await idsIn(home);
  expect(ids.length).toBeGreaterThan(0);
  expect(ids).toEqual(IDS.slice(0, ids.length));
  const again = JSON.parse(await home.obey(...SKIPPING)) as Record<"enqueued" | "skipped", number>;
  // A database may still be at what a dead client has sent it, so there may be more by now; never less.
  expect(again.skipped).toBeGreaterThanOrEqual(ids.length);
  expect(again).toEqual({ enqueued: MANY - again.skipped, skipped: again.skipped });
  expect(await idsIn(home)).toEqual(IDS);
});

testOnce.concurrent(
  "a disk that takes no more is told with how many jobs were enqueued, and the rest goes on from there",
  async () => {
    await using home = new Home();
    home.write("jobs.jsonl", JOBS);
    const { stdout, stderr, exitCode } = await home.shell("ulimit -f 8000; queuectl enqueue --file jobs.jsonl");
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 7 });
    const told = /(\d+) jobs were enqueued, up to line (\d+)\. To go on, run it again with --skip-existing\.\n$/.exec(
      stderr,
    );
    const ids = await idsIn(home);
    expect(stderr).toContain("Cannot write ");
    expect(told?.slice(1).map(Number)).toEqual([ids.length, ids.length]);
    expect(ids).toEqual(IDS.slice(0, ids.length));
    expect(await home.run(...SKIPPING)).toEqual(
      printed(`${JSON.stringify({ enqueued: MANY - ids.length, skipped: ids.length })}\n`),
    );
    expect(await idsIn(home)).toEqual(IDS);
  },
);
