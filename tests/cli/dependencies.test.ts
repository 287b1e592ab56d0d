import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";

const RUN = "echo $QUEUECTL_JOB_ID >> ran";

function lines(...jobs: readonly object[]): string {
  return jobs.map((job) => `${JSON.stringify({ command: RUN, ...job })}\n`).join("");
}

test("jobs run after those that they wait for, over several workers, and --drain waits for all of them", async (home) => {
  home.write(
    "jobs.jsonl",
    lines({ id: "d", after: ["b", "c"] }, { id: "c", after: ["a"] }, { id: "b", after: ["a"] }, { id: "a" }),
  );
  await home.obey("enqueue", "--file", "jobs.jsonl", "--atomic");
  const { exitCode } = await home.drain("--count", "2", "--concurrency", "2");
  expect(exitCode).toBe(0);
  const ran = home.lines("ran");
  expect([ran[0], ran[3], ran.length]).toEqual(["a", "d", 4]);
});

test("what waits for a dead job has failed, says for which, and is not run", async (home) => {
  home.write(
    "jobs.jsonl",
    lines({ id: "a", command: "exit 3", max_retries: 0 }, { id: "b", after: ["a"] }, { id: "c", after: ["b"] }),
  );
  await home.obey("enqueue", "--file", "jobs.jsonl");
  expect((await home.drain()).exitCode).toBe(5);
  expect(home.read("ran")).toBe("");
  expect(await home.jobs()).toMatchObject([
    { id: "b", state: "failed", last_error: "job a, which it waited for, did not complete" },
    { id: "c", state: "failed", last_error: "job b, which it waited for, did not complete" },
  ]);
});

test("a job that waits for another of a paused queue does not hold --drain", async (home) => {
  await home.obey("pause", "later");
  home.write("jobs.jsonl", lines({ id: "a", queue: "later" }, { id: "b", after: ["a"] }));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  expect((await home.drain()).exitCode).toBe(0);
  expect(home.read("ran")).toBe("");
  await home.obey("resume", "later");
  expect((await home.drain()).exitCode).toBe(0);
  expect(home.lines("ran")).toEqual(["a", "b"]);
});

test("what waits moves with an export", async (home) => {
  home.write("jobs.jsonl", lines({ id: "a" }, { id: "b", after: ["a"] }));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  const exported = await home.obey("export");
  home.write("export.jsonl", exported);
  await home.obey("import", "export.jsonl", "--data-dir", "other");
  expect(await home.obey("export", "--data-dir", "other")).toBe(exported);
  expect((await home.drain("--data-dir", "other")).exitCode).toBe(0);
  expect(home.lines("ran")).toEqual(["a", "b"]);
});

test("a job that waits for nobody, for the dead or for itself is refused, with its line", async (home) => {
  await home.enqueue({ id: "bad", command: "false", max_retries: 0 });
  await home.drain();
  const cases = [
    [{ id: "x", after: ["gone"] }, 3, 'Line 1: Job "x" waits for "gone", which is not there.'],
    [{ id: "x", after: ["bad"] }, 1, 'Line 1: Job "x" waits for "bad", which is in the DLQ.'],
    [{ id: "x", after: ["x"] }, 2, 'Line 1: Job "x" waits for itself in the end: "x" → …'],
  ] as const;
  for (const [job, code, sentence] of cases) {
    home.write("jobs.jsonl", lines(job));
    const { stdout, stderr, exitCode } = await home.run("enqueue", "--file", "jobs.jsonl", "--atomic");
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: code });
    expect(stderr).toContain(sentence);
    expect(await home.jobs()).toEqual([]);
  }
});
