/** Whole queues on their way from one store to another, and what must not get into one. */
import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { HOSTILE_IDS } from "../store/contract/enqueue.ts";
import { type Circumstances, Home, printed } from "../support/home.ts";
import { dropSchema, freshSchema } from "../support/postgres.ts";

const schemas: string[] = [];
afterAll(async () => {
  for (const url of schemas) await dropSchema(url);
});

async function database(): Promise<Circumstances> {
  const url = await freshSchema();
  schemas.push(url);
  return { env: { QUEUECTL_STORE: url } };
}

const elsewhere: Circumstances = { env: { QUEUECTL_DATA_DIR: "elsewhere" } };
const HEADER = '{"queuectl_export":1}';

/** A queue with jobs in every state, made by real workers where that is quick. */
async function furnish(home: Home): Promise<void> {
  const lines = HOSTILE_IDS.map((id, n) =>
    JSON.stringify({ id, command: `echo ${n} '\t\\N "é🔁'`, priority: (n % 3) - 1 }),
  );
  home.write("done.jsonl", `${["first", "second", "third"].map(job).join("\n")}\n`);
  home.write("jobs.jsonl", `${lines.join("\n")}\n`);
  await home.obey("config-set", "backoff_base", "1000");
  await home.obey("config-set", "max_retries", "0");
  await home.obey("enqueue", "--file", "done.jsonl");
  await home.enqueue({ id: "dead 1", command: "echo it broke; false" }, { id: "dead 2", command: "kill -9 $$" });
  await home.drain();
  await home.obey("prune", "--keep", "1");
  await home.enqueue(
    { id: "retried", command: "false", max_retries: 9 },
    { id: "later", command: "true", run_at: "2099-01-31" },
  );
  const worker = home.start("worker-start");
  await worker.says("retried failed attempt 1");
  await home.obey("worker-stop");
  await home.obey("enqueue", "--file", "jobs.jsonl");
}

function job(id: string): string {
  return JSON.stringify({ id, command: `echo ${id}` });
}

/** What export prints, which must go well and without a word. */
async function exported(home: Home, where: Circumstances = {}): Promise<string> {
  const { stdout, stderr, exitCode } = await home.runIn(where, "export");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return stdout;
}

/** A stream of these lines as export would have ended it. */
function stream(...lines: object[]): string {
  const body = [HEADER, ...lines.map((line) => JSON.stringify(line))].map((line) => `${line}\n`).join("");
  const tally = { settings: 0, jobs: 0, dead_letters: 0, archived: 0 };
  for (const line of lines) {
    if ("job" in line) tally.jobs += 1;
    if ("setting" in line) tally.settings += 1;
    if ("dead_letter" in line) tally.dead_letters += 1;
    if ("archived" in line) tally.archived += 1;
  }
  return `${body}${JSON.stringify({ end: { ...tally, sum: createHash("sha256").update(body).digest("hex") } })}\n`;
}

function pending(id: string, more: object = {}): { job: object } {
  const times = { run_at: 5, attempts: 0, max_retries: 3, created_at: 5, updated_at: 5 };
  return { job: { id, command: "true", state: "pending", ...times, ...more } };
}

describe("a queue with jobs in every state", () => {
  test("goes from files to PostgreSQL and back as the same bytes", async () => {
    await using home = new Home();
    await furnish(home);
    const before = await exported(home);
    home.write("queue.jsonl", before);
    for (const kind of ["setting", "job", "dead_letter", "archived", "end"]) expect(before).toContain(`\n{"${kind}":`);
    for (const state of ["pending", "completed"]) expect(before).toContain(`"state":"${state}"`);
    expect(before).toContain('"last_error":"exit 1"');
    const target = await database();
    const imported = `Imported ${3 + HOSTILE_IDS.length} jobs, 2 dead letters, 2 archived jobs and 2 settings.\n`;
    expect(await home.runIn(target, "import", "queue.jsonl")).toEqual(printed(imported));
    expect(await exported(home, target)).toBe(before);
    expect((await home.runIn(target, "status")).stdout).toBe(await home.obey("status"));
    home.write("back.jsonl", await exported(home, target));
    expect(await home.runIn(elsewhere, "import", "back.jsonl")).toEqual(printed(imported));
    expect(await exported(home, elsewhere)).toBe(before);
    for (const command of ["list", "dlq-list", "config-get"]) {
      expect((await home.runIn(elsewhere, command)).stdout).toBe(await home.obey(command));
    }
  }, 60_000);

  test("goes from files to files, where a worker goes on with it", async () => {
    await using home = new Home();
    await furnish(home);
    const before = await exported(home);
    expect(await home.shell("queuectl export | queuectl --data-dir elsewhere import -")).toMatchObject({
      stderr: "",
      exitCode: 0,
    });
    expect(await exported(home, elsewhere)).toBe(before);
    await home.runIn(elsewhere, "dlq-retry", "dead 1");
    const worker = home.startIn(elsewhere, "worker-start");
    await worker.says("Completed job: __proto__\n");
    await worker.says("dead 1 moved to DLQ");
    expect(await exported(home)).toBe(before);
  }, 60_000);

  test("can be told by other tools, too", async () => {
    await using home = new Home();
    await furnish(home);
    const { stdout } = await home.shell("queuectl export > x && head -n -1 x | sha256sum && tail -n 1 x");
    const [sum = ""] = stdout.split(" ");
    expect(stdout).toContain(`"sum":"${sum}"}}`);
  }, 60_000);
});

