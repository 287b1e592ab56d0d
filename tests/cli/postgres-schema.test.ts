import { describe, expect, test } from "bun:test";
import { Home } from "../support/home.ts";
import { inSchema } from "../support/postgres.ts";

/** A home whose queue is in PostgreSQL, and SQL that the program would not run itself. */
async function onPostgres(body: (home: Home, change: (text: string) => Promise<void>) => Promise<void>): Promise<void> {
  await using home = await Home.on("PostgreSQL");
  await body(home, async (text) => {
    await using sql = inSchema(home.url ?? "");
    await sql.unsafe(text);
  });
}

describe("store-migrate", () => {
  test.concurrent("--dry-run prints the SQL and makes nothing", () =>
    onPostgres(async (home) => {
      expect(await home.obey("store-migrate", "--dry-run")).toStartWith("-- 0001-queue.sql\n");
      const { migrations } = JSON.parse(await home.obey("store-migrate", "--dry-run", "--json"));
      expect(migrations).toMatchObject([{ number: 1, name: "0001-queue.sql" }]);
      expect(migrations[0].sql).toContain("CREATE TABLE jobs");
    }));

  test.concurrent("applies what is pending, once", () =>
    onPostgres(async (home) => {
      expect(await home.obey("store-migrate")).toBe("Applied 0001-queue.sql.\n");
      expect(await home.obey("store-migrate")).toStartWith("Nothing to migrate in postgres://");
      await home.enqueue({ id: "p1", command: "true" });
      expect(await home.jobs()).toMatchObject([{ id: "p1" }]);
    }));

  test.concurrent("by many at once is done by one, and hinders none", () =>
    onPostgres(async (home) => {
      const ended = await Promise.all(Array.from({ length: 6 }, () => home.run("store-migrate")));
      expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(ended.filter(({ stdout }) => stdout.startsWith("Applied"))).toHaveLength(1);
    }));

  test.concurrent("has nothing to do in files", async () => {
    await using home = new Home();
    expect(await home.obey("store-migrate")).toStartWith("Nothing to migrate in ");
  });

  test.concurrent("of a schema that a newer version made is refused, as every command is", () =>
    onPostgres(async (home, change) => {
      await home.obey("store-migrate");
      await change("INSERT INTO migrations (number, name, sum, made) VALUES (2, '0002-more.sql', 'x', '[]')");
      for (const command of [["store-migrate"], ["status"], ["enqueue", '{"command":"true"}'], ["doctor"]]) {
        const { stderr, exitCode } = await home.run(...command);
        expect([exitCode, stderr]).toEqual([
          7,
          expect.stringContaining("has schema version 2; this queuectl knows 1."),
        ]);
      }
    }));
});

describe("doctor of a database", () => {
  test.concurrent("finds a queue sound that workers have worked on", () =>
    onPostgres(async (home) => {
      await home.enqueue({ id: "p1", command: "echo hi" }, { id: "bad", command: "false", max_retries: 0 });
      await home.drain();
      await home.obey("prune", "--keep", "0");
      const said = await home.obey("doctor");
      expect(said).toContain("jobs: 0 jobs, 1 dead letter");
      expect(said).toContain("archive: 1 completed job");
      expect(said).toEndWith("Sound.\n");
    }));

  test.concurrent.each([
    ["DROP INDEX jobs_due", "index jobs_due: it is missing. Make it anew: CREATE INDEX jobs_due"],
    ["ALTER TABLE jobs DROP COLUMN call", "column jobs.call: it is missing."],
    ["DROP TABLE output", "table output: it is missing."],
    [
      "CREATE OR REPLACE FUNCTION tell(what text) RETURNS void LANGUAGE sql AS 'SELECT'",
      "it is not what 0001-queue.sql made.",
    ],
    ["ALTER TABLE jobs ALTER COLUMN due DROP NOT NULL", "column jobs.due: it is not what 0001-queue.sql made."],
    ["UPDATE jobs SET state = 'processing', due = false WHERE id = 'p1'", "it is no sound processing job."],
    ["UPDATE jobs SET due = true WHERE id = 'done'", "it is completed and marked as due, so it would be claimed."],
    ["SELECT setval('leases', 1, false)", "sequence leases: it stands at 0, and 1 has been given out"],
    ["SELECT setval('places', 1, false)", "sequence places: it stands at 0, and 2 has been given out"],
    ["UPDATE queue SET archived = 5", "0 jobs are there, and 5 were moved there"],
  ])("tells of %s", (harm, told) =>
    onPostgres(async (home, change) => {
      await home.enqueue({ id: "done", command: "echo hi" });
      await home.drain();
      await home.enqueue({ id: "p1", command: "true" });
      await change(harm);
      const { stdout, exitCode } = await home.run("doctor");
      expect([exitCode, stdout]).toEqual([7, expect.stringContaining(told)]);
      expect(stdout).toContain("doctor changes nothing in a database.");
      expect(await home.run("doctor", "--fix", "--yes")).toMatchObject({ exitCode: 7 });
    }),
  );

  test.concurrent.each([
    ["ALTER TABLE jobs ADD COLUMN note text", "column jobs.note: it is new, and no migration made it."],
    ["CREATE INDEX mine ON jobs (command)", "index mine: it is new on jobs, and no migration made it."],
    ["UPDATE migrations SET sum = 'x'", "what was applied here is not what this queuectl has."],
  ])("finds worth a look %s", (change_, told) =>
    onPostgres(async (home, change) => {
      await home.enqueue({ id: "p1", command: "true" });
      await change(change_);
      const { stdout, exitCode } = await home.run("doctor");
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining(told)]);
    }),
  );
});

test.concurrent("queues in two schemas of one database do not see each other", () =>
  onPostgres(async (home) => {
    const url = new URL(home.url ?? "");
    url.searchParams.set("schema", `${url.searchParams.get("schema")}_b`);
    const other = { env: { QUEUECTL_STORE: url.href } };
    await home.enqueue({ id: "p1", command: "true" });
    await home.runIn(other, "enqueue", '{"id":"p1","command":"echo other"}');
    await home.drain();
    expect(await home.jobs()).toMatchObject([{ id: "p1", state: "completed", command: "true" }]);
    const { stdout } = await home.runIn(other, "list");
    expect(JSON.parse(stdout)).toMatchObject([{ id: "p1", state: "pending", command: "echo other" }]);
    await using sql = inSchema(url.href);
    await sql.unsafe(`DROP SCHEMA ${url.searchParams.get("schema")} CASCADE`);
  }));
