import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";

const NOTES = 'echo "$JOB_ID $JOB_STATE $JOB_ATTEMPTS: $JOB_ERROR" >> notes';

test("hooks run when a job has completed or died, and can read what it printed", async (home) => {
  await home.obey("config-set", "on_complete", NOTES);
  await home.obey("config-set", "on_dead", `${NOTES}; queuectl logs "$JOB_ID" > printed`);
  await home.enqueue(
    { id: "good", command: "true" },
    { id: "bad", command: "echo no; exit 3", max_retries: 0 },
    { id: "waits", command: "true", after: ["bad"] },
  );
  expect((await home.drain("--count", "2")).exitCode).toBe(5);
  expect(sorted(home.lines("notes"))).toEqual([
    "bad dead 1: exit 3: no",
    "good completed 1: ",
    "waits failed 0: job bad, which it waited for, did not complete",
  ]);
  const hooks = (await home.jobs()).filter(({ queue }) => queue === "hooks");
  expect(hooks.map(({ state }) => state)).toEqual(["completed", "completed", "completed"]);
});

test("a hook is retried, and ends in the DLQ, as any job does", async (home) => {
  await home.obey("config-set", "backoff_base", "0");
  await home.obey("config-set", "max_retries", "2");
  await home.obey("config-set", "on_complete", "echo tried >> tries; exit 9");
  await home.obey("config-set", "on_dead", "echo never >> tries");
  await home.enqueue({ id: "p1", command: "true" });
  expect((await home.drain()).exitCode).toBe(5);
  expect(home.lines("tries")).toEqual(["tried", "tried", "tried"]);
  expect(await home.deadLetters()).toMatchObject([
    { id: expect.stringMatching(/^p1\.on_complete\.\d{13}$/), attempts: 3, queue: "hooks", env: { JOB_ID: "p1" } },
  ]);
});

test("a setting that is text is shown, unset, overridden and moved as any other", async (home) => {
  const line = `echo "a b"`;
  expect(await home.run("config-set", "on-dead", line)).toEqual(printed(`⚙️ Config updated: on_dead = ${line}\n`));
  expect(await home.run("config-get", "on_dead")).toEqual(printed(`${line}\n`));
  const env = { QUEUECTL_ON_COMPLETE: "echo mine" };
  const { stdout } = await home.runIn({ env }, "config-get", "--show-origin");
  expect(stdout).toContain(`\non_complete = echo mine (QUEUECTL_ON_COMPLETE)\non_dead = ${line} (`);
  home.write("queue.jsonl", await home.obey("export"));
  await home.obey("import", "queue.jsonl", "--data-dir", "other");
  expect(await home.obey("config-get", "on_dead", "--data-dir", "other")).toBe(`${line}\n`);
  expect(await home.obey("export", "--data-dir", "other")).toBe(home.read("queue.jsonl"));
  expect(await home.run("config-set", "on_dead", " ")).toEqual({
    stdout: "",
    stderr: 'on_dead must be a line of shell of less than 128 KiB, got " ".\n',
    exitCode: 2,
  });
  expect(await home.run("config-set", "--unset", "on_dead")).toEqual(
    printed("⚙️ Config updated: on_dead = (default)\n"),
  );
  expect(await home.run("config-get", "on_dead")).toEqual(printed("\n"));
});

test("a hook comes once, whatever is killed while jobs end", async (home) => {
  await home.obey("config-set", "on_complete", `echo "$JOB_ID" >> notes`);
  await home.obey("config-set", "max_retries", "100");
  await home.obey("config-set", "backoff_base", "0");
  const jobs = Array.from({ length: 40 }, (_, n) => JSON.stringify({ id: `j${n}`, command: `echo j${n} >> ran` }));
  home.write("jobs.jsonl", jobs.join("\n"));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  for (let killed = 1; killed <= 4; killed++) {
    const worker = home.start("worker-start", "--count", "2");
    await home.has("ran", killed * 8);
    await home.shell(`kill -KILL ${home.processes().join(" ")}`);
    await worker.end();
  }
  await home.drain("--count", "2");
  const hooks = (await home.jobs()).filter(({ queue }) => queue === "hooks");
  expect(hooks).toHaveLength(40);
  expect(new Set(hooks.map(({ env }) => env?.JOB_ID)).size).toBe(40);
  expect(new Set(home.lines("notes")).size).toBe(40);
});