describe("a job that is being processed", () => {
  test("goes as it is, with a warning, and is run again where it comes to", async () => {
    await using home = new Home();
    await home.enqueue({
      id: "long",
      command: "echo $QUEUECTL_ATTEMPT >> ran; [ -e go ] || sleep 100",
      max_retries: 1,
    });
    await home.obey("config-set", "backoff_base", "0");
    const worker = home.start("worker-start");
    await home.has("ran");
    const { stdout, stderr, exitCode } = await home.run("export");
    expect({ stderr, exitCode }).toEqual({
      stderr: "Warning: 1 job was being processed. Moved, they run again; stop the workers first.\n",
      exitCode: 0,
    });
    expect(stdout).not.toContain("lease");
    home.write("queue.jsonl", stdout);
    home.write("go", "");
    const target = await database();
    const imported = await home.runIn(target, "import", "queue.jsonl");
    expect(imported.stderr).toStartWith("Warning: 1 job of the export was being processed. Here nobody is at it");
    expect((await home.runIn(target, "export")).stdout).toBe(stdout);
    const { stdout: log } = await home.runIn(target, "worker-start", "--drain");
    expect(log).toContain("took back job long");
    expect(home.lines("ran")).toEqual(["1", "2"]);
    worker.kill("SIGKILL");
  }, 60_000);
});

