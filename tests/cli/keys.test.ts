/** `--key` and `--if-exists`: of the jobs with one key, one is pending or processing. */
import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";

test("a job whose key is taken is refused, with who has it and what to do", async (home) => {
  await home.obey("enqueue", "--id", "a", "--key", "the report", "--", "true");
  const refused = await home.run("enqueue", "--key", "the report", "--", "true");
  expect(refused).toMatchObject({ stdout: "", exitCode: 4 });
  expect(refused.stderr).toContain('The key "the report" is taken by job "a" (pending).');
  expect(refused.stderr).toContain("--if-exists skip");
  expect(await home.run("enqueue", '{"command":"true","key":"the report"}')).toMatchObject({ exitCode: 4 });
  expect(await home.run("enqueue", '{"command":"true","key":"the report"}', "--dry-run")).toMatchObject({
    exitCode: 4,
  });
  expect(await home.jobs()).toMatchObject([{ id: "a", key: "the report" }]);
});

test("a job that is skipped for its key is a success that names the one that is there", async (home) => {
  const again = ["enqueue", "--key", "k", "--if-exists", "skip"];
  const id = await home.obey(...again, "--", "true");
  expect(await home.run(...again, "--", "true")).toEqual(printed(id));
  expect(await home.run(...again, "--json", "--", "true")).toEqual(printed(`{"job":null,"existing":"${id.trim()}"}\n`));
  expect(await home.run(...again, "--dry-run", "--", "true")).toEqual(
    printed("Would enqueue 0 jobs and skip 1 (its id or key exists already).\n"),
  );
  expect(await home.run("enqueue", '{"command":"true","key":"k"}', "--skip-existing")).toEqual(
    printed(`Job ${id.trim()} exists already: skipped.\n`),
  );
  expect(await home.jobs()).toHaveLength(1);
  await home.drain();
  expect(await home.obey(...again, "--", "true")).not.toBe(id);
});

test("a job that takes the place of another is run instead of it, and what waited for that one runs after it", async (home) => {
  const run = "echo $QUEUECTL_JOB_ID >> ran";
  await home.obey("enqueue", "--id", "old", "--key", "k", "-c", run);
  await home.obey("enqueue", "--id", "after", "--after", "old", "-c", run);
  await home.obey("enqueue", "--id", "new", "--key", "k", "--if-exists", "replace", "--priority", "-1", "-c", run);
  expect(await home.obey("why", "old")).toContain("replaced by job new");
  expect((await home.drain()).exitCode).toBe(0);
  expect(home.lines("ran")).toEqual(["new", "after"]);
});

test("of twenty programs that enqueue one key at once, one adds its job", async (home) => {
  const calls = Array.from({ length: 20 }, (_, n) =>
    home.run("enqueue", "--id", `p${n}`, "--key", "k", "--if-exists", "skip", "--", "true"),
  );
  const results = await Promise.all(calls);
  const [job, ...others] = await home.jobs();
  expect(others).toEqual([]);
  expect(results).toEqual(results.map(() => printed(`${job?.id}\n`)));
});

test("lines of a file have keys of their own, and one policy for all that have one", async (home) => {
  home.write(
    "jobs.jsonl",
    '{"id":"a","command":"true","key":"k"}\n{"id":"b","command":"true"}\n{"id":"c","command":"true","key":"k"}\n',
  );
  const refused = await home.run("enqueue", "--file", "jobs.jsonl");
  expect(refused.exitCode).toBe(4);
  expect(refused.stderr).toContain('Line 3: The key "k" of job "c" is taken by job "a" (pending).');
  home.write("again.jsonl", home.read("jobs.jsonl").replaceAll('"id":"', '"id":"again-'));
  const counts = await home.obey("enqueue", "--file", "again.jsonl", "--if-exists", "skip", "--json");
  expect(JSON.parse(counts)).toEqual({ enqueued: 1, skipped: 2 });
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["a", "b", "again-b"]);
});

test("a dead letter whose key is taken stays in the DLQ", async (home) => {
  await home.enqueue({ id: "bad", command: "false", key: "k", max_retries: 0 });
  await home.drain();
  await home.enqueue({ id: "next", command: "true", key: "k" });
  const refused = await home.run("dlq-retry", "bad");
  expect(refused.exitCode).toBe(4);
  expect(refused.stderr).toContain('The key "k" of job "bad" is taken by job "next" (pending).');
  await home.drain();
  await home.obey("dlq-retry", "bad");
});

const MISTAKES: readonly [args: readonly string[], sentence: string][] = [
  [["--if-exists", "skip", "--", "true"], "--if-exists says what becomes of a job whose --key is taken"],
  [["--if-exists", "skip", '{"command":"true"}'], "--if-exists says what becomes of a job whose --key is taken"],
  [["--key", "k", "--if-exists", "no", "--", "true"], "Expected --if-exists to be one of fail, skip, replace"],
  [["--key", "k\n", "--", "true"], "--key must not contain control characters"],
  [["--key", "k", "--file", "jobs.jsonl"], '--key is for one job: of many, each has its own "key".'],
  [['{"command":"true","if_exists":"skip"}'], '"if_exists" says what becomes of a job whose "key" is taken'],
];

test.each(MISTAKES)("%j is a mistake, and nothing is written", async (home, args, sentence) => {
  const { exitCode, stderr } = await home.run("enqueue", ...args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(sentence);
  expect(await home.jobs()).toEqual([]);
});
