import { expect, test as testOnce } from "bun:test";
import { test } from "../support/both-stores.ts";
import { Home, printed } from "../support/home.ts";

const DEFAULTS = `max_retries = 3
backoff_base = 2
backoff_max = 86400
backoff_jitter = 0
worker_idle_delay = 2000
keep_completed = 10000
keep_logs = 30
log_max = 0
split_logs = false
kill_grace = 5000
shutdown_grace = 86400000
on_complete =
on_dead =
webhook_url =
webhook_secret =
`;

test("config-get prints all settings, and the bare value of one", async (home) => {
  expect(await home.run("config-get")).toEqual(printed(DEFAULTS));
  expect(await home.run("config-get", "max_retries")).toEqual(printed("3\n"));
});

testOnce("config-set stores a setting in config.json, says so, and leaves the others as they were", async () => {
  await using home = new Home();
  home.write("db/data/config.json", '{"max_retries":"5","of_a_later_version":true}');
  expect(await home.run("config-set", "backoff_base", "1.5")).toEqual(
    printed("⚙️ Config updated: backoff_base = 1.5\n"),
  );
  expect(JSON.parse(home.read("db/data/config.json"))).toEqual({
    max_retries: "5",
    of_a_later_version: true,
    backoff_base: 1.5,
  });
  expect(await home.run("config-get", "max_retries")).toEqual(printed("5\n"));
});

test("a variable stands over what is stored, and config-set says so", async (home) => {
  const env = { QUEUECTL_MAX_RETRIES: "9" };
  expect(await home.runIn({ env }, "config-set", "max_retries", "5")).toEqual({
    stdout: "⚙️ Config updated: max_retries = 5\n",
    stderr: "Warning: QUEUECTL_MAX_RETRIES overrides it here: max_retries is 9.\n",
    exitCode: 0,
  });
  expect(await home.runIn({ env }, "config-get", "max_retries")).toEqual(printed("9\n"));
  expect(await home.run("config-get", "max_retries")).toEqual(printed("5\n"));
});

test("config-set --unset goes back to the default, in the words of config-set, and says what overrides it", async (home) => {
  await home.obey("config-set", "max_retries", "5");
  await home.obey("config-set", "backoff_base", "4");
  expect(await home.run("config-set", "--unset", "max-retries")).toEqual(
    printed("⚙️ Config updated: max_retries = 3 (default)\n"),
  );
  expect(await home.run("config-get", "max_retries")).toEqual(printed("3\n"));
  expect(await home.run("config-get", "backoff_base")).toEqual(printed("4\n"));
  expect(await home.runIn({ env: { QUEUECTL_KILL_GRACE: "9" } }, "config-set", "kill_grace", "--unset")).toEqual({
    stdout: "⚙️ Config updated: kill_grace = 5000 (default)\n",
    stderr: "Warning: QUEUECTL_KILL_GRACE overrides it here: kill_grace is 9.\n",
    exitCode: 0,
  });
  expect(await home.run("config-set", "--unset", "backoff_base", "--json")).toEqual(printed('{"backoff_base":2}\n'));
  expect(await home.run("config-set", "--unset", "backoff_base", "3")).toMatchObject({
    stderr: '--unset takes no value, got "3".\n',
    exitCode: 2,
  });
});

test("config-get --show-origin tells where each value comes from: default, what is stored, a variable", async (home) => {
  const env = { QUEUECTL_KILL_GRACE: "9" };
  const place = home.shownUrl ?? `${home.data}/config.json`;
  const store = home.shownUrl ?? "files";
  await home.obey("config-set", "max_retries", "3");
  const { stdout } = await home.runIn({ env }, "config-get", "--show-origin");
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^max_retries = 3 \(/),
    "backoff_base = 2 (default)",
    "backoff_max = 86400 (default)",
    "backoff_jitter = 0 (default)",
    "worker_idle_delay = 2000 (default)",
    "keep_completed = 10000 (default)",
    "keep_logs = 30 (default)",
    "log_max = 0 (default)",
    "split_logs = false (default)",
    "kill_grace = 9 (QUEUECTL_KILL_GRACE)",
    "shutdown_grace = 86400000 (default)",
    "on_complete = (default)",
    "on_dead = (default)",
    "webhook_url = (default)",
    "webhook_secret = (default)",
    home.shownUrl === undefined ? "store = files (default)" : `store = ${store} (QUEUECTL_STORE)`,
    "",
  ]);
  expect(stdout).toContain(`max_retries = 3 (${place})`);
  expect(await home.run("config-get", "--show-origin", "backoff-max")).toEqual(
    printed("backoff_max = 86400 (default)\n"),
  );
  expect(JSON.parse(await home.obey("config-get", "--show-origin", "--json"))).toMatchObject({
    max_retries: { value: 3, origin: "stored", where: place },
    kill_grace: { value: 5000, origin: "default", where: null },
    store: { value: store, origin: home.shownUrl === undefined ? "default" : "environment" },
  });
  expect(await home.showOnTerminal("config-get", "--show-origin")).toMatch(/^KEY +VALUE +ORIGIN\nmax_retries +3 +\S/);
});

testOnce("config-set --unset mends a value that cannot be read, and keeps what a later version stored", async () => {
  await using home = new Home();
  home.write("db/data/config.json", '{"max_retries":"abc","of_a_later_version":true}');
  expect((await home.run("config-get")).exitCode).toBe(7);
  await home.obey("config-set", "--unset", "max_retries");
  expect(JSON.parse(home.read("db/data/config.json"))).toEqual({ of_a_later_version: true });
});

testOnce("settings that cannot be read are put right one after the other", async () => {
  await using home = new Home();
  await home.enqueue({ id: "p1", command: "true" });
  await home.shell(`umask 077; echo '{"max_retries":"abc","backoff_base":5000}' > db/data/config.json`);
  expect(await home.run("config-set", "max_retries", "2")).toEqual(printed("⚙️ Config updated: max_retries = 2\n"));
  expect((await home.run("config-get")).exitCode).toBe(7);
  expect(await home.run("config-set", "--unset", "backoff_base")).toMatchObject({ stderr: "", exitCode: 0 });
  expect(JSON.parse(home.read("db/data/config.json"))).toEqual({ max_retries: 2 });
});

test("many settings changed at once are all kept", async (home) => {
  await Promise.all([
    home.obey("config-set", "max_retries", "1"),
    home.obey("config-set", "backoff_base", "1"),
    home.obey("config-set", "backoff_max", "1"),
    home.obey("config-set", "backoff_jitter", "1"),
    home.obey("config-set", "kill_grace", "1"),
    home.obey("config-set", "shutdown_grace", "1"),
  ]);
  const changed = JSON.parse(await home.obey("config-get", "--json"));
  expect(changed).toEqual({
    ...{ max_retries: 1, backoff_base: 1, backoff_max: 1, backoff_jitter: 1, kill_grace: 1, shutdown_grace: 1 },
    ...{ worker_idle_delay: 2000, keep_completed: 10_000, keep_logs: 30, log_max: 0, split_logs: false },
    ...{ on_complete: "", on_dead: "", webhook_url: "", webhook_secret: "" },
  });
});

test("a running worker follows config-set", async (home) => {
  const worker = home.start("worker-start");
  await home.enqueue({ id: "before", command: "false" });
  await worker.says("before failed attempt 1 → retry in 2s");
  await home.obey("config-set", "backoff_base", "50");
  await home.enqueue({ id: "after", command: "false" });
  await worker.says("after failed attempt 1 → retry in 50s");
});
