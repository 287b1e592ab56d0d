import { expect } from "bun:test";
import type { Happening } from "../../src/job/happening.ts";
import { test } from "../support/both-stores.ts";
import type { Home } from "../support/home.ts";
import type { RunningProgram } from "../support/running-program.ts";
import { until } from "../support/until.ts";

test("events of a job that fails twice and then succeeds are its whole life, in order", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "p1", command: "[ $QUEUECTL_ATTEMPT = 3 ]", queue: "q" });
  await home.drain();
  const told = await eventsOf(home, "p1");
  expect(named(told)).toEqual([
    ...["enqueued", "claimed 1", "rescheduled 1", "claimed 2", "rescheduled 2"],
    ...["claimed 3", "completed 3"],
  ]);
  expect(told.map(({ at }) => at)).toEqual(told.map(({ at }) => at).toSorted((a, b) => a - b));
  const job = await home.entry("p1");
  const [first, second] = job.history ?? [];
  const worker_id = expect.stringMatching(/^worker-\d+$/);
  const common = { id: "p1", queue: "q", command: "[ $QUEUECTL_ATTEMPT = 3 ]" };
  expect(told).toMatchObject([
    { ...common, at: job.created_at },
    { ...common, at: first?.started_at, worker_id },
    { ...common, at: first?.ended_at, started_at: first?.started_at, error: "exit 1", worker_id },
    { ...common, at: second?.started_at },
    { ...common, at: second?.ended_at },
    { ...common, at: "state" in job && job.state === "completed" && job.processing_started_at },
    { ...common, at: "state" in job && job.updated_at, started_at: told[5]?.at, worker_id },
  ]);
});

test("events tell of jobs that died, were canceled, expired or waited in vain, and of their requeue", async (home) => {
  await home.enqueue(
    { id: "bad", command: "exit 3", max_retries: 0 },
    { id: "then", command: "true", after: ["bad"] },
    { id: "not", command: "true", run_at: 4_102_488_190_000 },
  );
  await home.obey("cancel", "not");
  await home.drain();
  await home.obey("dlq-retry", "bad");
  expect(named(await eventsOf(home, "bad"))).toEqual(["enqueued", "claimed 1", "dead-lettered 1", "requeued"]);
  expect(await eventsOf(home, "not")).toMatchObject([{ event: "enqueued" }, { event: "failed", error: "canceled" }]);
  const error = "job bad, which it waited for, did not complete";
  expect(await eventsOf(home, "then")).toMatchObject([{ event: "enqueued" }, { event: "failed", error }]);
});

test("events --event, --since, --tail, --queue, --batch and --match each tell a part", async (home) => {
  await home.enqueue(
    { id: "a", command: "make a", queue: "q", batch: "one" },
    { id: "b", command: "make b", queue: "q" },
    { id: "c", command: "true", batch: "one", run_at: 4_102_488_190_000 },
  );
  await home.obey("cancel", "a");
  const of = async (...args: string[]) => (await eventsOf(home, ...args)).map(({ event, id }) => `${event} ${id}`);
  const all = ["enqueued a", "enqueued b", "enqueued c", "failed a"];
  expect(await of()).toEqual(all);
  expect(await of("a", "b")).toEqual(["enqueued a", "enqueued b", "failed a"]);
  expect(await of("--event", "failed,completed")).toEqual(["failed a"]);
  expect(await of("--tail", "2")).toEqual(["enqueued c", "failed a"]);
  expect(await of("--tail", "0")).toEqual([]);
  expect(await of("--queue", "q", "--event", "enqueued")).toEqual(["enqueued a", "enqueued b"]);
  expect(await of("--batch", "one")).toEqual(["enqueued a", "enqueued c", "failed a"]);
  expect(await of("--match", "make *")).toEqual(["enqueued a", "enqueued b", "failed a"]);
  for (const since of ["1h", "1h ago", "2020-01-01T00:00:00Z"]) expect(await of("--since", since)).toEqual(all);
  expect(await of("--since", "in 1h")).toEqual([]);
});

test("events says what is wrong with a name, a time or an id, and prints nothing", async (home) => {
  await home.enqueue({ id: "p1", command: "true" });
  const refused = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await home.run("events", ...args);
    expect(stdout).toBe("");
    return [exitCode, stderr];
  };
  expect(await refused("--event", "claimed,complete")).toEqual([
    2,
    expect.stringMatching(
      /^Expected --event to be some of enqueued, .+, got "complete"\.\nDid you mean "completed"\?\n$/,
    ),
  ]);
  expect(await refused("--since", "x")).toEqual([2, expect.stringContaining("Expected --since to be a time, like 1h")]);
  expect(await refused("nope", "-f")).toEqual([3, "❌ Job nope not found.\n"]);
  expect(await refused("p1", "--match", "*")).toEqual([2, expect.stringContaining("not both")]);
  expect(await refused("--queue", "a b")).toEqual([2, expect.anything()]);
});

