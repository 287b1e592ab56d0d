import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Home, printed } from "../support/home.ts";
import { inSchema } from "../support/postgres.ts";
import type { Ended } from "../support/running-program.ts";
import { sorted } from "../support/sorted.ts";

const MIGRATIONS = join(import.meta.dir, "..", "..", "db", "migrations");
const NAMES = sorted(readdirSync(MIGRATIONS));
const NEWEST = NAMES.length;

async function tablesOf(home: Home): Promise<string[]> {
  await using sql = inSchema(home.url ?? "");
  const rows = await sql`SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(${schemaOf(home)})`;
  return sorted(rows.map(({ relname }: { relname: string }) => relname));
}

function schemaOf(home: Home): string {
  return new URL(home.url ?? "").searchParams.get("schema") ?? "";
}

test.concurrent("store-migrate makes the queue, and has nothing to do the next time", async () => {
  await using home = await Home.on("PostgreSQL");
  expect(await home.run("store-migrate")).toEqual(printed(NAMES.map((name) => `Applied ${name}.\n`).join("")));
  expect(await home.run("store-migrate")).toEqual(printed(`Nothing to migrate in ${home.shownUrl}\n`));
  await home.enqueue({ id: "a", command: "true" });
  expect(await home.run("store-migrate", "--json")).toEqual(
    printed(`${JSON.stringify({ location: home.shownUrl, dry_run: false, migrations: [] })}\n`),
  );
});

test.concurrent("store-migrate --dry-run prints the SQL and touches nothing", async () => {
  await using home = await Home.on("PostgreSQL");
  const { stdout, stderr, exitCode } = await home.run("store-migrate", "--dry-run");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  const texts = await Promise.all(NAMES.map(async (name) => Bun.file(join(MIGRATIONS, name)).text()));
  expect(stdout).toBe(NAMES.map((name, n) => `-- ${name}\n${texts[n]}`).join(""));
  const { migrations, ...rest } = JSON.parse(await home.obey("store-migrate", "--dry-run", "--json"));
  expect(rest).toEqual({ location: home.shownUrl, dry_run: true });
  expect(migrations).toEqual(NAMES.map((name, n) => ({ number: n + 1, name, sql: texts[n] })));

  await using sql = inSchema(home.url ?? "");
  expect(await sql`SELECT FROM pg_namespace WHERE nspname = ${schemaOf(home)}`).toHaveLength(0);
  await home.obey("store-migrate");
  expect(await home.run("store-migrate", "--dry-run")).toEqual(printed(`-- Nothing to migrate in ${home.shownUrl}\n`));
});

test.concurrent("what --dry-run prints is what is run, also where the program itself may not", async () => {
  await using home = await Home.on("PostgreSQL");
  const dry = await home.obey("store-migrate", "--dry-run");
  await using sql = inSchema(home.url ?? "");
  await sql.unsafe(`CREATE SCHEMA ${schemaOf(home)}`);
  await sql.unsafe(dry);
  const made = await tablesOf(home);
  await sql.unsafe(`DROP SCHEMA ${schemaOf(home)} CASCADE`);
  await home.obey("store-migrate");
  expect((await tablesOf(home)).filter((name) => !name.startsWith("migrations"))).toEqual(made);
});

test.concurrent("a queue in files has nothing to migrate", async () => {
  await using home = new Home();
  for (const args of [[], ["--dry-run"]]) {
    const { stdout, exitCode } = await home.run("store-migrate", ...args);
    expect([stdout.replace("-- ", ""), exitCode]).toEqual([`Nothing to migrate in ${home.data}\n`, 0]);
  }
});

