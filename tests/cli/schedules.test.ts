import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";
import { until } from "../support/until.ts";

test("a schedule is added, listed and removed, for people and for programs", async (home) => {
  expect(await home.run("schedule-list")).toEqual(printed("No schedules.\n"));
  const added = await home.run(
    ...["schedule-add", "nightly", "0 3 * * *", "--tz", "Europe/Berlin", "--queue", "batch", "--timeout", "1h"],
    ...["--", "echo", "a b"],
  );
  expect(added).toEqual(
    printed(
      expect.stringMatching(/^⏰ Schedule nightly: next at \d{4}-\d\d-\d\dT0[12]:00:00.000Z \(in \d+[hms]\)\.\n$/),
    ),
  );
  const listed = JSON.parse(await home.obey("schedule-list", "--json"));
  expect(listed).toMatchObject({
    schedules: [
      {
        ...{ name: "nightly", cron: "0 3 * * *", tz: "Europe/Berlin", catch_up: "one", overlap: "skip" },
        spec: { command: "echo 'a b'", cwd: home.path, queue: "batch", timeout: 3_600_000 },
      },
    ],
  });
  const [schedule] = listed.schedules;
  expect(await home.obey("schedule", "list")).toMatch(
    /^NAME {5}WHEN {7}TIME ZONE {6}NEXT +QUEUE {2}COMMAND\nnightly {2}0 3 \* \* \* {2}Europe\/Berlin {2}in \d+\w +batch {2}echo 'a b'\n$/,
  );
  expect(await home.run("schedule-add", "nightly", "@daily", "--", "true")).toEqual({
    stdout: "",
    stderr: "A schedule nightly exists already.\nTo have this one instead: --replace\n",
    exitCode: 4,
  });
  expect(JSON.parse(await home.obey("schedule-list", "--json"))).toEqual({ schedules: [schedule] });
  await home.obey("schedule-add", "nightly", "@daily", "--replace", "--catch-up", "none", "-c", "true && true");
  expect(JSON.parse(await home.obey("schedule-list", "--json"))).toMatchObject({
    schedules: [{ cron: "@daily", catch_up: "none", spec: { command: "true && true" } }],
  });
  expect(await home.run("schedule-remove", "nightly")).toEqual(printed("Schedule nightly removed; its jobs stay.\n"));
  expect(await home.run("schedule-remove", "nightly")).toMatchObject({
    stderr: "Schedule nightly not found.\nSee: queuectl schedule-list\n",
    exitCode: 3,
  });
});

test("a running worker enqueues the job when its time has come, and runs it; --drain does not wait for it", async (home) => {
  await home.obey("schedule-add", "often", "* * * * *", "--", "sh", "-c", "echo $QUEUECTL_JOB_ID >> ran");
  // As if that time had come: an export is as good as any other way to have a schedule that stood still for some minutes.
  const exported = await home.obey("export");
  const line = exported.split("\n").find((one) => one.startsWith('{"schedule"')) ?? "";
  const { schedule } = JSON.parse(line);
  const moved = { ...schedule, next_at: schedule.next_at - 600_000, catch_up: "all", overlap: "queue" };
  await home.obey("schedule-remove", "often");
  const past = [exported.split("\n")[0], JSON.stringify({ schedule: moved })].map((one) => `${one}\n`).join("");
  const sum = new Bun.CryptoHasher("sha256").update(past).digest("hex");
  const end = { end: { settings: 1, jobs: 0, dead_letters: 0, archived: 0, sum } };
  home.write("past.jsonl", `${past}${JSON.stringify(end)}\n`);
  await home.obey("import", "past.jsonl");
  const worker = home.start("worker-start", "--count", "2");
  await home.has("ran", 9);
  await until(async () => (await home.jobs("--state", "completed")).length >= 9, "the jobs to be completed");
  worker.interrupt();
  await worker.end();
  const ran = home.lines("ran");
  expect(new Set(ran).size).toBe(ran.length);
  for (const id of ran) expect(id).toMatch(/^often@\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/);
  expect((await home.drain()).exitCode).toBe(0);
});

test.each<readonly [args: readonly string[], sentence: string]>([
  [["schedule-add", "x"], "Missing <cron>."],
  [["schedule-add", "a/b", "@daily", "--", "true"], '"a/b" cannot be the name of a schedule.'],
  [["schedule-add", "x", "61 * * * *", "--", "true"], 'Cannot read "61 * * * *" in the time zone "'],
  [["schedule-add", "x", "@daily", "--tz", "Mars", "--", "true"], 'in the time zone "Mars": unknown time zone'],
  [["schedule-add", "x", "0 0 30 2 *", "--", "true"], '"0 0 30 2 *" names a time that never comes.'],
  [["schedule-add", "x", "@daily"], "Say what is to be run: after --, or as a line after -c."],
  [["schedule-add", "x", "0", "3", "--", "true"], "The five fields of the time are one word."],
  [
    ["schedule-add", "x", "@daily", "--catch-up", "some", "--", "true"],
    "Expected --catch-up to be one of one, none, all",
  ],
  [["schedule-add", "x", "@daily", "--id", "y", "--", "true"], 'Unknown option "--id".'],
  [["schedule-remove", "a b"], '"a b" cannot be the name of a schedule.'],
])("%j is refused in a sentence, and nothing is written", async (home, args, sentence) => {
  const { stdout, stderr, exitCode } = await home.run(...args);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
  expect(stderr).toContain(sentence);
  expect(home.read("db/data/queue.json")).toBe("");
});
