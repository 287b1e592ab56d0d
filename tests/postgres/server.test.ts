import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dropSchema, freshSchema, sharedPostgres } from "../support/postgres.ts";
import { PostgresServer } from "../support/postgres-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const SUPPORT = join(import.meta.dir, "..", "support", "postgres-server.ts");

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test("a server stopped without warning has what was committed when it starts again", async () => {
  await using sql = client();
  await sql`create table stopped as select 1 as n`;
  await server.stop("immediate");
  await expect(ask(sql).answer).rejects.toThrow();
  await server.start();
  expect(Array.from(await sql`select n from stopped`)).toEqual([{ n: 1 }]);
});

test("a killed server has what was committed, and nothing else, when it starts again", async () => {
  await using sql = client();
  await sql`create table killed as select 1 as n`;
  const transaction = sql.begin(async (inside) => {
    await inside`insert into killed values (2)`;
    await server.kill();
    await inside`insert into killed values (3)`;
  });
  await expect(transaction).rejects.toThrow("Connection closed");
  await server.start();
  expect(Array.from(await sql`select n from killed`)).toEqual([{ n: 1 }]);
});

test("a server that stops fast says so to its clients", async () => {
  await using sql = client();
  await sql`select 1`;
  const transaction = sql.begin(async (inside) => {
    await inside`select 1`;
    await server.stop("fast");
    await inside`select 1`;
  });
  await expect(transaction).rejects.toThrow("terminating connection due to administrator command");
  await server.start();
  expect(await ask(sql).answer).toBe(42);
});

test("a frozen server answers when it has been thawed", async () => {
  await using sql = client();
  await using witness = client(await sharedPostgres());
  await sql`select 1`;
  server.freeze();
  const question = ask(sql);
  await askOften(witness);
  expect(question.hasEnded).toBe(false);
  server.thaw();
  expect(await question.answer).toBe(42);
});

test("a server that cannot start says why", async () => {
  const failure = PostgresServer.start({ settings: { shared_buffers: "many" } });
  await expect(failure).rejects.toThrow('invalid value for parameter "shared_buffers": "many"');
});

test("a server does not outlive the process that started it, killed and frozen as they may be", async () => {
  const script = `
    import { PostgresServer } from ${JSON.stringify(SUPPORT)};
    const server = await PostgresServer.start();
    server.freeze();
    console.log(server.url);
    setInterval(() => {}, 1000);
  `;
  await using child = Bun.spawn([process.execPath, "-e", script], { stdin: "ignore", stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  const directories = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`queuectl-postgres-${child.pid}-`));
  expect(directories()).not.toEqual([]);
  child.kill("SIGKILL");
  await until(() => directories().length === 0, "its directories to be gone");
  await using sql = client(new TextDecoder().decode(value).trim());
  await expect(ask(sql).answer).rejects.toThrow("Failed to connect");
});

test("every schema is fresh, and goes when it is dropped", async () => {
  const urls = [await freshSchema(), await freshSchema()];
  const [first = "", second = ""] = urls.map((url) => new URL(url).searchParams.get("schema") ?? "");
  expect(first).not.toBe(second);
  await using sql = client(await sharedPostgres());
  await sql`create schema ${sql(first)}`;
  await sql`create table ${sql(first)}.things (n int)`;
  await sql`create schema ${sql(second)}`;
  await dropSchema(urls[0] ?? "");
  expect(
    Array.from(await sql`select nspname as name from pg_namespace where nspname in (${first}, ${second})`),
  ).toEqual([{ name: second }]);
  await dropSchema(urls[1] ?? "");
});

test("a cut ends connections, and new ones are made", async () => {
  await using proxy = await TcpProxy.start(server.port);
  await using sql = clientOf(proxy);
  const transaction = sql.begin(async (inside) => {
    await inside`select 1`;
    proxy.cut();
    await inside`select 1`;
  });
  await expect(transaction).rejects.toThrow("Connection closed");
  expect(await ask(sql).answer).toBe(42);
});

test("while a proxy refuses, the connections that there are stay; and it accepts on the same port again", async () => {
  await using proxy = await TcpProxy.start(server.port);
  await using old = clientOf(proxy);
  await using other = clientOf(proxy);
  await old`select 1`;
  proxy.refuse();
  await expect(ask(other).answer).rejects.toThrow("Failed to connect");
  expect(await ask(old).answer).toBe(42);
  await proxy.accept();
  expect(await ask(other).answer).toBe(42);
});

test("a stalled proxy passes nothing on, of old connections and of new ones, until it flows", async () => {
  await using proxy = await TcpProxy.start(server.port);
  await using old = clientOf(proxy);
  await using other = clientOf(proxy);
  await using witness = client();
  await old`select 1`;
  proxy.stall();
  const questions = [ask(old), ask(other)];
  await askOften(witness);
  expect(questions.map(({ hasEnded }) => hasEnded)).toEqual([false, false]);
  proxy.flow();
  expect(await Promise.all(questions.map(({ answer }) => answer))).toEqual([42, 42]);
});

test("of a half-open connection the server sees the end and the client nothing", async () => {
  await using proxy = await TcpProxy.start(server.port);
  await using sql = clientOf(proxy);
  await using witness = client();
  const [{ pid }] = await sql`select pg_backend_pid() as pid`;
  proxy.halfOpen();
  const question = ask(sql);
  await until(
    async () => (await witness`select from pg_stat_activity where pid = ${pid}`).length === 0,
    "the server to see the end",
  );
  await askOften(witness);
  expect(question.hasEnded).toBe(false);
  proxy.cut();
  await expect(question.answer).rejects.toThrow("Connection closed");
});

/** A client with one connection, which it makes when it has to. */
function client(url = server.url): Bun.SQL {
  return new Bun.SQL(url, { max: 1 });
}

function clientOf(proxy: TcpProxy): Bun.SQL {
  const url = new URL(server.url);
  url.port = `${proxy.port}`;
  return client(url.href);
}

/** A query under way, and whether it has ended yet. */
function ask(sql: Bun.SQL): { readonly answer: Promise<number>; readonly hasEnded: boolean } {
  const answer = sql`select 42 as n`.then(([row]) => row.n);
  const question = { answer, hasEnded: false };
  const end = () => {
    question.hasEnded = true;
  };
  answer.then(end, end);
  return question;
}

/** Takes as long as answers to questions do, many times over. */
async function askOften(sql: Bun.SQL): Promise<void> {
  for (let times = 0; times < 100; times += 1) await ask(sql).answer;
}
