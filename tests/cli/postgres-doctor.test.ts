import { expect, test } from "bun:test";
import { Home } from "../support/home.ts";
import { inSchema } from "../support/postgres.ts";
import { until } from "../support/until.ts";

function schemaOf(home: Home): string {
  return new URL(home.url ?? "").searchParams.get("schema") ?? "";
}

test.concurrent("doctor of a sound queue in PostgreSQL says what each table holds, and not the password", async () => {
  await using home = await Home.on("PostgreSQL");
  await home.enqueue({ id: "a", command: "true" }, { id: "b", command: "true" });
  const env = { QUEUECTL_STORE: home.url ?? "" };
  for (const args of [["doctor"], ["doctor", "--json"]]) {
    const { stdout, stderr } = await home.runIn({ env }, ...args);
    expect(stdout).toContain(home.shownUrl ?? "?");
    expect(stdout + stderr).not.toContain(new URL(home.url ?? "").password);
  }
  expect(await home.obey("doctor")).toBe(
    `${home.shownUrl}:\n  schema: version 1\n  jobs: 2 jobs, 0 dead letters\n  archive: 0 completed jobs\nSound.\n`,
  );
  expect(await home.obey("doctor", "--fix")).toBe("Nothing is damaged. Nothing was changed.\n");
});

test.concurrent("a queue that workers have worked on is sound", async () => {
  await using home = await Home.on("PostgreSQL");
  await home.enqueue({ id: "a", command: "echo hi" }, { id: "b", command: "false", max_retries: 0 });
  await home.enqueue({ id: "c", command: "true" }, { id: "later", command: "true", run_at: "2099-01-01T00:00:00Z" });
  const worker = home.start("worker-start");
  await until(async () => /completed: 2/.test(await home.obey("status")), "two jobs to complete");
  worker.kill("SIGTERM");
  await worker.end();
  await home.obey("prune", "--keep", "1");
  await home.obey("dlq-retry", "b");
  expect(await home.obey("doctor")).toEndWith("  jobs: 3 jobs, 0 dead letters\n  archive: 1 completed job\nSound.\n");
});

test.concurrent("doctor where there is no queue in the database yet says so", async () => {
  await using home = await Home.on("PostgreSQL");
  expect(await home.obey("doctor")).toBe(`${home.shownUrl}:\n  No queue is kept here yet.\nSound.\n`);
});

test.concurrent("doctor of a damaged one says what to do, with --fix too, and ends with 7", async () => {
  await using home = await Home.on("PostgreSQL");
  await home.enqueue({ id: "a", command: "true" });
  await using sql = inSchema(home.url ?? "");
  await sql.unsafe("DROP INDEX jobs_due; UPDATE jobs SET due = true, state = 'failed'");
  const schema = schemaOf(home);
  const advice = `doctor changes nothing in a database. In psql, after SET search_path TO ${schema};, run what is named above or what db/migrations has; or restore a backup.`;
  const index = "CREATE INDEX jobs_due ON jobs USING btree (queue, priority DESC, place) WHERE due;";
  const found = {
    stdout:
      `${home.shownUrl}:\n✗ index jobs_due: it is missing. Make it anew: ${index}\n` +
      "✗ jobs: it is failed and marked as due, so it would be claimed. Jobs: a\n" +
      `Damaged in 2 places.\nThat is for you to put right: ${advice}\n`,
    stderr: "",
    exitCode: 7,
  };
  expect(await home.run("doctor")).toEqual(found);
  expect(await home.run("doctor", "--fix", "--yes")).toEqual(found);
  const { stdout } = await home.run("doctor", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    location: home.shownUrl,
    sound: false,
    mendable: false,
    advice,
    files: [],
  });
  // As advised.
  await sql.unsafe(`${index} UPDATE jobs SET due = false`);
  expect((await home.run("doctor")).stdout).toContain("Sound.");
});

test.concurrent("a queue without its one row is refused, not asked for ever", async () => {
  await using home = await Home.on("PostgreSQL");
  await home.obey("status");
  await using sql = inSchema(home.url ?? "");
  await sql`DELETE FROM queue`;
  expect(await home.run("status")).toEqual({
    stdout: "",
    stderr: `The table queue in ${home.shownUrl} has 0 rows instead of one.\nLook it over: queuectl doctor\n`,
    exitCode: 7,
  });
  expect((await home.run("doctor")).stdout).toContain("✗ queue: it has 0 rows instead of one.");
});

test.concurrent("worker and jobs that are well are nothing to speak of", async () => {
  await using home = await Home.on("PostgreSQL");
  await home.enqueue({ id: "a", command: "sleep 60" }, { id: "b", command: "true" });
  const worker = home.start("worker-start");
  await worker.says("Processing job: a");
  expect(await home.obey("doctor")).toEndWith("Sound.\n");
  worker.kill("SIGKILL");
});
