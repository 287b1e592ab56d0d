/** Jobs as people give them: as a command after `--`, or as a line of shell after `-c`, with options. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "../support/both-stores.ts";
import { type Home, printed } from "../support/home.ts";

const ID = /^[a-z0-9]{10}\n$/;

/** A program that writes down its name and the words that it gets, each ended by a NUL. */
function writeProgram(home: Home, path: string): void {
  home.write(path, '#!/bin/sh\nfor word in "$0" "$@"; do printf "%s\\0" "$word"; done > "$HOME/words"\n');
  chmodSync(join(home.path, path), 0o700);
}

describe("a command after --", () => {
  const words = [
    "a b",
    "it's",
    'say "hi"',
    "$(touch made)",
    "`touch made`",
    "$HOME",
    "*",
    "?[a-z]",
    "~",
    "new\nline\n",
    "\ttab",
    "",
    "-x",
    "--json",
    "--",
    "--id=y",
    "back\\slash\\",
    ";&|<>(){}!#",
    "%s",
    "A=b",
    "ü🔁",
    "\u001b[31m",
  ];

  test("gives the program exactly its words", async (home) => {
    writeProgram(home, "bin/my program");
    await home.obey("enqueue", "--id", "x", "--", "bin/my program", ...words);
    expect(await home.drain()).toMatchObject({ stderr: "", exitCode: 0 });
    expect(home.read("words").split("\0")).toEqual(["bin/my program", ...words, ""]);
    expect((await home.shell("ls")).stdout).not.toContain("made");
  });

  test("is a program also where the shell would read something else", async (home) => {
    const names = ["A=1", "if", "-x", "{", "it's"];
    for (const name of names) {
      writeProgram(home, `bin/${name}`);
      await home.obey("enqueue", "--id", name, "--env", `PATH=${home.path}/bin:/usr/bin:/bin`, "--", name, "x");
    }
    expect(await home.drain()).toMatchObject({ stderr: "", exitCode: 0 });
    expect((await home.jobs("--state", "completed")).map(({ id }) => id)).toEqual(names);
  });

  test("is recorded as a line that reads as it was written", async (home) => {
    await home.obey("enqueue", "--", "ffmpeg", "-i", "a b", "out.mp4");
    await home.obey("enqueue", "--", "make", "-j4", "CC=gcc", "all");
    expect((await home.jobs()).map(({ command }) => command)).toEqual([
      "ffmpeg -i 'a b' out.mp4",
      "make -j4 CC=gcc all",
    ]);
  });
});

test("a line of shell after -c is run as it is", async (home) => {
  home.write("made", "");
  await home.obey("enqueue", "-c", 'ls m* && echo "$(printf %s two)"; false || echo three');
  await home.obey("enqueue", "--command=echo '  '", "--id", "spaces");
  await home.obey("enqueue", "-c", "-dash || echo no option", "--id", "dash");
  expect(await home.drain()).toMatchObject({ exitCode: 0 });
  const [{ id = "" } = {}] = await home.jobs();
  expect(await home.obey("logs", id)).toBe("made\ntwo\nthree\n");
  expect(await home.obey("logs", "spaces")).toBe("  \n");
  expect(await home.obey("logs", "dash")).toContain("-dash: not found\nno option\n");
});

describe("what is printed", () => {
  test("is into a pipe only the id, so that a script can use it", async (home) => {
    for (const args of [
      ["--", "true"],
      ["-c", "true"],
    ]) {
      expect(await home.run("enqueue", ...args)).toEqual(printed(expect.stringMatching(ID)));
    }
    const script =
      'id=$(queuectl enqueue --id "$1" -- echo hi) && queuectl show -- "$id" | head -n 1 && printf %s "$id"';
    const shown = await home.shell(script, "a b\u202e");
    expect(shown).toEqual(printed("id: a b\\u202e\na b\u202e"));
  });

  test("is the id also of a job that is left out, because it is there", async (home) => {
    for (let time = 1; time <= 2; time++) {
      expect(await home.run("enqueue", "--id", "x", "--skip-existing", "--", "make")).toEqual(printed("x\n"));
    }
    expect(await home.run("enqueue", "--id", "x", "--", "make")).toMatchObject({ stdout: "", exitCode: 4 });
    expect(await home.jobs()).toMatchObject([{ id: "x", command: "make" }]);
  });

  test("is a sentence on a terminal, and a document with --json", async (home) => {
    expect(await home.showOnTerminal("enqueue", "--id", "x", "--", "make")).toBe("Job enqueued with ID: x\n");
    expect(await home.showOnTerminal("enqueue", "--id", "x", "--skip-existing", "-c", "make")).toBe(
      "Job x exists already: skipped.\n",
    );
    const { job } = JSON.parse(await home.obey("enqueue", "--id", "y", "--json", "--", "make", "--json"));
    expect(job).toEqual(await home.entry("y"));
    expect(job).toMatchObject({ id: "y", command: "make --json", state: "pending" });
  });

  test("is for a job in JSON the original's sentence everywhere", async (home) => {
    expect(await home.run("enqueue", '{"id":"x","command":"make"}', "--priority", "1")).toEqual(
      printed("Job enqueued with ID: x\n"),
    );
  });
});

