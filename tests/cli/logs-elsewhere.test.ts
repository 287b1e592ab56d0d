/** Output of attempts that ran where it cannot be read: of PostgreSQL, where queues have workers on many machines. */
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Home, printed } from "../support/home.ts";
import { inSchema } from "../support/postgres.ts";
import { until } from "../support/until.ts";

/** The commands below are given in a folder that has no output of its own. */
const AWAY = { cwd: "away" };

/** A home whose workers (`presence`), or what is stored of their output, are taken for those of the host `far`. */
async function homeFarFrom(...tables: ("presence" | "output")[]): Promise<Home> {
  const home = await Home.on("PostgreSQL");
  mkdirSync(join(home.path, AWAY.cwd));
  await home.obey("config-set", "backoff_base", "0");
  await using sql = inSchema(home.url ?? "");
  await sql.unsafe(
    "CREATE FUNCTION go() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.host := 'far'; RETURN NEW; END $$",
  );
  for (const table of tables) {
    await sql.unsafe(`CREATE TRIGGER go BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION go()`);
  }
  return home;
}

test.concurrent("what each attempt on another host printed can be read, byte for byte", async () => {
  await using home = await homeFarFrom("presence", "output");
  await home.enqueue({ id: "bytes", command: "printf '\\377\\000\\033[1m\\n'; echo err >&2" });
  await home.enqueue({ id: "twice", command: 'echo "attempt $QUEUECTL_ATTEMPT"; [ $QUEUECTL_ATTEMPT = 2 ]' });
  await home.enqueue({ id: "silent", command: "true" });
  await home.drain();
  await home.shell("cd away && queuectl logs bytes > bytes");
  expect(Buffer.from(await Bun.file(join(home.path, "away/bytes")).bytes()).toString("latin1")).toBe(
    "\xff\0\x1b[1m\nerr\n",
  );
  for (const options of [[], ["-f"]]) {
    expect(await home.runIn(AWAY, "logs", "twice", ...options)).toEqual(printed("attempt 2\n"));
    expect(await home.runIn(AWAY, "logs", "twice", "--attempt", "1", ...options)).toEqual(printed("attempt 1\n"));
    const silent = { stdout: "", stderr: "Attempt 1 of job silent printed nothing.\n", exitCode: 0 };
    expect(await home.runIn(AWAY, "logs", "silent", ...options)).toEqual(silent);
  }
});

test.concurrent("what an attempt on another host wrote to each stream can be read, and where the whole is", async () => {
  await using home = await homeFarFrom("presence", "output");
  await home.obey("config-set", "split_logs", "true");
  await home.enqueue({ id: "both", command: "echo out; echo err >&2" });
  await home.enqueue({ id: "err", command: "echo err >&2" });
  await home.enqueue({ id: "loud", command: "echo out; head -c 100000 /dev/zero | tr '\\000' x >&2; echo >&2" });
  await home.drain();
  for (const options of [[], ["-f"]]) {
    const both = { stdout: "out\n", stderr: "err\n", exitCode: 0 };
    expect(await home.runIn(AWAY, "logs", "both", ...options)).toEqual(both);
    expect(await home.runIn(AWAY, "logs", "both", "--stderr", ...options)).toEqual(printed("err\n"));
    const stderr = "Attempt 1 of job err printed nothing to stdout.\n";
    expect(await home.runIn(AWAY, "logs", "err", "--stdout", ...options)).toEqual({ stdout: "", stderr, exitCode: 0 });
  }
  const { logs } = JSON.parse((await home.runIn(AWAY, "show", "loud", "--json")).stdout);
  const [, { path }] = logs;
  expect(logs).toMatchObject([
    { attempt: 1, stream: "stdout", path: expect.stringMatching(/\.out$/), host: "far" },
    { attempt: 1, stream: "stderr", path: expect.stringMatching(/\.err$/), host: "far" },
  ]);
  const loud = await home.runIn(AWAY, "logs", "loud", "--stderr");
  expect(loud.stdout).toBe(`${"x".repeat(65_535)}\n`);
  expect(loud.stderr).toBe(`Showing the last 64 KiB of 98 KiB; all of it was written on host far: ${path}\n`);
  const document = JSON.parse((await home.runIn(AWAY, "logs", "both", "--json")).stdout);
  expect(document).toMatchObject({ host: "far", output: "out\n", stderr: { host: "far", output: "err\n" } });
});

