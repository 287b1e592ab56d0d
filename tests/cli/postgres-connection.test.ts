/** How the program gets to a server, by the compiled program and on a server of its own: passwords, TLS, and what is in the way. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { Home, printed } from "../support/home.ts";
import { PostgresServer } from "../support/postgres-server.ts";
import type { Ended } from "../support/running-program.ts";

const TLS = join(import.meta.dir, "..", "fixtures", "tls");
const CA = join(TLS, "server.crt");
/** No host of loopback to the program, but one all the same: Linux answers to all of 127.0.0.0/8. */
const ELSEWHERE = "127.0.0.2";
const PASSWORD = "s3cr3t";
const NOTHING = "📊 Queue Status:\n{ activeWorkers: 0, pending: 0, processing: 0, completed: 0, failed: 0 }\n";

let server: PostgresServer;
let bare: PostgresServer;

beforeAll(async () => {
  const settings = { listen_addresses: `127.0.0.1,${ELSEWHERE}` };
  const tls = Object.fromEntries(
    ["server.crt", "server.key"].map((name) => [name, readFileSync(join(TLS, name), "utf8")]),
  );
  const access = [
    "hostssl encrypted all all scram-sha-256",
    "host closed all all reject",
    "host postgres,near,far,nope all all scram-sha-256",
  ];
  [server, bare] = await Promise.all([
    PostgresServer.start({
      settings: { ...settings, ssl: "on" },
      files: { ...tls, "pg_hba.conf": `${access.join("\n")}\n` },
    }),
    PostgresServer.start({ settings }),
  ]);
  await using sql = new Bun.SQL(server.url, { max: 1 });
  for (const name of ["encrypted", "closed", "near", "far"]) await sql.unsafe(`CREATE DATABASE ${name}`);
  await sql.unsafe(`CREATE ROLE me LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
});
afterAll(async () => {
  await Promise.all([server[Symbol.asyncDispose](), bare[Symbol.asyncDispose]()]);
});

interface Way {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database?: string;
  /** What the address says besides. */
  readonly says?: string;
}

/** An address without a password. */
function address({
  host = "127.0.0.1",
  port = server.port,
  user = "me",
  database = "postgres",
  says = "",
}: Way): string {
  return `postgres://${user}@${host}:${port}/${database}${says}`;
}

function inSchema(schema: string): { env: Record<string, string> } {
  return { env: { QUEUECTL_STORE: address({ says: `?schema=${schema}` }), PGPASSWORD: PASSWORD } };
}

async function status(way: Way, env: Readonly<Record<string, string>> = { PGPASSWORD: PASSWORD }): Promise<Ended> {
  await using home = new Home();
  return await home.runIn({ env: { QUEUECTL_STORE: address(way), ...env } }, "status");
}

function refused(stderr: string, exitCode = 7): Ended {
  return { stdout: "", stderr, exitCode };
}

/** Whether a worker that is connected so is so by TLS, as the server sees it. */
async function isEncrypted(way: Way): Promise<boolean> {
  await using home = new Home();
  await using sql = new Bun.SQL(server.url, { max: 1 });
  const env = { QUEUECTL_STORE: address(way), PGPASSWORD: PASSWORD };
  await home.runIn({ env }, "enqueue", '{"id":"slow","command":"sleep 60"}');
  const worker = home.startIn({ env }, "worker-start");
  await worker.says("Processing job: slow");
  const rows = await sql`
    SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
    WHERE application_name = 'queuectl' AND datname = ${way.database ?? "postgres"}`;
  worker.kill("SIGKILL");
  expect(rows).toHaveLength(1);
  return rows[0].ssl;
}

test.concurrent("a password comes from the address, from PGPASSWORD, or from .pgpass, and is checked by the server", async () => {
  await using home = new Home();
  const fields = `127.0.0.1:${server.port}:postgres:me`;
  home.write(".pgpass", `*:1:*:*:wrong\n${fields}:${PASSWORD}\n*:*:*:*:wrong\n`);
  chmodSync(join(home.path, ".pgpass"), 0o600);
  const ask = async (store: string, env = {}): Promise<Ended> =>
    home.runIn({ env: { QUEUECTL_STORE: store, ...env } }, "status");
  expect(await ask(address({}))).toEqual(printed(NOTHING));
  expect(await ask(address({ host: ELSEWHERE }))).toEqual(
    refused(`${address({ host: ELSEWHERE })}: password authentication failed for user "me".\n`),
  );
  expect(await ask(address({ host: ELSEWHERE }), { PGPASSWORD: PASSWORD })).toEqual(printed(NOTHING));
  expect(await ask(address({}).replace("me@", `me:${PASSWORD}@`), { PGPASSWORD: "wrong" })).toEqual(printed(NOTHING));

  chmodSync(join(home.path, ".pgpass"), 0o644);
  const path = join(home.path, ".pgpass");
  expect(await ask(address({}))).toEqual(
    refused(`The password file ${path} may be read by others.\nchmod 0600 ${path}\n`, 2),
  );
});

test.concurrent("no error and no job is told the password that stands in the address", async () => {
  await using home = new Home();
  const store = address({ says: "?schema=told" }).replace("me@", `me:${PASSWORD}@`);
  const env = { QUEUECTL_STORE: store };
  await home.runIn({ env }, "enqueue", '{"id":"a","command":"env"}');
  await home.runIn({ env }, "worker-start", "--drain");
  const seen = await home.runIn({ env }, "logs", "a");
  expect(seen.stdout).toContain(`QUEUECTL_STORE=${address({ says: "?schema=told" })}\n`);
  const wrong = store.replace(PASSWORD, "wr0ng");
  for (const args of [["status"], ["status", "--json"], ["doctor"], ["store-migrate"], ["worker-start"]]) {
    const { stdout, stderr, exitCode } = await home.runIn({ env: { QUEUECTL_STORE: wrong } }, ...args);
    expect([args, exitCode]).toEqual([args, 7]);
    expect(stderr).toContain("password authentication failed");
    expect(stdout + stderr + seen.stdout).not.toMatch(new RegExp(`${PASSWORD}|wr0ng`));
  }
});

test.concurrent("TLS is used where it is asked for, and not with a host that has none", async () => {
  expect(await isEncrypted({ database: "encrypted", says: "?sslmode=require" })).toBe(true);
  expect(await status({ port: bare.port, user: "queue", says: "?sslmode=require" }, { PGPASSWORD: "secret" })).toEqual(
    refused(`${address({ port: bare.port, user: "queue", says: "?sslmode=require" })}: Server does not support SSL.\n`),
  );
});

test.concurrent("verify-full takes only a certificate that an authority of sslrootcert has signed, for this host", async () => {
  const trusting = `?sslmode=verify-full&sslrootcert=${encodeURIComponent(CA)}`;
  const hint = "sslrootcert=/path/to/ca.crt in the address names whose certificates are trusted.\n";
  expect(await status({ says: trusting })).toEqual(printed(NOTHING));
  expect(await status({ host: "localhost", says: trusting })).toEqual(printed(NOTHING));
  const strange = { says: "?sslmode=verify-full" };
  expect(await status(strange)).toEqual(
    refused(`${address(strange)}: the server's certificate is refused: self signed certificate.\n${hint}`),
  );
  const misnamed = { host: ELSEWHERE, says: trusting };
  expect(await status(misnamed)).toEqual(
    refused(
      `${address(misnamed)}: the server's certificate is refused: Hostname/IP does not match certificate's altnames.\n${hint}`,
    ),
  );
  expect(await status({ ...misnamed, says: trusting.replace("full", "ca") })).toEqual(printed(NOTHING));
  const { exitCode, stderr } = await status({}, { PGPASSWORD: PASSWORD, PGSSLMODE: "verify-full" });
  expect([exitCode, stderr]).toEqual([7, expect.stringContaining("the server's certificate is refused")]);
});

test.concurrent.each([
  [
    "?sslmode=sometimes",
    'The sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full, got "sometimes".\n',
  ],
  [
    "?sslmode=verify-full&sslrootcert=/nope.crt",
    'The file that sslrootcert names is none in PEM format: "/nope.crt".\n',
  ],
  [
    "?sslmode=verify-full&sslrootcert=/etc/passwd",
    'The file that sslrootcert names is none in PEM format: "/etc/passwd".\n',
  ],
])("what cannot be is a mistake in the address: %s", async (says, sentence) => {
  expect(await status({ says })).toEqual(refused(sentence, 2));
});

const onLinux = process.platform === "linux" ? test.concurrent : test.skip;

onLinux("left to itself, another host is spoken to by TLS if it can, and loopback in the clear", async () => {
  expect(await isEncrypted({ host: ELSEWHERE, database: "far" })).toBe(true);
  expect(await isEncrypted({ database: "near" })).toBe(false);
  const without = { host: ELSEWHERE, port: bare.port, user: "queue" };
  expect(await status(without, { PGPASSWORD: "secret" })).toEqual(printed(NOTHING));
});

test.concurrent.each([
  ["a wrong password", { user: "queue" }, 'password authentication failed for user "queue"'],
  ["a user that there is not", { user: "nobody" }, 'password authentication failed for user "nobody"'],
  ["a database that there is not", { database: "nope" }, 'database "nope" does not exist'],
  [
    "a server that lets nobody in",
    { database: "closed" },
    /pg_hba\.conf rejects connection for host "127\.0\.0\.1", user "me", database "closed"/,
  ],
  [
    "a server that wants TLS",
    { database: "encrypted", says: "?sslmode=disable" },
    /no pg_hba\.conf entry for host .* no encryption/,
  ],
  ["what no server understands", { says: "?nonsense=1" }, 'unrecognized configuration parameter "nonsense"'],
] as [string, Way, string | RegExp][])("%s is told at once, in one sentence", async (_, way, reason) => {
  const { stdout, stderr, exitCode } = await status(way);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 7 });
  const [sentence = "", ...rest] = stderr.split("\n");
  expect(rest).toEqual([""]);
  expect(sentence).toStartWith(`${address(way)}: `);
  expect(sentence.slice(address(way).length + 2)).toMatch(
    typeof reason === "string" ? new RegExp(`^${RegExp.escape(reason)}\\.$`) : reason,
  );
});

