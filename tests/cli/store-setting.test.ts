/** The store that `config-set store` names: a database for everyone who uses the data directory. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Home, printed } from "../support/home.ts";
import { dropSchema, freshSchema } from "../support/postgres.ts";

/** A home in files, beside a database that nobody has named yet. */
class Undecided implements AsyncDisposable {
  readonly home: Home;
  readonly #url: string;
  /** Without the password. */
  readonly store: string;
  readonly password: string;

  private constructor(url: string) {
    this.home = new Home();
    this.#url = url;
    const address = new URL(url);
    this.password = decodeURIComponent(address.password);
    address.password = "";
    this.store = address.href;
  }

  static async open(): Promise<Undecided> {
    return new Undecided(await freshSchema());
  }

  /** With the password where nobody else sees it. */
  static async decided(): Promise<Undecided> {
    const undecided = await Undecided.open();
    await undecided.home.obey("config-set", "store", undecided.store);
    undecided.home.write(".pgpass", `*:*:*:*:${undecided.password}\n`);
    await undecided.home.shell("chmod 0600 .pgpass");
    return undecided;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
    await dropSchema(this.#url);
  }
}

test.concurrent("config-set store puts the queue into a database, for every folder of the data directory, and back", async () => {
  await using stage = await Undecided.decided();
  const { home, store } = stage;
  mkdirSync(join(home.path, "sub"));
  expect(await home.run("config-get", "store")).toEqual(printed(`${store}\n`));
  expect(JSON.parse(await home.obey("config-get", "store", "--json"))).toEqual({ store });
  await home.runIn({ cwd: "sub" }, "enqueue", '{"id":"p1","command":"echo hi"}');
  expect(await home.jobs()).toMatchObject([{ id: "p1" }]);
  expect(home.read("db/data/queue.json")).not.toContain("p1");
  expect(await home.drain()).toMatchObject({ stderr: "", exitCode: 0 });
  expect(await home.run("logs", "p1")).toEqual(printed("hi\n"));

  expect(await home.run("config-set", "store", "files")).toEqual(printed("⚙️ Config updated: store = files\n"));
  expect(await home.run("config-get", "store")).toEqual(printed("files\n"));
  expect(await home.run("list")).toEqual(printed("[]\n"));
  expect(JSON.parse(await home.obey("config-set", "store", store, "--json"))).toEqual({ store });
  expect(await home.jobs()).toMatchObject([{ id: "p1", state: "completed" }]);
});

test.concurrent("settings live with the queue, and the one of the store stays beside those of the files", async () => {
  await using stage = await Undecided.open();
  const { home, store } = stage;
  await home.obey("config-set", "max_retries", "7");
  await home.obey("config-set", "store", store);
  const env = { PGPASSWORD: stage.password };
  expect(await home.runIn({ env }, "config-get", "max_retries")).toEqual(printed("3\n"));
  await home.runIn({ env }, "config-set", "max_retries", "5");
  await home.obey("config-set", "store", "files");
  expect(await home.run("config-get", "max_retries")).toEqual(printed("7\n"));
});

test.concurrent("jobs that stay behind in the files are told of, and found there again", async () => {
  await using stage = await Undecided.open();
  const { home, store } = stage;
  await home.enqueue({ id: "left", command: "true" });
  const ended = await home.run("config-set", "store", store);
  expect(ended).toEqual({
    stdout: `⚙️ Config updated: store = ${store}\n`,
    stderr: `Warning: 1 job stays in the files of ${home.data}; to go back to it: queuectl config-set store files\n`,
    exitCode: 0,
  });
  await home.obey("config-set", "store", "files");
  expect(await home.jobs()).toMatchObject([{ id: "left" }]);
});

test.concurrent("QUEUECTL_STORE stands over the stored one, --data-dir over both, and config-set says so", async () => {
  await using stage = await Undecided.open();
  const { home, store } = stage;
  const env = { QUEUECTL_STORE: "files" };
  expect((await home.runIn({ env }, "config-set", "store", store)).stderr).toBe(
    "Warning: QUEUECTL_STORE overrides it here: store is files.\n",
  );
  expect(await home.runIn({ env }, "config-get", "store")).toEqual(printed("files\n"));
  expect(await home.runIn({ env }, "config-get", "store", "--data-dir", "db/data")).toEqual(printed(`${store}\n`));
});

describe("a store is refused, and config.json left as it is, when it", () => {
  test.concurrent.each([
    ["holds a password", "postgres://me:hush@localhost/jobs"],
    ["holds a password among its parameters", "postgres://me@localhost/jobs?password=hush"],
  ])("%s", async (_, url) => {
    await using home = new Home();
    expect(await home.run("config-set", "store", url)).toEqual({
      stdout: "",
      stderr:
        "An address on the command line must not hold a password: others can see it there.\n" +
        "Put it into ~/.pgpass or PGPASSWORD, or the whole address into QUEUECTL_STORE.\n",
      exitCode: 2,
    });
    expect(home.read("db/data/config.json")).toBe("");
  });

  test.concurrent.each([
    ["is no address", "mysql://me:hush@localhost/jobs", 'got "localhost/jobs"'],
    ["is another word", "sqlite", 'got "sqlite"'],
    ["cannot be read", "postgres://[oops", "is not one like postgres://user@host:5432/database."],
    ["names an impossible schema", "postgres://localhost/jobs?schema=a-b", 'got "a-b"'],
  ])("%s", async (_, url, sentence) => {
    await using home = new Home();
    const { stderr, ...rest } = await home.run("config-set", "store", url);
    expect(rest).toEqual({ stdout: "", exitCode: 2 });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain("hush");
    expect(home.read("db/data/config.json")).toBe("");
  });
});

test.concurrent("a store in config.json that is no text is damage, which doctor --fix sets aside", async () => {
  await using home = new Home();
  await home.enqueue({ id: "p1", command: "true" });
  await home.obey("config-set", "max_retries", "5");
  home.write("db/data/config.json", '{"max_retries":5,"store":7}\n');
  expect(await home.run("list", "--json")).toMatchObject({ exitCode: 0 });
  expect(await home.run("config-get")).toMatchObject({
    stderr: expect.stringContaining("store must be an address, got 7."),
    exitCode: 7,
  });
  expect((await home.run("doctor")).stdout).toContain("store must be an address, got 7.");
  await home.obey("doctor", "--fix", "--yes");
  expect(await home.obey("config-get", "max_retries")).toBe("5\n");
});

test.concurrent("config-set --unset store goes back to files, and --show-origin tells what names the store", async () => {
  await using stage = await Undecided.decided();
  const { home, store } = stage;
  const origin = async (...args: string[]) => home.obey("config-get", "store", "--show-origin", ...args);
  expect(await origin()).toBe(`store = ${store} (${home.data}/config.json)\n`);
  expect(JSON.parse(await origin("--json")).store).toMatchObject({ value: store, origin: "stored" });
  const env = { QUEUECTL_STORE: "files" };
  expect((await home.runIn({ env }, "config-get", "store", "--show-origin")).stdout).toBe(
    "store = files (QUEUECTL_STORE)\n",
  );
  expect(await home.run("config-set", "--unset", "store")).toEqual(
    printed("⚙️ Config updated: store = files (default)\n"),
  );
  expect(await origin()).toBe("store = files (default)\n");
});

test.concurrent("workers in the background, and what their jobs enqueue from any folder, reach the same queue", async () => {
  await using stage = await Undecided.decided();
  const { home } = stage;
  expect((await home.run("worker-start", "--detach")).exitCode).toBe(0);
  const command = `cd / && queuectl enqueue '{"id":"child","command":"touch done"}'`;
  await home.enqueue({ id: "parent", command });
  const stop = await home.run("worker-stop");
  expect(stop).toMatchObject({ stdout: "Stopped 1 worker.\n", exitCode: 0 });
  expect((await home.drain()).exitCode).toBe(0);
  expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(["parent", "child"]);
});

test.concurrent("a password is told to no job, on no command line, in no log and in no message", async () => {
  await using stage = await Undecided.open();
  const { home, store, password } = stage;
  const secret = new URL(store);
  secret.password = password;
  const env = { QUEUECTL_STORE: secret.href };
  const run = (...args: string[]) => home.runIn({ env }, ...args);
  const look =
    "for pid in /proc/[0-9]*; do grep -qzF \"HOME=$HOME\" $pid/environ 2> /dev/null && tr '\\0' ' ' < $pid/cmdline; done";
  await run("enqueue", JSON.stringify({ id: "spy", command: `printenv; ${look}; exit 1`, max_retries: 0 }));
  const texts: string[] = [];
  const ended = [await run("worker-start", "--drain", "--count", "2"), await run("worker-start", "--detach")];
  ended.push(await run("status", "--json"), await run("show", "spy"), await run("logs", "spy"), await run("doctor"));
  ended.push(await run("config-get", "store"), await run("worker-stop"));
  for (const { stdout, stderr } of ended) texts.push(stdout, stderr);
  expect(texts.join("")).toContain(`QUEUECTL_STORE=${store}`);
  expect(texts.join("")).toContain("queuectl __worker");
  const files = readdirSync(home.data, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".log"));
  for (const name of files) texts.push(readFileSync(join(home.data, name), "utf8"));
  for (const text of texts) expect(text).not.toContain(`:${password}@`);
  for (const text of texts) expect(text).not.toMatch(new RegExp(`\\b${RegExp.escape(password)}\\b`));
});

test.concurrent("a .pgpass that others may read is refused", async () => {
  await using stage = await Undecided.decided();
  await stage.home.shell("chmod 0644 .pgpass");
  expect(await stage.home.run("list")).toEqual({
    stdout: "",
    stderr: `The password file ${stage.home.path}/.pgpass may be read by others.\nchmod 0600 ${stage.home.path}/.pgpass\n`,
    exitCode: 2,
  });
});
