/** How a server is reached, and what a person is told when it is not. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { Home } from "../support/home.ts";
import { PostgresServer } from "../support/postgres-server.ts";

const TLS = join(import.meta.dir, "..", "fixtures", "tls");
const CERTIFICATE = join(TLS, "server.crt");

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start({
    settings: { ssl: "on" },
    files: {
      "server.crt": readFileSync(CERTIFICATE, "utf8"),
      "server.key": readFileSync(join(TLS, "server.key"), "utf8"),
    },
  });
});

afterAll(() => server[Symbol.asyncDispose]());

/** The URL of the server with other parts. */
function urlWith(parts: Partial<Record<"password" | "pathname" | "hostname" | "search" | "port", string>>): string {
  return Object.assign(new URL(server.url), parts).href;
}

async function status(
  url: string,
  env: Record<string, string> = {},
): Promise<{ stderr: string; exitCode: number | string }> {
  await using home = new Home();
  const { stderr, exitCode } = await home.runIn({ env: { QUEUECTL_STORE: url, ...env } }, "status");
  return { stderr, exitCode };
}

test.concurrent.each([
  ["a server with TLS, where that is required", "?sslmode=require"],
  ["a server whose certificate is that of a given authority", `?sslmode=verify-full&sslrootcert=${CERTIFICATE}`],
  ["a server without TLS, where nothing is said and it is on this machine", ""],
])("%s is reached", async (_, search) => {
  expect(await status(urlWith({ search }))).toEqual({ stderr: "", exitCode: 0 });
});

test.concurrent("a connection is encrypted where that is required", async () => {
  await using sql = new Bun.SQL(urlWith({ search: "?sslmode=require" }), { max: 1 });
  const [row] = await sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
  expect(row.ssl).toBe(true);
});

test.concurrent.each([
  ["a certificate that nobody vouches for", { search: "?sslmode=verify-full" }, /certificate/i],
  ["a wrong password", { password: "wrong" }, /password authentication failed for user "queue"/],
  ["an unknown database", { pathname: "/nowhere" }, /database "nowhere" does not exist/],
])("%s is told at once", async (_, parts, told) => {
  const { stderr, exitCode } = await status(urlWith(parts));
  expect([exitCode, stderr]).toEqual([7, expect.stringMatching(told)]);
  expect(stderr).not.toContain("wrong");
  expect(stderr).not.toContain(":secret");
});

test.concurrent("a host that is not there, and a port where nothing listens, are told, though not before some patience", async () => {
  const [host, port] = await Promise.all([
    status(urlWith({ hostname: "no-such-host.invalid" })),
    status(urlWith({ port: `${freePort()}` })),
  ]);
  expect([host.exitCode, host.stderr]).toEqual([7, expect.stringContaining("there is no host no-such-host.invalid")]);
  expect([port.exitCode, port.stderr]).toEqual([7, expect.stringContaining("Does the server run there")]);
  expect(host.stderr).toContain("The database does not answer; trying on for");
});

test.concurrent("the password may be in PGPASSWORD or in .pgpass, and is then in no URL", async () => {
  const { password } = new URL(server.url);
  const bare = urlWith({ password: "" });
  expect(await status(bare, { PGPASSWORD: password })).toEqual({ stderr: "", exitCode: 0 });
  await using home = new Home();
  await home.shell('umask 077; printf "%s\\n" "127.0.0.1:*:*:queue:$1" > .pgpass', password);
  expect(await home.runIn({ env: { QUEUECTL_STORE: bare } }, "status")).toMatchObject({ stderr: "", exitCode: 0 });
});
