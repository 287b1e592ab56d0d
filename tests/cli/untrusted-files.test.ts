/** What others could write is not used, and what queuectl makes, others cannot write. */
import { describe, expect, test } from "bun:test";
import { chownSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Home, printed } from "../support/home.ts";

const JOB = '{"id":"new","command":"true"}';
const IS_ROOT = process.geteuid?.() === 0;

test.each(["000", "022", "077"])("everything is for its owner alone under a umask of %s", async (umask) => {
  await using home = new Home();
  const shell = async (script: string) => {
    expect(await home.shell(`umask ${umask}; ${script}`)).toMatchObject({ exitCode: 0 });
  };
  await home.shell("mkfifo gate");
  await shell(`queuectl enqueue '{"id":"p1","command":"echo hi; echo ok > begun; cat gate"}'`);
  await shell("queuectl config-set max_retries 1");
  await shell(`echo broken | tee -a db/data/journal.*.jsonl; queuectl enqueue '${JOB}'`);
  await shell("queuectl worker-start --detach");
  await home.has("begun");
  const modes = modesIn(home.data);
  await home.shell("echo > gate; queuectl worker-stop");

  for (const kind of [
    /^queue\.json$/,
    /^dlq\.json$/,
    /^config\.json$/,
    /^journal\.\d+\.jsonl$/,
    /^logs\/p1-.*\.log$/,
    /^logs\/supervisor-\d+\.log$/,
    /^workers\/worker-\d+\.json$/,
    /^quarantine\/./,
  ]) {
    expect(modes).toContainEqual([expect.stringMatching(kind), "-rw-------"]);
  }
  for (const kind of [/^$/, /^logs$/, /^workers$/, /^quarantine$/, /^workers\/worker-\d+\.json\.lock$/]) {
    expect(modes).toContainEqual([expect.stringMatching(kind), "drwx------"]);
  }
  expect(modes.filter(([, mode]) => !/^(?:-rw|drwx)-+$/.test(mode))).toEqual([]);
});

type Use = readonly [path: string, uses: readonly (readonly string[])[]];
const USES: readonly Use[] = [
  ["queue.json", [["list"], ["enqueue", JOB], ["worker-start", "--drain"]]],
  ["dlq.json", [["dlq-list"], ["enqueue", JOB]]],
  ["config.json", [["config-get"], ["enqueue", JOB], ["config-set", "max_retries", "2"]]],
  ["journal.*.jsonl", [["list"], ["enqueue", JOB]]],
  ["workers", [["status"], ["enqueue", JOB], ["worker-stop"]]],
  [
    "logs",
    [
      ["logs", "p1"],
      ["show", "p1"],
      ["worker-start", "--detach"],
    ],
  ],
];

describe.each(USES)("%s", (pattern, uses) => {
  test.each(["g+w", "o+w"])("that has %s is refused, with what to do, and nothing is written", async (mode) => {
    await using home = await restingHome();
    const path = await onlyMatch(home, pattern);
    await home.shell(`chmod ${mode} "$1"`, path);
    const before = contentOf(home);
    const chmod = !pattern.includes(".") ? "chmod -R go-w" : "chmod go-w";
    const stderr = `${path} may be written by other users.\nThey could have commands run in your name. Take that right away: ${chmod} ${path}\n`;
    for (const use of uses) expect([use, await home.run(...use)]).toEqual([use, { stdout: "", stderr, exitCode: 7 }]);
    expect(contentOf(home)).toEqual(before);
    await home.shell(`${chmod} "$1"`, path);
    expect(await home.run("enqueue", JOB)).toMatchObject({ exitCode: 0 });
  });

  test("that is a symbolic link is refused, with where it leads, and nothing is written", async () => {
    await using home = await restingHome();
    const path = await onlyMatch(home, pattern);
    await home.shell('mv "$1" elsewhere; ln -s ../../elsewhere "$1"', path);
    const before = contentOf(home);
    const stderr = expect.stringContaining(`${path} is a symbolic link to ../../elsewhere.\nLinks out of a data`);
    for (const use of uses) expect([use, await home.run(...use)]).toEqual([use, { stdout: "", stderr, exitCode: 7 }]);
    expect(contentOf(home)).toEqual(before);
  });

  test.if(IS_ROOT)("that belongs to another user is refused", async () => {
    await using home = await restingHome();
    const path = await onlyMatch(home, pattern);
    chownSync(path, 12_345, 12_345);
    const stderr = expect.stringContaining(`${path} belongs to another user (uid 12345).\nThey could have`);
    for (const use of uses) expect([use, await home.run(...use)]).toEqual([use, { stdout: "", stderr, exitCode: 7 }]);
  });
});

test.each(["chmod 777 db/data/quarantine", "rmdir db/data/quarantine; mkdir q; ln -s ../../q db/data/quarantine"])(
  "a quarantine is refused after %s, before the change that needs it",
  async (script) => {
    await using home = await restingHome();
    await home.shell(`mkdir -m 700 db/data/quarantine; ${script}; echo broken | tee -a db/data/journal.*.jsonl`);
    const ended = await home.run("enqueue", JOB);
    expect(ended).toMatchObject({ stdout: "", stderr: expect.stringContaining("/quarantine "), exitCode: 7 });
    expect((await home.shell("ls db/data/quarantine")).stdout).toBe("");
  },
);

