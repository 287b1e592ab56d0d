import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { sorted } from "../support/sorted.ts";
import { until } from "../support/until.ts";
import { isAlive } from "../support/worker-director.ts";

/** Says that it runs, and whether an earlier attempt still does. */
const LONG_JOB = `
  for pid in $(cat started); do
    ps -o stat= -p "$pid" | grep -q '^[^Z]' && echo "$pid" >> overlaps
  done
  sleep 30 & echo $! >> started
  wait
`;

test("the job of a killed worker is taken back: its sleep ended, the attempt charged, then run again", async (home) => {
  home.write("started", "");
  await home.obey("config-set", "backoff_base", "0.2");
  await home.enqueue({ id: "long", command: LONG_JOB });
  const terminal = home.start("worker-start", "--count", "2");
  const [sleep] = await home.has("started");
  const victim = workerOf(await home.entry("long"));
  process.kill(Number(victim.replace("worker-", "")), "SIGKILL");

  await terminal.says(`[RESCUE] worker ${victim} was killed; worker `);
  await terminal.says("long failed attempt 1 → retry in 0.2s\n");
  expect(isAlive(Number(sleep))).toBe(false);
  await home.has("started", 2);
  const again = await home.entry("long");
  expect(again).toMatchObject({ state: "processing", attempts: 2, last_error: `worker ${victim} was killed` });
  expect(workerOf(again)).not.toBe(victim);
  expect(home.read("overlaps")).toBe("");
  await terminal.says("died (killed by SIGKILL) → restart in 1s");
  await terminal.says("started with PID: ", 3);
  await until(async () => (await home.obey("status")).includes("{ activeWorkers: 2,"), "another worker in its place");
});

test("a job whose attempts are used up by killed workers is dead, with the reason", async (home) => {
  home.write("started", "");
  await home.enqueue({ id: "long", command: LONG_JOB, max_retries: 0 });
  const terminal = home.start("worker-start", "--count", "2");
  await home.has("started");
  const victim = workerOf(await home.entry("long"));
  process.kill(Number(victim.replace("worker-", "")), "SIGKILL");
  await terminal.says("long moved to DLQ");
  expect(await home.deadLetters()).toMatchObject([{ id: "long", attempts: 1, error: `worker ${victim} was killed` }]);
});

test("workers killed twenty times while busy leave every job, and each is run in the end", async (home) => {
  const ids = Array.from({ length: 400 }, (_, i) => `job-${i}`);
  const command = "echo $QUEUECTL_JOB_ID >> ran";
  await home.obey("config-set", "backoff_base", "0");
  for (let round = 0; round < 20; round++) {
    // As many as are waited for, however many the workers ran of those before.
    const added = ids.slice(20 * round, 20 * round + 20);
    home.write("jobs.jsonl", added.map((id) => JSON.stringify({ id, command, max_retries: 1000 })).join("\n"));
    await home.obey("enqueue", "--file", "jobs.jsonl");
    const terminal = home.start("worker-start", "--count", "2");
    await terminal.says("started with PID", 2);
    await terminal.says("[CLAIM]", 4 + (round % 5));
    const pids = [terminal.pid, ...terminal.workerPids];
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await terminal.end();
    await until(() => !pids.some(isAlive), "the killed processes to be gone");
    const counts = JSON.parse(await home.obey("status", "--json")) as Record<string, number>;
    expect(counts).toMatchObject({ active_workers: 0, failed: 0, dead: 0 });
    expect((counts.pending ?? 0) + (counts.processing ?? 0) + (counts.completed ?? 0)).toBe(20 * round + 20);
  }
  expect((await home.drain("--count", "2")).exitCode).toBe(0);
  expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(ids);
  expect(sorted([...new Set(home.lines("ran"))])).toEqual(sorted(ids));
}, 90_000);

function workerOf(entry: object): string {
  if ("worker_id" in entry) return String(entry.worker_id);
  throw new Error(`nobody runs ${JSON.stringify(entry)}`);
}