describe("an option", () => {
  test("is a field of the job", async (home) => {
    const options =
      "--id x --at 2100-01-01T00:00:00Z --priority -5 --queue deploy --batch nightly --max-retries 0 --timeout 10m --expires-in 1h " +
      "--retry-on 75,124,signal --retry-on timeout --no-retry-on 64";
    await home.obey("enqueue", ...options.split(" "), "--env", "A=1=2", "--env", "B=", "--cwd", "/tmp", "--", "make");
    const { created_at, updated_at, ...job } = await home.entry("x").then((entry) => ({ updated_at: 0, ...entry }));
    expect(updated_at).toBe(created_at);
    expect(job).toEqual({
      id: "x",
      command: "make",
      state: "pending",
      run_at: Date.UTC(2100, 0, 1),
      attempts: 0,
      max_retries: 0,
      priority: -5,
      queue: "deploy",
      batch: "nightly",
      cwd: "/tmp",
      env: { A: "1=2", B: "" },
      timeout: 600_000,
      expires_at: created_at + 3_600_000,
      retry_on: [75, 124, "signal", "timeout"],
      no_retry_on: [64],
    });
  });

  test("for the queue and for what it waits for is a field of the job, too", async (home) => {
    await home.obey("enqueue", "--id", "a,b", "--", "true");
    await home.obey("enqueue", "--id", "c", "--", "true");
    const id = await home.obey("enqueue", "--queue", "deploy", "--after", "a,b", "--after", "c", "--", "true");
    expect(await home.entry(id.trim())).toMatchObject({ queue: "deploy", after: ["a,b", "c"] });
    const plain = await home.obey("enqueue", "--queue", "default", "--", "true");
    expect(await home.entry(plain.trim())).not.toHaveProperty("queue");
  });

  test("for a delay counts from now", async (home) => {
    await home.obey("enqueue", "--delay", "2h30m", "--", "make");
    const [job] = await home.jobs();
    expect(job && job.run_at - job.created_at).toBe(9_000_000);
  });

  test("for the directory starts from where one stands, which is what is recorded without it", async (home) => {
    mkdirSync(join(home.path, "a b", "sub"), { recursive: true });
    await home.obey("status");
    const there = { cwd: "a b", env: { QUEUECTL_DATA_DIR: home.data } };
    const ways = [[], ["--cwd", "sub"], ["--cwd", ".."], ["--cwd=/"], ["--cwd", "./sub/../sub/"]];
    for (const way of ways) await home.runIn(there, "enqueue", ...way, "--", "pwd");
    await home.runIn(there, "enqueue", "-c", "pwd");
    await home.runIn(there, "enqueue", '{"command":"pwd"}');
    await home.runIn(there, "enqueue", '{"command":"pwd"}', "--cwd", "sub");
    const places = [`${home.path}/a b`, `${home.path}/a b/sub`, home.path, "/", `${home.path}/a b/sub`];
    const jobs = await home.jobs();
    const wanted = [...places, `${home.path}/a b`, undefined, `${home.path}/a b/sub`];
    expect(jobs.map(({ cwd }) => cwd)).toEqual(wanted as string[]);
    await home.drain();
    const said = await Promise.all(jobs.map(({ id }) => home.obey("logs", id)));
    expect(said).toEqual(wanted.map((path) => `${path ?? home.path}\n`));
  });

  test("for a variable sets it, or copies it by name and nothing else", async (home) => {
    const env = { COPIED: "as it is\nhere $HOME", ALSO_HERE: "secret" };
    const options = ["--env", "COPIED", "--env", "SET=a b", "--env", "SET=the last one", "--env", "EMPTY="];
    const command = ["printf", "%s", "$COPIED|"];
    await home.runIn({ env }, "enqueue", "--id", "x", ...options, "--", ...command);
    await home.runIn(
      { env },
      "enqueue",
      "--id",
      "y",
      ...options,
      "-c",
      'printf "$COPIED|$SET|$(env | grep ^EMPTY)|$ALSO_HERE"',
    );
    expect(await home.jobs()).toMatchObject([
      { env: { COPIED: env.COPIED, SET: "the last one", EMPTY: "" } },
      { env: { COPIED: env.COPIED, SET: "the last one", EMPTY: "" } },
    ]);
    await home.drain();
    expect(await home.obey("logs", "x")).toBe("$COPIED|");
    expect(await home.obey("logs", "y")).toBe("as it is\nhere $HOME|the last one|EMPTY=|");
  });
});

