import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";

test("an empty DLQ is an empty array", async (home) => {
  expect(await home.run("dlq-list")).toEqual(printed("[]\n"));
});

test("a dead letter says what happened, in the documented form", async (home) => {
  await home.seed([
    { id: "said", command: "echo fine; printf 'no \\033[1msuch\\033[0m thing\\n' >&2; exit 3", max_retries: 0 },
    { id: "silent", command: "exit 7", max_retries: 0 },
    { id: "killed", command: "kill -KILL $$", max_retries: 0 },
  ]);
  expect((await home.drain()).exitCode).toBe(5);
  const dead = await home.deadLetters();
  expect(dead.map(({ id, attempts, error }) => ({ id, attempts, error }))).toEqual([
    { id: "said", attempts: 1, error: "exit 3: no such thing" },
    { id: "silent", attempts: 1, error: "exit 7" },
    { id: "killed", attempts: 1, error: "killed by SIGKILL" },
  ]);
  expect(Object.keys(dead[0] ?? {}).slice(0, 5)).toEqual(["id", "command", "attempts", "error", "failed_at"]);
  expect(await home.run("list")).toEqual(printed("[]\n"));
  expect(await home.obey("status")).toContain("pending: 0, processing: 0, completed: 0, failed: 0 }");
});

test("a job runs once more than its own max_retries", async (home) => {
  await home.seed(
    [0, 1, 4].map((max_retries) => ({
      id: `r${max_retries}`,
      command: "echo $QUEUECTL_JOB_ID >> ran; false",
      max_retries,
    })),
  );
  await home.obey("config-set", "backoff_base", "0");
  expect((await home.drain()).exitCode).toBe(5);
  expect(sorted(home.lines("ran"))).toEqual(["r0", "r1", "r1", "r4", "r4", "r4", "r4", "r4"]);
  expect(sorted((await home.deadLetters()).map(({ id, attempts }) => `${id}: ${attempts}`))).toEqual([
    "r0: 1",
    "r1: 2",
    "r4: 5",
  ]);
});

test("dlq-retry puts a job back with its attempts forgotten, and it runs again", async (home) => {
  await home.seed([{ id: "fail", command: "[ -e mended ]", max_retries: 0 }]);
  await home.drain();
  await home.obey("dlq-retry", "fail");
  expect(await home.run("dlq-list")).toEqual(printed("[]\n"));
  expect(await home.jobs()).toMatchObject([
    { id: "fail", state: "pending", attempts: 0, max_retries: 0, last_error: "exit 1" },
  ]);
  home.write("mended", "");
  expect((await home.drain()).exitCode).toBe(0);
  const [job] = await home.jobs();
  expect(job).toMatchObject({ state: "completed", attempts: 1 });
  expect(job).not.toHaveProperty("last_error");
});

test("dlq-retry moves all that are named, or none", async (home) => {
  await home.seed(["a", "b", "c"].map((id) => ({ id, command: "false", max_retries: 0 })));
  await home.drain();
  expect(await home.run("dlq-retry", "a", "nope", "b")).toEqual({
    stdout: "",
    stderr: "❌ Job nope not found in DLQ.\n",
    exitCode: 3,
  });
  expect((await home.deadLetters()).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(await home.run("dlq-retry", "c", "a")).toEqual(
    printed("🔁 Job c moved back to queue.\n🔁 Job a moved back to queue.\n"),
  );
  expect((await home.deadLetters()).map(({ id }) => id)).toEqual(["b"]);
});

test("a job that is not dead is not in the DLQ", async (home) => {
  await home.enqueue({ id: "p1", command: "true" });
  expect(await home.run("dlq-retry", "p1")).toMatchObject({ stdout: "", exitCode: 3 });
});
