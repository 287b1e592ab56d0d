import { expect, test as testOnce } from "bun:test";
import { lutimesSync, symlinkSync } from "node:fs";
import { test } from "../support/both-stores.ts";
import { Home } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";
import { until } from "../support/until.ts";

const SHELLS = 20;
const JOBS_EACH = 10;
/** $1 is the number of the shell. */
const SHELL = `
  i=0
  while [ $i -lt ${JOBS_EACH} ]; do
    i=$((i + 1))
    queuectl enqueue '{"id":"'$1-$i'","command":"echo $QUEUECTL_JOB_ID >> ran"}' || exit 1
    [ $i -ne 5 ] || { queuectl enqueue '{"id":"common","command":"echo common >> ran"}' 2> common-$1; echo $? > code-$1; }
  done
`;

test("twenty shells that enqueue at once lose no job, double none, and one alone gets a common id", async (home) => {
  const numbers = Array.from({ length: SHELLS }, (_, i) => i);
  const ended = await Promise.all(numbers.map((number) => home.shell(SHELL, String(number))));
  expect(ended.map(({ stderr, exitCode }) => ({ stderr, exitCode }))).toEqual(
    numbers.map(() => ({ stderr: "", exitCode: 0 })),
  );
  const wanted = numbers.flatMap((number) => Array.from({ length: JOBS_EACH }, (_, i) => `${number}-${i + 1}`));
  const ids = (await home.jobs()).map(({ id }) => id);
  expect(sorted(ids)).toEqual(sorted([...wanted, "common"]));
  const codes = sorted(numbers.map((number) => home.read(`code-${number}`)));
  expect(codes).toEqual(["0\n", ...new Array(SHELLS - 1).fill("4\n")]);
}, 180_000);

test("four workers run five hundred jobs, each exactly once", async (home) => {
  const ids = Array.from({ length: 500 }, (_, i) => `job-${i}`);
  await home.seed(ids.map((id) => ({ id, command: "echo $QUEUECTL_JOB_ID >> ran" })));
  const terminals = [home.drain("--count", "2"), home.drain("--count", "2")];
  for (const { stderr, exitCode } of await Promise.all(terminals)) expect([stderr, exitCode]).toEqual(["", 0]);
  expect(sorted(home.lines("ran"))).toEqual(sorted(ids));
  expect((await home.jobs("--state", "completed")).every(({ attempts }) => attempts === 1)).toBe(true);
}, 180_000);

test("six processes that are the first in an empty folder lose nothing", async (home) => {
  const ids = ["a", "b", "c", "d", "e", "f"];
  await Promise.all(ids.map((id) => home.obey("enqueue", JSON.stringify({ id, command: "true" }))));
  expect(sorted((await home.jobs()).map(({ id }) => id))).toEqual(ids);
});

testOnce.concurrent(
  "a lock that is never let go is told after a while, with exit code 8, and nothing is written",
  async () => {
    await using home = new Home();
    await home.enqueue({ id: "p1", command: "true" });
    const lock = `${home.data}/workers/writer.lock`;
    symlinkSync("somebody elsewhere", lock);
    const waiting = home.start("enqueue", '{"id":"p2","command":"true"}');
    await until(
      () => {
        lutimesSync(lock, new Date(), new Date());
        return waiting.hasEnded;
      },
      "the program to give up",
      { timeoutMs: 60_000 },
    );
    expect(await waiting.end()).toEqual({
      stdout: "",
      stderr: expect.stringContaining("has been held by another for 20 s."),
      exitCode: 8,
    });
    expect((await home.jobs()).map(({ id }) => id)).toEqual(["p1"]);
  },
  180_000,
);