test.concurrent("of several that migrate at once one does it, and all succeed", async () => {
  await using home = await Home.on("PostgreSQL");
  const ends = await Promise.all(Array.from({ length: 4 }, async () => home.run("store-migrate")));
  expect(ends.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(ends.map(() => [0, ""]));
  expect(ends.filter(({ stdout }) => stdout.startsWith("Applied"))).toHaveLength(1);
  await using sql = inSchema(home.url ?? "");
  expect(await sql`SELECT number FROM migrations`).toHaveLength(NEWEST);
});

test.concurrent("a migration that fails leaves nothing behind", async () => {
  await using home = await Home.on("PostgreSQL");
  await using sql = inSchema(home.url ?? "");
  // In the way of the last thing that it makes.
  await sql.unsafe(`CREATE SCHEMA ${schemaOf(home)}`);
  await sql.unsafe("CREATE FUNCTION archive_completed(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1'");
  for (const command of ["store-migrate", "status"]) {
    expect(await home.run(command)).toEqual({
      stdout: "",
      stderr: `${home.shownUrl}: function "archive_completed" already exists with same argument types.\n`,
      exitCode: 7,
    });
  }
  expect(await tablesOf(home)).toEqual([]);
  await sql.unsafe("DROP FUNCTION archive_completed");
  expect((await home.run("store-migrate")).exitCode).toBe(0);
});

test.concurrent("a schema that a newer version made is refused by every command", async () => {
  await using home = await Home.on("PostgreSQL");
  await home.enqueue({ id: "a", command: "true" });
  await using sql = inSchema(home.url ?? "");
  await sql`INSERT INTO migrations (number, name, sum, made) VALUES (99, '0099-later.sql', '', '[]')`;
  for (const args of [
    ["store-migrate"],
    ["store-migrate", "--dry-run"],
    ["status"],
    ["enqueue", '{"command":"true"}'],
    ["worker-start", "--drain"],
    ["doctor"],
    ["doctor", "--fix", "--yes"],
    ["export"],
  ]) {
    expect([args, await home.run(...args)]).toEqual([
      args,
      {
        stdout: "",
        stderr: `${home.shownUrl} has schema version 99; this queuectl knows ${NEWEST}.\nIt was used by a newer queuectl. Update this one.\n`,
        exitCode: 7,
      },
    ]);
  }
  expect(JSON.parse((await home.run("status", "--json")).stderr).error.code).toBe("E_STORE_VERSION");
});

/** Somebody who may do nothing yet, and what becomes of a command of theirs. */
async function withHumbleUser(
  home: Home,
  body: (user: string, run: (...args: string[]) => Promise<Ended>, url: string) => Promise<void>,
): Promise<void> {
  const user = `user_${schemaOf(home)}`;
  await using sql = inSchema(home.url ?? "");
  await sql.unsafe(`CREATE ROLE ${user} LOGIN PASSWORD 'humble'`);
  const url = new URL(home.shownUrl ?? "");
  url.username = user;
  const env = { QUEUECTL_STORE: url.href, PGPASSWORD: "humble" };
  try {
    await body(user, async (...args) => home.runIn({ env }, ...args), url.href);
  } finally {
    await sql.unsafe(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
  }
}

test.concurrent("who may make no schemas can work in one that is there for them", async () => {
  await using home = await Home.on("PostgreSQL");
  await withHumbleUser(home, async (user, run) => {
    await using sql = inSchema(home.url ?? "");
    await sql.unsafe(`CREATE SCHEMA ${schemaOf(home)} AUTHORIZATION ${user}`);
    expect(await run("store-migrate")).toMatchObject({ stderr: "", exitCode: 0 });
    expect(await run("enqueue", '{"id":"a","command":"true"}')).toEqual(printed("Job enqueued with ID: a\n"));
  });
});

test.concurrent("who may use the tables but make none can work once somebody else has migrated", async () => {
  await using home = await Home.on("PostgreSQL");
  await withHumbleUser(home, async (user, run, url) => {
    const { stderr, exitCode } = await run("enqueue", '{"command":"true"}');
    expect([stderr, exitCode]).toEqual([`${url}: permission denied for database postgres.\n`, 7]);
    await home.obey("store-migrate");
    await using sql = inSchema(home.url ?? "");
    const schema = schemaOf(home);
    await sql.unsafe(`
      GRANT USAGE ON SCHEMA ${schema} TO ${user};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${user};
      GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${user}`);
    for (const [code, ...args] of [
      [0, "enqueue", '{"id":"a","command":"echo hi"}'],
      [0, "enqueue", '{"id":"b","command":"false","max_retries":0}'],
      [5, "worker-start", "--drain"],
      [0, "logs", "a"],
      [0, "dlq-retry", "b"],
      [0, "config-set", "keep_completed", "0"],
      [0, "prune"],
      [0, "export"],
      [0, "store-migrate"],
      [0, "doctor"],
    ] as const) {
      expect([args, await run(...args)]).toMatchObject([
        args,
        { stderr: code === 5 ? expect.any(String) : "", exitCode: code },
      ]);
    }
  });
});
