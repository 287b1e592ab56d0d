/** What the doctor of a database finds: each harm by one statement, and what it says of it. */
import { afterAll, describe, expect, test } from "bun:test";
import type { Examination, Finding } from "../../src/store/doctor.ts";
import { parseAddress } from "../../src/store/postgres/address.ts";
import { Database } from "../../src/store/postgres/database.ts";
import { drift } from "../../src/store/postgres/doctor/drift.ts";
import { PostgresDoctor } from "../../src/store/postgres/doctor/postgres-doctor.ts";
import { examineSurroundings } from "../../src/store/postgres/doctor/surroundings.ts";
import { openPostgres, type PostgresOptions } from "../../src/store/postgres/open.ts";
import { dropSchema, freshSchema, inSchema } from "../support/postgres.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

const root = temporaryDirectory();
const urls: string[] = [];
afterAll(async () => {
  root[Symbol.dispose]();
  for (const url of urls) await dropSchema(url);
});

const clock = { now: Date.now, random: Math.random, elapsed: () => performance.now(), warn: () => {} };

function optionsFor(url: string): PostgresOptions {
  return { url, env: {}, dataDirectory: root.path, found: "in the environment", overrides: {}, ...clock };
}

/** A queue with a job in every state, one of them processing, and one in the archive. */
async function filledQueue(): Promise<string> {
  const url = await freshSchema();
  urls.push(url);
  const store = await openPostgres(optionsFor(url));
  await store.enqueue(["a", "b", "c", "d", "e"].map((id) => ({ id, command: "true", max_retries: 0 })));
  const { claimed } = await store.settle([], { workerId: "worker-1", limit: 4 });
  const ends = claimed.map(({ id, lease }) => ({ id, lease, code: id === "c" ? 1 : 0 }));
  await store.settle(
    ends.slice(0, 3).map(({ id, lease, code }) => ({ id, lease, at: Date.now(), outcome: { kind: "exited", code } })),
  );
  await store.prune({ keep: 1 });
  await store.close();
  return url;
}

async function examineAfter(harm: string): Promise<Examination> {
  const url = await filledQueue();
  await using sql = inSchema(url);
  await sql.unsafe(harm);
  return new PostgresDoctor(optionsFor(url)).examine();
}

function told({ severity, path, problem, jobs }: Finding): string {
  return `${severity}: ${path}: ${problem}${jobs.length > 0 ? ` ${jobs.join(", ")}` : ""}`;
}

test("a queue that is as it should be is sound, and every table is read", async () => {
  expect(await new PostgresDoctor(optionsFor(await filledQueue())).examine()).toEqual({
    sound: true,
    mendable: false,
    files: [
      { path: "schema", holds: "version 1" },
      { path: "jobs", holds: "3 jobs, 1 dead letter" },
      { path: "archive", holds: "1 completed job" },
    ],
    findings: [],
  });
});

test("where there is no queue nothing is wrong, and none is made", async () => {
  const url = await freshSchema();
  urls.push(url);
  expect(await new PostgresDoctor(optionsFor(url)).examine()).toMatchObject({ sound: true, files: [], findings: [] });
  await using sql = inSchema(url);
  expect(await sql`SELECT FROM pg_namespace WHERE nspname = ${new URL(url).searchParams.get("schema")}`).toHaveLength(
    0,
  );
});