describe("options beside jobs in JSON", () => {
  test("hold where a job says nothing itself", async (home) => {
    home.write("jobs.jsonl", '{"command":"a"}\n{"command":"b","priority":0,"max_retries":9,"env":{"A":"own"}}\n');
    const options = ["--priority", "5", "--max-retries", "1", "--env", "A=1", "--env", "B=2"];
    await home.obey("enqueue", "--file", "jobs.jsonl", ...options);
    await home.shell(`queuectl enqueue ${options.join(" ")} - < jobs.jsonl`);
    await home.obey("enqueue", '{"command":"c"}', "--id", "c", ...options);
    const first = { command: "a", priority: 5, max_retries: 1, env: { A: "1", B: "2" } };
    const second = { command: "b", max_retries: 9, env: { A: "own", B: "2" } };
    expect(await home.jobs()).toMatchObject([first, second, first, second, { ...first, id: "c", command: "c" }]);
    expect((await home.jobs())[1]?.priority).toBeUndefined();
  });

  test("are named again where it is said how to go on", async (home) => {
    home.write("jobs.jsonl", '{"command":"a"}\n{"command":"b"}\noops\n');
    const ended = await home.run("enqueue", "--file", "jobs.jsonl", "--priority", "5", "--env", "A=b c", "--env", "D=");
    expect(ended).toEqual({
      stdout: "",
      stderr:
        'Line 3: Invalid job data: not valid JSON: "oops".\n2 jobs were enqueued, up to line 2. To go on: ' +
        "tail -n +3 jobs.jsonl | queuectl enqueue - --priority=5 '--env=A=b c' --env=D=\n",
      exitCode: 2,
    });
    home.write("jobs.jsonl", '{"command":"c"}');
    const [, again = ""] = ended.stderr.split("To go on: ");
    expect(await home.shell(again.replace("+3", "+1"))).toEqual(printed("1 job enqueued.\n"));
    expect((await home.jobs()).at(-1)).toMatchObject({ command: "c", priority: 5, env: { A: "b c", D: "" } });
  });
});

test("what is not UTF-8 is refused, for it would be another command", async (home) => {
  const bytes = "$(printf 'a\\377b')";
  for (const args of [`-- cat "${bytes}"`, `-c "cat ${bytes}"`, `--cwd "${bytes}" -- x`, `--env A="${bytes}" -- x`]) {
    expect(await home.shell(`queuectl enqueue ${args}`)).toEqual({
      stdout: "",
      stderr: expect.stringMatching(/^Cannot pass on ".*a\ufffdb": it is not valid UTF-8\.\n/),
      exitCode: 2,
    });
  }
  expect((await home.shell(`A="${bytes}" queuectl enqueue --env A -- x`)).exitCode).toBe(2);
  expect(await home.jobs()).toEqual([]);
});

test("what no system can pass on is refused", async (home) => {
  const long = "x".repeat(100_000);
  expect(await home.run("enqueue", "--", long, long)).toEqual({
    stdout: "",
    stderr:
      'Invalid job data: "command" must be at most 131071 bytes, got 200001.\n' +
      "Put it into a script and enqueue the script.\n",
    exitCode: 2,
  });
  expect(await home.run("enqueue", "--cwd", long, "--", "make")).toEqual({
    stdout: "",
    stderr: `--cwd must be at most 4095 bytes, got ${home.path.length + 1 + long.length}.\n`,
    exitCode: 2,
  });
  expect(await home.jobs()).toEqual([]);
});