describe("an import", () => {
  test.each(["files", "PostgreSQL"])(
    "is refused into %s that hold jobs, unless it is merged",
    async (kind) => {
      await using home = new Home();
      const target = kind === "files" ? elsewhere : await database();
      home.write("queue.jsonl", stream({ setting: { key: "max_retries", value: 9 } }, pending("a"), pending("b")));
      await home.runIn(target, "config-set", "max_retries", "1");
      await home.runIn(target, "enqueue", '{"id":"a","command":"echo mine"}');
      const before = await exported(home, target);
      const { stdout, stderr, exitCode } = await home.runIn(target, "import", "queue.jsonl");
      expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
      expect(stderr).toMatch(/^There is a job in .* already.\nTo add to it what is not there yet: --merge\n$/);
      expect(await exported(home, target)).toBe(before);
      const merged = { settings: 0, jobs: 1, dead_letters: 0, archived: 0 };
      const left = { settings: 1, jobs: 1, dead_letters: 0, archived: 0 };
      const result = await home.runIn(target, "import", "queue.jsonl", "--merge", "--json");
      expect(JSON.parse(result.stdout)).toEqual({ imported: merged, skipped: left, sum: expect.any(String) });
      expect((await home.runIn(target, "config-get", "max_retries")).stdout).toBe("1\n");
      expect(await home.runIn(target, "import", "queue.jsonl", "--merge")).toEqual(
        printed(
          "Imported 0 jobs, 0 dead letters, 0 archived jobs and 0 settings.\n" +
            "Left out what is there already: 2 jobs, 0 dead letters, 0 archived jobs and 1 setting.\n",
        ),
      );
    },
    60_000,
  );

  test("into a queue whose workers wait for it is one that they go on with", async () => {
    await using home = new Home();
    const worker = home.start("worker-start");
    await worker.says("Worker 1 started");
    home.write("queue.jsonl", stream(...Array.from({ length: 200 }, (_, n) => pending(`job ${n}`))));
    const { stdout, stderr, exitCode } = await home.run("import", "queue.jsonl");
    expect({ stdout, exitCode }).toEqual({
      stdout: "Imported 200 jobs, 0 dead letters, 0 archived jobs and 0 settings.\n",
      exitCode: 0,
    });
    expect(["", "Workers are at work already: what is there now could not be compared with the export.\n"]).toContain(
      stderr,
    );
    await worker.says("Job succeeded: job 199");
  }, 60_000);

  test("of settings alone, and into a queue that has only settings, is no matter", async () => {
    await using home = new Home();
    home.write("queue.jsonl", stream({ setting: { key: "max_retries", value: 9 } }, pending("a")));
    await home.obey("config-set", "max_retries", "1");
    await home.obey("import", "queue.jsonl");
    expect(await home.obey("config-get", "max_retries")).toBe("9\n");
  });

  test("through a pipe leaves no file behind", async () => {
    await using home = new Home();
    home.write("queue.jsonl", stream(pending("a")));
    home.write("tmp/.keep", "");
    const { exitCode } = await home.shell("cat queue.jsonl | TMPDIR=$HOME/tmp queuectl import -");
    expect(exitCode).toBe(0);
    expect(readdirSync(join(home.path, "tmp"))).toEqual([".keep"]);
    expect(await home.obey("list", "--json")).toContain('"id": "a"');
    const nowhere = await home.shell("cat queue.jsonl | TMPDIR=$HOME/nowhere queuectl import - --merge");
    expect(nowhere.exitCode).toBe(1);
    expect(nowhere.stderr).toContain("TMPDIR names another place.");
  });

  const sound = stream({ setting: { key: "max_retries", value: 9 } }, pending("a"), pending("b"));
  const at = (n: number): string => sound.split("\n").slice(0, n).join("\n");
  const REFUSED: Record<string, [text: string, sentence: string]> = {
    "that is empty": ["", "This is not what queuectl export writes"],
    "of another kind": ["root:x:0:0\n", "This is not what queuectl export writes"],
    "of jobs for enqueue": ['{"command":"true"}\n', "This is not what queuectl export writes"],
    "of bytes": ["\u0000\u0001\ud800", "This is not what queuectl export writes"],
    "of a newer version": [
      '{"queuectl_export":2}\n',
      "The export has form 2; this queuectl knows 1.\nIt was made by a newer",
    ],
    "that was cut at a line": [`${at(3)}\n`, "The export was cut: it ends at line 3, without its last line."],
    "that was cut in a line": [at(4).slice(0, -9), "The export was cut: it ends at line 4, without its last line."],
    "that was cut in the last line": [sound.slice(0, -9), "The export was cut: it ends at line 5"],
    "with a changed command": [sound.replace("true", "trve"), "The export was changed since it was made: its checksum"],
    "without one of its lines": [sound.replace(/.*"id":"a".*\n/, ""), "it holds {"],
    "with two lines swapped": [sound.replace(/(.*"a".*\n)(.*"b".*\n)/, "$2$1"), "its checksum does not match"],
    "with something behind it": [`${sound}${sound}`, "Line 6 cannot be imported: it stands behind the last line"],
    "with a line of rubbish": [
      `${at(2)}\nrubbish\n`,
      'Line 3 cannot be imported: it is not the JSON of an export: "rubbish".',
    ],
    "of unknown things": [stream({ constructor: {} }), "Line 2 cannot be imported: it is of a kind that this version"],
    "with an unknown setting": [
      stream({ setting: { key: "x", value: 1 } }),
      "it is no setting that this version knows",
    ],
    "with a setting out of range": [
      stream({ setting: { key: "max_retries", value: -1 } }),
      "from 0 to 1000000, got -1",
    ],
    "with half a job": [stream(pending("a", { attempts: -1 })), "Line 2 cannot be imported: it is not a whole job."],
    "with a field nobody knows": [
      stream(pending("a", { colour: 1 })),
      'a field that this version does not know: "colour"',
    ],
    "with a NUL": [stream(pending("a", { command: "a\0b" })), 'a NUL character or broken Unicode in "command"'],
    "with an id twice": [
      stream(pending("a"), pending("a")),
      'Line 3 cannot be imported: the id "a" stands on an earlier line',
    ],
    "in another order": [stream(pending("a"), { setting: { key: "max_retries", value: 1 } }), "it is not in its place"],
    "with an archived job that waits": [stream({ archived: pending("a").job }), "it is not a whole completed job"],
  };

  test.each(Object.entries(REFUSED))("of a file %s is refused, and leaves nothing", async (_, [text, sentence]) => {
    await using home = new Home();
    home.write("queue.jsonl", text);
    const { stdout, stderr, exitCode } = await home.run("import", "queue.jsonl", "--data-dir", "db/data");
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr).toContain(sentence);
    expect(existsSync(home.data)).toBe(false);
  });

  test("of any export with a flipped bit is refused", async () => {
    await using home = new Home();
    const bytes = Buffer.from(sound);
    const outcomes = new Set<unknown>();
    for (let at = 3; at < bytes.length; at += 17) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      home.write("queue.jsonl", flipped.toString("latin1"));
      await Bun.write(join(home.path, "queue.jsonl"), flipped);
      outcomes.add((await home.run("import", "queue.jsonl")).exitCode);
    }
    expect([...outcomes]).toEqual([1]);
    expect(existsSync(home.data)).toBe(false);
  }, 60_000);

  test("takes a file that came through Windows", async () => {
    await using home = new Home();
    home.write("queue.jsonl", `\ufeff${sound.replaceAll("\n", "\r\n")}`);
    await home.obey("import", "queue.jsonl");
    expect(await exported(home)).toBe(sound);
  });

  test("of a file that is not there is a usage error", async () => {
    await using home = new Home();
    const { stderr, exitCode } = await home.run("import", "nope.jsonl");
    expect({ stderr, exitCode }).toEqual({ stderr: "Cannot read nope.jsonl: no such file (ENOENT).\n", exitCode: 2 });
    expect((await home.run("import")).exitCode).toBe(2);
  });
});

