import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { printed } from "../support/home.ts";

test("list prints the documented JSON array into a pipe", async (home) => {
  await home.enqueue({ id: "p1", command: "echo hi", run_at: 4_102_444_800_000 });
  const [job] = await home.jobs();
  expect(await home.run("list", "--state", "pending")).toEqual(
    printed(`[
  {
    "id": "p1",
    "command": "echo hi",
    "state": "pending",
    "run_at": 4102444800000,
    "attempts": 0,
    "max_retries": 3,
    "created_at": ${job?.created_at},
    "updated_at": ${job?.created_at}
  }
]
`),
  );
});

test("list without a queue, or without such a job, is an empty array", async (home) => {
  expect(await home.run("list")).toEqual(printed("[]\n"));
  await home.enqueue({ command: "true" });
  expect(await home.run("list", "--state", "completed")).toEqual(printed("[]\n"));
});

test("list shows every job, however many, in the order they were enqueued; --state only some", async (home) => {
  const ids = Array.from({ length: 2500 }, (_, i) => `job-${i}`);
  await home.seed(ids.map((id, i) => ({ id, command: "true", state: i % 2 === 0 ? "completed" : "pending" })));
  expect((await home.jobs()).map(({ id }) => id)).toEqual(ids);
  expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(ids.filter((_, i) => i % 2 === 0));
});

test("--batch lists the jobs that were enqueued as parts of it, archived ones too", async (home) => {
  const jobs = ["a", "b", "c"].map((id) => ({ id, command: "true", batch: id === "b" ? "other" : "nightly" }));
  await home.enqueue(...jobs, { id: "d", command: "true" });
  expect((await home.jobs("--batch", "nightly")).map(({ id }) => id)).toEqual(["a", "c"]);
  expect(await home.jobs("--batch", "nightl")).toEqual([]);
  await home.drain();
  await home.obey("prune", "--keep", "0");
  expect((await home.jobs("--batch", "nightly", "--archived")).map(({ id }) => id)).toEqual(["a", "c"]);
});

test("a reader that leaves early ends the listing without a word", async (home) => {
  await home.seed(Array.from({ length: 5000 }, (_, i) => ({ id: `job-${i}`, command: "true" })));
  expect(await home.shell("{ queuectl list; echo $? > code; } | head -n 1")).toEqual(printed("[\n"));
  expect(home.read("code")).toBe("0\n");
});

test("a listing that cannot be written is a failure", async (home) => {
  await home.enqueue({ command: "true" });
  expect(await home.shell("queuectl list > /dev/full")).toMatchObject({
    stderr: expect.stringContaining("Could not write the output"),
    exitCode: 1,
  });
});

test("a job that waits for its retry tells how the last attempt failed", async (home) => {
  await home.enqueue({ id: "flaky", command: "echo no luck; exit 9" });
  const worker = home.start("worker-start");
  await worker.says("flaky failed attempt 1");
  expect(await home.jobs()).toMatchObject([
    { id: "flaky", state: "pending", attempts: 1, last_error: "exit 9: no luck" },
  ]);
});
