import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";

test("why says in one sentence why a job is where it is", async (home) => {
  const why = async (id: string) => (await home.obey("why", id)).trimEnd();
  await home.obey("config-set", "backoff_base", "1000");
  await home.enqueue({ id: "first", command: "true" }, { id: "second", command: "true" });
  await home.enqueue({ id: "later", command: "true", run_at: 4_102_488_190_000 });
  expect(await why("first")).toBe("due now; no worker is running");
  expect(await why("later")).toMatch(/^not due until 2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d \(in \d+d\)$/);
  await home.enqueue({ id: "slow", command: "mkfifo gate; cat gate", priority: 9 });
  await home.enqueue({ id: "bad", command: "echo no luck; exit 3", priority: 10, max_retries: 0 });
  await home.enqueue({ id: "flaky", command: "exit 4", priority: 10 });
  const worker = home.start("worker-start");
  await worker.says("Processing job: slow");
  expect(await why("slow")).toMatch(/^running for \d+s in worker-\d+, attempt 1$/);
  expect(await why("second")).toBe("due now; 1 worker is busy, 1 job before it");
  expect(await why("bad")).toBe("in the DLQ: exit 3: no luck after 1 attempt");
  expect(await why("flaky")).toMatch(
    /^waits for its retry at .*\d\d:\d\d:\d\d \(in 16m\); attempt 1 ended with exit 4$/,
  );
  const document = JSON.parse(await home.obey("why", "second", "--json"));
  const reason = "due now; 1 worker is busy, 1 job before it";
  const line = { because: "in-line", workers: 1, busy: 1, ahead: 1 };
  expect(document).toEqual({ id: "second", state: "pending", reason, ...line });
  await home.shell("echo > gate");
  await worker.says("Job succeeded: second");
  expect(await why("second")).toMatch(/^completed at .*\d\d:\d\d:\d\d \(.+\), by attempt 1$/);
});

test("why tells of a queue that is paused or full, and of jobs that have to be completed before", async (home) => {
  const why = async (id: string) => (await home.obey("why", id)).trimEnd();
  await home.obey("queue-set", "narrow", "--concurrency", "1");
  await home.enqueue({ id: "first", command: "mkfifo gate; cat gate", queue: "narrow" });
  await home.enqueue(
    { id: "second", command: "true", queue: "narrow" },
    { id: "other", command: "true", queue: "off" },
  );
  await home.obey("pause", "off");
  await home.obey("queue-set", "often", "--rate", "1/h");
  await home.enqueue({ id: "once", command: "true", queue: "often" }, { id: "twice", command: "true", queue: "often" });
  await home.enqueue({ id: "last", command: "true", after: ["second", "other"] });
  const worker = home.start("worker-start", "--concurrency", "3");
  await worker.says("Processing job: first");
  expect(await why("second")).toBe("due now; queue narrow is full: 1 of 1 running");
  await worker.says("Job succeeded: once");
  expect(await why("twice")).toMatch(/^due now; queue often has begun 1 job in the last hour; next in (59m|1h)/);
  expect(await why("other")).toBe("due now; queue off is paused");
  expect(await why("last")).toBe("waits for jobs second, other");
  await home.obey("pause");
  expect(await why("second")).toBe("due now; every queue is paused");
});

test("why of a job that is not there is an error", async (home) => {
  expect(await home.run("why", "nobody")).toEqual({
    stdout: "",
    stderr: "❌ Job nobody not found.\n",
    exitCode: 3,
  });
});