test("a config.json that is a link to nowhere is not taken for none", async () => {
  await using home = await restingHome();
  await home.shell("rm db/data/config.json; ln -s nowhere db/data/config.json");
  for (const use of [["config-get"], ["config-set", "max_retries", "2"]]) {
    expect(await home.run(...use)).toMatchObject({ stderr: expect.stringContaining("symbolic link"), exitCode: 7 });
  }
});

test.if(IS_ROOT)("a data directory of another user is refused, and one of root is not", async () => {
  await using home = await restingHome();
  chownSync(home.data, 12_345, 12_345);
  for (const use of [["list"], ["enqueue", JOB], ["worker-start", "--drain"]]) {
    expect(await home.run(...use)).toEqual({
      stdout: "",
      stderr: `The data directory ${home.data} belongs to another user (uid 12345).\nThey could have commands run in your name. Work as that user, or name a directory of your own: --data-dir <dir>\n`,
      exitCode: 7,
    });
  }
  chownSync(home.data, 0, 0);
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["p1"]);
});

test.each([
  "mv db/data elsewhere; ln -s ../elsewhere db/data",
  "mv db elsewhere; ln -s elsewhere db",
  "mkdir elsewhere; rm -r db; ln -s elsewhere db",
  "mkdir elsewhere; rm -r db/data; ln -s ../elsewhere db/data",
])("a db/data that is found but leads elsewhere is refused: %s", async (script) => {
  await using home = await restingHome();
  await home.shell(`mkdir below; ${script}`);
  const before = modesIn(home.path);
  for (const use of [["list"], ["enqueue", JOB]]) {
    const ended = await home.run(...use);
    expect(ended).toEqual({
      stdout: "",
      stderr: expect.stringMatching(
        /\/db(?:\/data)? leads to .*\/elsewhere(?:\/data)? by a symbolic link\.\n.*--data-dir/,
      ),
      exitCode: 7,
    });
  }
  expect(modesIn(home.path)).toEqual(before);
});

test("one command closes a data directory that a umask of 002 has left open, as that of the original tool may be", async () => {
  await using home = new Home();
  await home.seed([{ id: "p1", command: "echo hi" }]);
  home.write("db/data/dlq.json", '{"dlq":[]}');
  home.write("db/data/config.json", "{}");
  await home.shell("chmod -R g+w db");
  const { stderr } = await home.run("list");
  await home.shell(stderr.slice(stderr.indexOf("chmod")));
  expect((await home.drain()).exitCode).toBe(0);
});

test("a data directory may be named by a symbolic link", async () => {
  await using home = await restingHome();
  await home.shell("ln -s db/data link");
  await home.obey("enqueue", JOB, "--data-dir", "link");
  expect(await home.runIn({ env: { QUEUECTL_DATA_DIR: "link" } }, "config-get", "max_retries")).toEqual(printed("1\n"));
  expect((await home.jobs()).map(({ id }) => id)).toEqual(["p1", "new"]);
});

test("a presence that names another file as its own does not have it removed", async () => {
  await using home = await restingHome();
  home.write("victim.json", "precious");
  home.write("victim.json.lock/file", "precious");
  await home.shell("touch -t 200001010000 victim.json.lock");
  const presence = { id: "../../../victim", kind: "worker", pid: 1, start: "1", host: "elsewhere", pidns: "x" };
  home.write("db/data/workers/worker-1.json", JSON.stringify(presence));
  await home.obey("enqueue", JOB);
  expect((await home.drain()).exitCode).toBe(0);
  expect([home.read("victim.json"), home.read("victim.json.lock/file")]).toEqual(["precious", "precious"]);
});

test("a suggestion to type is safe to type", async () => {
  await using home = new Home();
  const id = "x'; touch typed; '";
  await home.enqueue({ id, command: "exit 1", max_retries: 0 });
  await home.drain();
  const { stderr } = await home.run("enqueue", JSON.stringify({ id, command: "true" }));
  await home.shell(stderr.slice(stderr.indexOf("queuectl dlq-retry")));
  expect(await home.jobs()).toMatchObject([{ id }]);
  expect((await home.shell("ls typed")).stdout).toBe("");
});

/** A home with a queue at rest that has run a job and holds a setting. */
async function restingHome(): Promise<Home> {
  const home = new Home();
  await home.enqueue({ id: "p1", command: "echo hi" });
  await home.drain();
  await home.obey("config-set", "max_retries", "1");
  return home;
}

async function onlyMatch(home: Home, pattern: string): Promise<string> {
  return (await home.shell(`echo "$PWD"/db/data/${pattern}`)).stdout.trim();
}

/** Of every file and directory, links to nowhere apart: its path and its mode as `ls -l` writes it. */
function modesIn(directory: string): [path: string, mode: string][] {
  return ["", ...readdirSync(directory, { recursive: true }).map(String)].flatMap((path) => {
    const stat = lstatSync(join(directory, path));
    if (stat.isSymbolicLink()) return [];
    const bits = Array.from("rwxrwxrwx", (letter, i) => (stat.mode & (0o400 >> i) ? letter : "-"));
    return [[path, (stat.isDirectory() ? "d" : "-") + bits.join("")]];
  });
}

function contentOf(home: Home): Record<string, string> {
  const names = readdirSync(home.data, { recursive: true }).map(String);
  const files = names.filter((name) => lstatSync(join(home.data, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(home.data, name), "hex")]));
}