describe("damage is told:", () => {
  test.concurrent.each([
    [
      "DROP INDEX jobs_due",
      "damage: index jobs_due: it is missing. Make it anew: CREATE INDEX jobs_due ON jobs USING btree (queue, priority DESC, place) WHERE due;",
    ],
    [
      "DROP INDEX jobs_due; CREATE INDEX jobs_due ON jobs (place) WHERE due",
      "damage: index jobs_due: it is not what 0001-queue.sql made. It is CREATE INDEX jobs_due ON jobs USING btree (place) WHERE due, and was CREATE INDEX jobs_due ON jobs USING btree (queue, priority DESC, place) WHERE due.",
    ],
    [
      "CREATE OR REPLACE FUNCTION tell(what text) RETURNS void LANGUAGE sql AS 'SELECT'",
      "damage: function tell(what text): it is not what 0001-queue.sql made.",
    ],
    [
      "DROP FUNCTION keep_output",
      "damage: function keep_output(printed json, now_ms bigint): it is missing. 0001-queue.sql made it.",
    ],
    ["DROP TABLE settings", "damage: table settings: it is missing. 0001-queue.sql made it."],
    ["ALTER TABLE jobs DROP COLUMN call", "damage: column jobs.call: it is missing. 0001-queue.sql made it."],
    [
      "ALTER TABLE jobs ALTER place DROP DEFAULT",
      "damage: column jobs.place: it is not what 0001-queue.sql made. It is bigint not null, and was bigint not null default nextval('places'::regclass).",
    ],
    [
      "ALTER TABLE jobs ALTER attempts TYPE bigint",
      "damage: column jobs.attempts: it is not what 0001-queue.sql made. It is bigint not null, and was integer not null.",
    ],
    [
      "ALTER TABLE jobs ALTER due DROP NOT NULL",
      "damage: column jobs.due: it is not what 0001-queue.sql made. It is boolean, and was boolean not null.",
    ],
    ["ALTER TABLE jobs DROP CONSTRAINT jobs_state_check", /damage: constraint jobs_state_check: it is missing/],
    [
      "ALTER TABLE output SET UNLOGGED",
      "damage: table output: it is not what 0001-queue.sql made. It is unlogged, and was logged.",
    ],
    [
      "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY",
      /damage: table jobs: .* It is logged with row security, and was logged\./,
    ],
    ["ALTER SEQUENCE leases INCREMENT BY -1", /damage: sequence leases: it is not what 0001-queue.sql made/],
    [
      "ALTER TABLE jobs ADD COLUMN owner text NOT NULL DEFAULT 'x'; ALTER TABLE jobs ALTER owner DROP DEFAULT",
      "damage: column jobs.owner: it is new, and nothing can be added without a value for it.",
    ],
    [
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'jobs_due'::regclass",
      "damage: index jobs_due: it is invalid, so nothing is found by it. REINDEX INDEX jobs_due;",
    ],
    [
      "DELETE FROM queues",
      "damage: queues: it does not name default, so no job there is ever claimed. INSERT INTO queues (name) VALUES ('default'); e",
    ],
    ["UPDATE jobs SET lease = NULL WHERE id = 'd'", "damage: jobs: it is no sound processing job. d"],
    ["UPDATE jobs SET worker_id = NULL WHERE id = 'd'", "damage: jobs: it is no sound processing job. d"],
    ["UPDATE jobs SET attempts = -1 WHERE id = 'c'", "damage: jobs: it is no sound dead job. c"],
    [
      "UPDATE jobs SET due = true WHERE id = 'd'",
      "damage: jobs: it is processing and marked as due, so it would be claimed. d",
    ],
    [
      "UPDATE jobs SET state = 'processing', due = false, lease = 4, worker_id = 'w', processing_started_at = 1 WHERE id = 'e'",
      "damage: jobs: it is processing under lease 4, and so is d. e",
    ],
    ["UPDATE archive SET worker_id = NULL", "damage: archive: it is no completed job. a"],
    ["DELETE FROM queue", /damage: queue: it has 0 rows instead of one\./],
    ["INSERT INTO queue DEFAULT VALUES", /damage: queue: it has 2 rows instead of one\./],
    [
      "SELECT setval('leases', 2)",
      "damage: sequence leases: it stands at 2, and 4 has been given out: the lease of a running attempt may be given out twice. Stop all workers, then: SELECT setval('leases', 4);",
    ],
    ["SELECT setval('leases', 1, false)", /damage: sequence leases: it stands at 0, and 4 has been given out/],
    [
      "INSERT INTO output VALUES (9, 'both', 'a', 1, 0, 1, 'h', 'p', 'x')",
      /damage: sequence leases: it stands at 4, and 9 has been given out/,
    ],
    [
      "SELECT setval('places', 3)",
      /damage: sequence places: it stands at 3, and \d has been given out: the place of a job/,
    ],
    ["UPDATE archive SET place = DEFAULT; SELECT setval('archive_place_seq', 1)", /damage: sequence archive_place_seq/],
  ])("%s", async (harm, expected) => {
    const { sound, mendable, files, findings, advice } = await examineAfter(harm);
    expect({ sound, mendable, files }).toEqual({ sound: false, mendable: false, files: [] });
    const [damage, ...others] = findings.filter(({ severity }) => severity === "damage").map(told);
    if (typeof expected === "string") expect(damage).toBe(expected);
    else expect(damage).toMatch(expected);
    expect(others).toEqual([]);
    expect(advice).toContain("doctor changes nothing in a database.");
  });
});