test.concurrent("one stream of an attempt that runs on another host is waited for, whether it is split or not", async () => {
  await using home = await homeFarFrom("presence", "output");
  await home.obey("config-set", "split_logs", "true");
  await home.enqueue({ id: "slow", command: "mkfifo gate; echo out; cat gate >&2" });
  const worker = home.start("worker-start");
  await worker.says("Processing job: slow");
  const { stdout, stderr, exitCode } = await home.runIn(AWAY, "logs", "slow", "--stderr");
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
  expect(stderr).toMatch(
    /^The output of attempt 1 of job slow is on host far until it ends: \/.*\/slow-\w+\.1\.\d+\.\*\n$/,
  );
  const following = home.startIn(AWAY, "logs", "-f", "slow", "--stderr");
  await following.says("Attempt 1 of job slow runs on host far; its output comes when it ends.\n");
  await home.shell("echo end > gate");
  expect(await following.end()).toMatchObject({ stdout: "end\n", exitCode: 0 });
});

test.concurrent("what a worker tells of each stream takes the place of what was told of its host when it was thought lost", async () => {
  await using home = await homeFarFrom("presence", "output");
  await home.obey("config-set", "split_logs", "true");
  await home.enqueue({ id: "slow", command: "mkfifo gate; echo out; cat gate >&2" });
  const worker = home.start("worker-start", "--drain");
  await worker.says("Processing job: slow");
  const entry = await home.entry("slow");
  const lease = "lease" in entry ? entry.lease : 0;
  await using sql = inSchema(home.url ?? "");
  await sql`INSERT INTO output (lease, stream, id, attempt, ended_at, bytes, host, path, tail) VALUES (${lease}, 'both', 'slow', 1, 0, 0, 'far', '/log.*', '')`;
  await home.shell("echo end > gate");
  await worker.end();
  expect(await home.runIn(AWAY, "logs", "slow")).toEqual({ stdout: "out\n", stderr: "end\n", exitCode: 0 });
});

test.concurrent("of more than 64 KiB the end is shown, and where the whole is", async () => {
  await using home = await homeFarFrom("presence", "output");
  await home.enqueue({ id: "loud", command: "head -c 3145728 /dev/zero | tr '\\000' x; echo end" });
  await home.drain();
  const { job, logs } = JSON.parse((await home.runIn(AWAY, "show", "loud", "--json")).stdout);
  expect(job).toMatchObject({ id: "loud", state: "completed" });
  expect(logs).toEqual([
    { attempt: 1, lease: expect.any(Number), path: expect.stringContaining(`${home.data}/`), host: "far" },
  ]);
  const [{ path }] = logs;
  const { stdout, stderr, exitCode } = await home.runIn(AWAY, "logs", "loud");
  expect(stdout).toBe(`${"x".repeat(65_536 - 4)}end\n`);
  expect(stderr).toBe(`Showing the last 64 KiB of 3.0 MiB; all of it was written on host far: ${path}\n`);
  expect(exitCode).toBe(0);
  const document = JSON.parse((await home.runIn(AWAY, "logs", "loud", "--json")).stdout);
  expect(document).toEqual({ id: "loud", attempt: 1, path, host: "far", output: stdout });
  expect((await home.runIn(AWAY, "show", "loud")).stdout).toContain(`\nlog of attempt 1: on host far: ${path}\n`);
});