test("events tells of archived jobs when asked, and -f of what is archived at once", async (home) => {
  await home.enqueue({ id: "old", command: "true" });
  await home.drain();
  await home.obey("prune", "--keep", "0");
  expect(await eventsOf(home)).toEqual([]);
  expect(named(await eventsOf(home, "--archived"))).toEqual(["enqueued", "claimed 1", "completed 1"]);
  const follower = home.start("events", "-f", "--tail", "0");
  await isFollowing(home, follower);
  follower.kill("SIGSTOP");
  await home.enqueue({ id: "p1", command: "true" });
  await home.drain();
  await home.obey("prune", "--keep", "0");
  follower.kill("SIGCONT");
  await follower.says('"completed","id":"p1"');
  expect(named(linesOf(follower, "p1"))).toEqual(["enqueued", "claimed 1", "completed 1"]);
  expect(linesOf(follower, "old")).toEqual([]);
});

test("events -f tells of what others enqueue and run, of a whole life between two looks too, each once", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "before", command: "true" });
  const follower = home.start("events", "-f");
  await follower.says('"enqueued","id":"before"');
  await home.enqueue({ id: "p1", command: "[ $QUEUECTL_ATTEMPT = 3 ]" });
  await follower.says('"enqueued","id":"p1"');
  follower.kill("SIGSTOP");
  await home.enqueue({ id: "whole", command: "[ $QUEUECTL_ATTEMPT = 2 ]" });
  await home.drain();
  follower.kill("SIGCONT");
  await follower.says('"completed","id":"whole"');
  const life = ["enqueued", "claimed 1", "rescheduled 1", "claimed 2"];
  expect(named(linesOf(follower, "whole"))).toEqual([...life, "completed 2"]);
  await home.obey("retry", "before");
  await follower.says('"requeued","id":"before"');
  await home.drain();
  await follower.says('"completed","id":"before"', 2);
  expect(named(linesOf(follower, "before"))).toEqual([
    ...["enqueued", "claimed 1", "completed 1", "requeued", "claimed 1", "completed 1"],
  ]);
  expect(named(linesOf(follower, "p1"))).toEqual([...life, "rescheduled 2", "claimed 3", "completed 3"]);
  follower.interrupt();
  expect(await follower.end()).toMatchObject({ stderr: "", exitCode: "SIGINT" });
});

test("events -f tells of a killed worker, of one that was stopped, and of a canceled attempt", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.enqueue({ id: "p1", command: "sleep 100" });
  const follower = home.start("events", "-f", "--tail", "0");
  await isFollowing(home, follower);
  const supervisor = home.start("worker-start");
  await follower.says('"claimed","id":"p1","queue":"default","attempt":1');
  for (const pid of supervisor.workerPids) process.kill(pid, "SIGKILL");
  await follower.says('"claimed","id":"p1","queue":"default","attempt":2');
  await home.obey("worker-stop", "--now");
  await follower.says('"released","id":"p1"');
  home.start("worker-start");
  await follower.says('"claimed","id":"p1","queue":"default","attempt":2', 2);
  await home.obey("cancel", "p1");
  await follower.says('"failed","id":"p1"');
  const told = linesOf(follower, "p1");
  expect(named(told)).toEqual([...["claimed 1", "rescued 1", "claimed 2", "released 2", "claimed 2", "failed 2"]]);
  expect(told[1]).toMatchObject({ error: `worker ${told[1]?.worker_id} was killed`, started_at: told[0]?.at });
});

test("events ends in silence when its reader does, followed or not", async (home) => {
  await home.enqueue({ id: "p1", command: "true" }, { id: "p2", command: "true" });
  const once = await home.shell("queuectl events | head -n 1");
  expect(once).toEqual({ stdout: expect.stringMatching(/^.+"id":"p1".+\n$/), stderr: "", exitCode: 0 });
  const followed = home.startShell("queuectl events -f | head -n 1");
  await followed.says("p1");
  // A closed pipe shows when something is written to it.
  await until(async () => {
    if (!followed.hasEnded) await home.obey("enqueue", "-c", "true");
    return followed.hasEnded;
  }, "events -f to end");
  expect(await followed.end()).toEqual(once);
});

async function eventsOf(home: Home, ...args: string[]): Promise<Happening[]> {
  return parsed(await home.obey("events", ...args));
}

/** Waits until what happens from now on is told. */
async function isFollowing(home: Home, follower: RunningProgram): Promise<void> {
  await until(async () => {
    await home.obey("enqueue", "--delay", "1d", "-c", "probe");
    return follower.stdout !== "";
  }, "events -f to have begun");
  await home.obey("remove", "--match", "probe", "--yes");
}

function linesOf(follower: RunningProgram, id: string): Happening[] {
  return parsed(follower.stdout).filter((one) => one.id === id);
}

function parsed(lines: string): Happening[] {
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Happening);
}

/** `claimed 1`: the event and the attempt that it is about. */
function named(happenings: readonly Happening[]): string[] {
  return happenings.map(({ event, attempt }) => (attempt === undefined ? event : `${event} ${attempt}`));
}