test.concurrent.each([
  [
    "nothing listens",
    (): Way => ({ port: freePort() }),
    "Failed to connect",
    "Does the server run there, and may this machine connect to it?",
  ],
  [
    "there is no such host",
    (): Way => ({ host: "no-such-host.invalid" }),
    "there is no host no-such-host.invalid",
    "Is the name right?",
  ],
])("where %s, the program says so after a second, and gives up after 15", async (_, wayOf, reason, hint) => {
  const way = wayOf();
  const { stdout, stderr, exitCode } = await status(way);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 7 });
  const [warning, ...rest] = stderr.split("\n");
  expect(warning).toMatch(/^Warning: The database does not answer; trying on for 1\d s\.$/);
  expect(rest).toEqual([`Cannot reach ${address(way)}: ${reason}.`, hint, ""]);
});

test.concurrent("two queues in one database have jobs, workers and settings of their own", async () => {
  await using home = new Home();
  const [a, b] = [inSchema("a"), inSchema("b")];
  await home.runIn(a, "enqueue", '{"id":"same","command":"echo in a"}');
  expect((await home.runIn(b, "enqueue", '{"id":"same","command":"sleep 60"}')).exitCode).toBe(0);
  const worker = home.startIn(b, "worker-start");
  await worker.says("Processing job: same");
  expect((await home.runIn(a, "status")).stdout).toContain("{ activeWorkers: 0, pending: 1,");
  expect((await home.runIn(b, "status")).stdout).toContain("{ activeWorkers: 1, pending: 0, processing: 1,");
  expect((await home.runIn(a, "worker-stop")).stdout).toBe("No workers are running.\n");
  await home.runIn(a, "worker-start", "--drain");
  expect((await home.runIn(a, "logs", "same")).stdout).toBe("in a\n");
  expect((await home.runIn(b, "logs", "same")).stdout).toBe("");
  worker.kill("SIGKILL");
});

test.concurrent("a schema may be called as a word of SQL", async () => {
  expect(await status({ says: "?schema=user" })).toEqual(printed(NOTHING));
});

test.concurrent.each(["A", "a-b", "", "x".repeat(51), "pg_queue", "information_schema"])(
  "%p is no name of a schema",
  async (schema) => {
    expect(await status({ says: `?schema=${schema}` })).toEqual(
      refused(
        `The schema must be up to 50 of a-z, 0-9 and _, got ${JSON.stringify(schema)}.\n` +
          "The first is no digit. What begins with pg_ belongs to PostgreSQL, and so does information_schema.\n",
        2,
      ),
    );
  },
);