test.concurrent("logs of a job that runs on another host says that its output is there, and logs -f waits for it", async () => {
  await using home = await homeFarFrom("presence", "output");
  await home.enqueue({ id: "slow", command: "mkfifo gate; echo begin; cat gate; echo end" });
  const worker = home.start("worker-start");
  await worker.says("Processing job: slow");
  const { stdout, stderr } = await home.runIn(AWAY, "logs", "slow");
  expect(stdout).toBe("");
  expect(stderr).toStartWith(`The output of attempt 1 of job slow is on host far until it ends: ${home.data}/`);
  const following = home.startIn(AWAY, "logs", "-f", "slow");
  await following.says("Attempt 1 of job slow runs on host far; its output comes when it ends.\n");
  await home.shell("echo middle > gate");
  expect(await following.end()).toMatchObject({ stdout: "begin\nmiddle\nend\n", exitCode: 0 });
});

test.concurrent("logs -f of a job that runs on this machine shows what it prints as it comes, in whatever folder", async () => {
  await using home = await homeFarFrom();
  await home.enqueue({ id: "slow", command: "mkfifo gate; echo begin; cat gate; echo end" });
  const worker = home.start("worker-start");
  await worker.says("Processing job: slow");
  const following = home.startIn(AWAY, "logs", "-f", "slow");
  await following.says("begin\n");
  await home.shell("echo middle > gate");
  expect(await following.end()).toEqual(printed("begin\nmiddle\nend\n"));
});

test.concurrent("what an attempt had printed when its worker was killed is stored by whoever takes its job over", async () => {
  await using home = await homeFarFrom("output");
  await home.enqueue({ id: "job", command: "echo attempt $QUEUECTL_ATTEMPT; [ $QUEUECTL_ATTEMPT = 2 ] || sleep 300" });
  const terminal = home.start("worker-start", "--count", "2");
  await until(async () => (await home.obey("logs", "job")) === "attempt 1\n", "the first attempt to print");
  const entry = await home.entry("job");
  process.kill(Number("worker_id" in entry && entry.worker_id?.replace("worker-", "")), "SIGKILL");
  await terminal.says("Job succeeded: job");
  for (const attempt of ["1", "2"]) {
    expect(await home.runIn(AWAY, "logs", "job", "--attempt", attempt)).toEqual(printed(`attempt ${attempt}\n`));
  }
});

test.concurrent("so is what it had written to each stream", async () => {
  await using home = await homeFarFrom("output");
  await home.obey("config-set", "split_logs", "true");
  const command = "echo out; echo err $QUEUECTL_ATTEMPT >&2; [ $QUEUECTL_ATTEMPT = 2 ] || sleep 300";
  await home.enqueue({ id: "job", command });
  const terminal = home.start("worker-start", "--count", "2");
  await until(async () => (await home.run("logs", "job")).stderr === "err 1\n", "the first attempt to print");
  const entry = await home.entry("job");
  process.kill(Number("worker_id" in entry && entry.worker_id?.replace("worker-", "")), "SIGKILL");
  await terminal.says("Job succeeded: job");
  for (const attempt of ["1", "2"]) {
    const all = { stdout: "out\n", stderr: `err ${attempt}\n`, exitCode: 0 };
    expect(await home.runIn(AWAY, "logs", "job", "--attempt", attempt)).toEqual(all);
  }
});

test.concurrent("of an attempt that was lost together with its machine it is told where its output is", async () => {
  await using home = await homeFarFrom("output");
  await home.enqueue({ id: "bad", command: "false", max_retries: 0 });
  await home.drain();
  await using sql = inSchema(home.url ?? "");
  await sql`INSERT INTO output (lease, stream, id, attempt, ended_at, bytes, host, path, tail) VALUES (1, 'both', 'bad', 1, 0, 0, 'far', '/log', '')`;
  expect(await home.runIn(AWAY, "logs", "bad")).toEqual({
    stdout: "",
    stderr: "The output of attempt 1 of job bad is on host far, which was lost while it ran: /log\n",
    exitCode: 0,
  });
});