describe("an export", () => {
  test("into a file says what it holds, and is for this user alone", async () => {
    await using home = new Home();
    await home.enqueue({ id: "a", command: "true" });
    home.write("queue.jsonl", "something older, and longer than the export ".repeat(50));
    expect(await home.run("export", "--output", "queue.jsonl")).toEqual(
      printed("Exported 1 job, 0 dead letters, 0 archived jobs and 0 settings to queue.jsonl.\n"),
    );
    expect(home.read("queue.jsonl")).toBe(await exported(home));
    expect(statSync(join(home.path, "queue.jsonl")).mode & 0o777).toBe(0o600);
    const { stdout } = await home.run("export", "--json", "--output", "again.jsonl");
    expect(JSON.parse(stdout)).toMatchObject({ exported: { jobs: 1, settings: 0 }, path: "again.jsonl" });
    expect(readFileSync(join(home.path, "again.jsonl"))).toEqual(readFileSync(join(home.path, "queue.jsonl")));
    const { stdout: piped } = await home.shell("queuectl export --output /dev/stdout | cat");
    expect(piped).toStartWith(await exported(home));
  });

  test("that fails leaves the file as it was", async () => {
    await using home = new Home();
    home.write("queue.jsonl", "older");
    home.write("db/data/queue.json", "rubbish");
    expect((await home.run("export", "--output", "queue.jsonl")).exitCode).toBe(7);
    expect(home.read("queue.jsonl")).toBe("older");
    expect(readdirSync(home.path).filter((name) => name.includes("tmp"))).toEqual([]);
    expect(await home.run("export", "--output", "no/where.jsonl")).toMatchObject({ exitCode: 7 });
  });

  test("of no queue is one with nothing in it, and makes none", async () => {
    await using home = new Home();
    expect(await exported(home)).toBe(stream());
    expect(existsSync(home.data)).toBe(false);
  });

  test("ends quietly when nobody reads on", async () => {
    await using home = new Home();
    await home.enqueue({ id: "a", command: `echo ${"x".repeat(100_000)}` }, { id: "b", command: "true" });
    expect(await home.shell("queuectl export | head -n 1")).toEqual(printed(`${HEADER}\n`));
  });

  test("of a directory of the original tool can be kept by every store", async () => {
    await using home = new Home();
    home.seed([{ id: "a", command: "echo a" }]);
    const broken = { id: "d", command: "x", error: "a\0b", attempts: 4 };
    home.write("db/data/dlq.json", JSON.stringify({ dlq: [broken] }));
    const before = await exported(home);
    expect(before).toContain('"error":"a\ufffdb"');
    home.write("queue.jsonl", before);
    const target = await database();
    expect((await home.runIn(target, "import", "queue.jsonl")).exitCode).toBe(0);
    expect(await exported(home, target)).toBe(before);
  }, 60_000);
});