describe("what is worth a look is told, and is no damage:", () => {
  test.concurrent.each([
    ["ALTER TABLE jobs ADD COLUMN note text", "concern: column jobs.note: it is new, and no migration made it."],
    ["CREATE INDEX mine ON jobs (command)", "concern: index mine: it is new on jobs, and no migration made it."],
    [
      "ALTER TABLE jobs ADD CONSTRAINT short CHECK (length(command) < 100)",
      /concern: constraint short: it is new on jobs/,
    ],
    [
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER mine BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION f()",
      "concern: trigger mine: it is new on jobs, and no migration made it.",
    ],
    [
      "CREATE FUNCTION tell(a text, b text) RETURNS void LANGUAGE sql AS 'SELECT'",
      /concern: function tell\(a text, b text\): it is new/,
    ],
    [
      "UPDATE migrations SET sum = 'other'",
      "concern: migration 0001-queue.sql: what was applied here is not what this queuectl has.",
    ],
    [
      "UPDATE jobs SET run_at = run_at + 3600000 WHERE id = 'e'",
      "concern: jobs: it is marked as due before its time. e",
    ],
    ["DELETE FROM archive", /concern: archive: it holds 0 jobs; queue\.archived says 1\./],
    [
      "UPDATE queue SET archived = 0",
      "concern: archive: it holds 1 job; queue.archived says 0. Where that is meant: UPDATE queue SET archived = 1;",
    ],
    [
      "INSERT INTO presence VALUES ('worker-7', 't', 'worker', NULL, 7, '0', 'gone', 'b', 'p', '/l', 0, false, now() - interval '1 minute')",
      "concern: presence: worker-7 on gone is dead and left its row; a worker sees to its jobs and removes it.",
    ],
  ])("%s", async (harm, expected) => {
    const { sound, findings } = await examineAfter(harm);
    expect(sound).toBe(true);
    const [concern, ...others] = findings.map(told);
    if (typeof expected === "string") expect(concern).toBe(expected);
    else expect(concern).toMatch(expected);
    expect(others).toEqual([]);
  });
});

test.each([
  "CREATE TABLE mine (a text); CREATE FUNCTION mine() RETURNS void LANGUAGE sql AS 'SELECT'; CREATE SEQUENCE mine_too",
  "ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.5)",
  "UPDATE jobs SET run_at = 0, due = false WHERE id = 'e'",
  "INSERT INTO presence VALUES ('worker-7', 't', 'worker', NULL, 7, '0', 'elsewhere', 'b', 'p', '/l', 0)",
])("nothing is said of %s", async (harmless) => {
  expect((await examineAfter(harmless)).findings).toEqual([]);
});

test("a queue that was moved to another schema is still what the migrations made", async () => {
  const url = await filledQueue();
  await using sql = inSchema(url);
  const moved = new URL(await freshSchema());
  urls.push(moved.href);
  const [from, to] = [url, moved.href].map((one) => new URL(one).searchParams.get("schema"));
  await sql.unsafe(`ALTER SCHEMA ${from} RENAME TO ${to}`);
  expect((await new PostgresDoctor(optionsFor(moved.href)).examine()).findings).toEqual([]);
});

test("dead rows that no vacuum removed are told, and whose transaction keeps them", async () => {
  const url = await filledQueue();
  await using sql = inSchema(url);
  await using other = inSchema(url);
  await using database = new Database({ ...clock, address: parseAddress(url, {}) });
  await sql`ALTER TABLE jobs SET (autovacuum_enabled = false)`;
  await sql`UPDATE jobs SET priority = 1`;
  await sql`UPDATE jobs SET priority = 2`;
  await other.begin(async (inside) => {
    await inside`SET application_name = 'a report'`;
    const limits = { openMs: 0, deadRows: 3, vacuumedMs: 3_600_000 };
    const findings = await until(async () => {
      const found = await examineSurroundings(database, limits);
      return found.some(({ path }) => path === "table jobs") && found;
    }, "the statistics to be counted");
    expect(findings.map(told)).toContainEqual(
      expect.stringMatching(/^concern: table jobs: about \d+ dead rows stand beside \d live ones, and no vacuum/),
    );
    expect(findings.map(told)).toContainEqual(
      expect.stringMatching(
        /^concern: backend \d+: a transaction of a report is open for 0 minutes and keeps dead rows/,
      ),
    );
    expect(await examineSurroundings(database)).toEqual([]);
  });
});

test("what several migrations made is laid to the one that made it so", () => {
  const column = { object: "column jobs.a", part_of: "jobs", text: "integer" };
  const index = { object: "index a", part_of: "jobs", text: "CREATE INDEX a ON jobs (a)" };
  const wide = { ...column, text: "bigint" };
  const applied = [
    { number: 1, name: "first", sum: "", made: [column, index] },
    { number: 2, name: "second", sum: "", made: [wide, index] },
    { number: 3, name: "third", sum: "", made: [wide] },
  ];
  expect(drift(applied, [column]).map(told).slice(-1)).toEqual([
    "damage: column jobs.a: it is not what second made. It is integer, and was bigint.",
  ]);
});
