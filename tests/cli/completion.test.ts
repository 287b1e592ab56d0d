/** What a shell offers while somebody types: asked of the program as its scripts ask, and of the script for bash. */
import { describe, expect, test as testOnce } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "../support/both-stores.ts";
import { Home, printed } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";

/** What may stand in the place of the last word. */
async function offers(home: Home, ...words: string[]): Promise<string[]> {
  const { stdout, stderr, exitCode } = await home.run("__complete", ...words);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return stdout.split("\n").slice(0, -1);
}

function texts(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/\t.*/, ""));
}

const FIXED: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["wor"], ["worker-start", "worker-stop"]],
  [["he"], ["help"]],
  [
    ["dlq", ""],
    ["list", "retry", "remove"],
  ],
  [
    ["help", "dlq", "r"],
    ["retry", "remove"],
  ],
  [
    ["help", "ex"],
    ["exec", "export", "exit-codes"],
  ],
  [["help", "--m"], ["--man"]],
  [["exit"], []],
  [["help", "show", ""], []],
  [["lst", "show", ""], []],
  [["list", "--st"], ["--state"]],
  [
    ["list", "--state", "p"],
    ["pending", "processing"],
  ],
  [["list", "--state=c"], ["--state=completed"]],
  [["list", "--state", "failed", "--state"], []],
  [
    ["--json", "show", "-"],
    ["--data-dir", "--help", "--version"],
  ],
  [["worker-start", "--count", ""], []],
  [
    ["config", "get", "kee"],
    ["keep_completed", "keep_logs"],
  ],
  [["config-set", "st"], ["store"]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["completion", "bash", ""], []],
  [["list", "--", "--st"], []],
  [["list", "--nope="], []],
  [["enqueue", "--after", "a", "--af"], ["--after"]],
  [
    ["enqueue", "--retry-on", ""],
    ["signal", "timeout"],
  ],
];

testOnce.concurrent.each(FIXED)("after %j the program offers %j", async (words, offered) => {
  await using home = new Home();
  expect(texts(await offers(home, ...words))).toEqual([...offered]);
  expect(readdirSync(home.path)).toEqual([]);
});

testOnce.concurrent("where a path stands, the shell is told to offer paths", async () => {
  await using home = new Home();
  for (const words of [
    ["import", "x"],
    ["enqueue", "--file", ""],
    ["enqueue", "--file=x"],
    ["export", "--output", ""],
    ["enqueue", "--", "make", ""],
  ]) {
    expect(await offers(home, ...words)).toEqual(["\tfiles"]);
  }
  for (const words of [
    ["--data-dir", ""],
    ["selftest", "--dir", "a"],
  ]) {
    expect(await offers(home, ...words)).toEqual(["\tdirectories"]);
  }
});

test("ids of the jobs that a command is for are offered, with what they are, and the queue is left as it is", async (home) => {
  await home.seed([
    { id: "build:1", command: "make\nall" },
    { id: "-dash", command: "true" },
    { id: "turned\u202eround", command: "true" },
    { id: "bad", command: "false", state: "dead" },
    { id: "bad 2", command: `echo ${"x".repeat(100)}`, state: "dead" },
  ]);
  const before = filesIn(home);
  expect(await offers(home, "show", "")).toEqual(
    expect.arrayContaining([
      "build:1\tpending: make\\nall",
      "bad\tdead: false",
      `bad 2\tdead: echo ${"x".repeat(48)}…`,
    ]),
  );
  expect(texts(await offers(home, "show", "--", "-"))).toEqual(["-dash"]);
  expect(texts(await offers(home, "show", "t"))).toEqual([]);
  expect(texts(await offers(home, "logs", "-f", "bu"))).toEqual(["build:1"]);
  expect(sorted(texts(await offers(home, "dlq-retry", "")))).toEqual(["bad", "bad 2"]);
  expect(texts(await offers(home, "dlq", "retry", "bad", ""))).toEqual(["bad 2"]);
  expect(texts(await offers(home, "show", "bad", ""))).toEqual([]);
  expect(texts(await offers(home, "pause", ""))).toEqual(["default"]);
  expect(filesIn(home)).toEqual(before);
});

testOnce.concurrent("a queue that is not there, damaged or large offers nothing, without a word", async () => {
  await using home = new Home();
  home.write("broken/queue.json", "{");
  home.write("large/queue.json", `{"jobs":[${" ".repeat(17 * 1024 * 1024)}{"id":"a","command":"true"}]}`);
  for (const directory of ["none", "broken", "large"]) {
    expect(await offers(home, "--data-dir", directory, "show", "")).toEqual([]);
  }
  expect(existsSync(join(home.path, "none"))).toBe(false);
  expect(await home.runIn({ env: { QUEUECTL_OUTPUT: "xml", QUEUECTL_MAX_RETRIES: "x" } }, "__complete", "sho")).toEqual(
    printed(expect.stringMatching(/^show\t.*\n$/)),
  );
});

test("a database that nobody reaches, or without tables, offers nothing and gets none", async (home) => {
  const env = { QUEUECTL_STORE: "postgres://nobody@127.0.0.1:1/none" };
  expect(await home.runIn({ env }, "__complete", "show", "")).toEqual(printed(""));
  expect(await offers(home, "show", "")).toEqual([]);
  expect((await home.run("store-migrate", "--dry-run")).stdout).toContain(
    home.store === "files" ? "Nothing to migrate" : "CREATE TABLE jobs",
  );
});

describe("the script for bash", () => {
  const cases: readonly (readonly [line: string, words: readonly string[], replies: readonly string[]])[] = [
    ["queuectl dlq-r", ["dlq-r"], ["dlq-retry", "dlq-remove"]],
    ["queuectl dlq  re", ["dlq", "re"], ["retry", "remove"]],
    ["queuectl list --state=pe", ["list", "--state", "=", "pe"], ["pending"]],
    ["queuectl list --state=", ["list", "--state", "="], ["pending", "processing", "completed", "failed"]],
    ["queuectl show build:", ["show", "build", ":"], ["1", "\\$\\(touch\\ evil\\)"]],
    ["queuectl show build:1", ["show", "build", ":", "1"], ["1"]],
    ["queuectl show my\\ ", ["show", "my\\ "], ["my\\ job"]],
    ["queuectl show 'my j", ["show", "'my j"], ["my job"]],
    ['queuectl show "build', ["show", '"build'], ["build:1"]],
    ["queuectl show $(touch evil)", ["show", "$(touch evil)"], []],
    ["queuectl import jo", ["import", "jo"], ["jobs 1.jsonl", "jobs.d"]],
    ["queuectl enqueue --file=jo", ["enqueue", "--file", "=", "jo"], ["jobs 1.jsonl", "jobs.d"]],
    ["queuectl --data-dir jo", ["--data-dir", "jo"], ["jobs.d"]],
  ];

  testOnce.concurrent.each(cases)("completes %p", async (line, words, replies) => {
    await using home = new Home();
    await home.enqueue(...["build:1", "build:$(touch evil)", "my job"].map((id) => ({ id, command: "true" })));
    home.write("jobs 1.jsonl", "");
    home.write("jobs.d/x", "");
    const script = `
      source <(queuectl completion bash)
      COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=(queuectl "\${@:2}") COMP_CWORD=$(($# - 1))
      _queuectl
      ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, exitCode } = await home
      .startOther(["/bin/bash", "-c", script, "bash", line, ...words])
      .end();
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(sorted(stdout.split("\n").slice(0, -1))).toEqual(sorted(replies));
    expect(sorted(readdirSync(home.path))).toEqual(["db", "jobs 1.jsonl", "jobs.d"]);
  });
});

testOnce.concurrent("there is a script for each shell, and a sentence for every other", async () => {
  await using home = new Home();
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = readFileSync(join(import.meta.dir, `../../src/cli/completion/queuectl.${shell}`), "utf8");
    expect(await home.run("completion", shell)).toEqual(printed(script));
    expect(JSON.parse(await home.obey("completion", shell, "--json"))).toEqual({ shell, script });
  }
  expect(await home.run("completion", "tcsh")).toEqual({
    stdout: "",
    stderr: 'Expected <shell> to be one of bash, zsh, fish, got "tcsh".\n',
    exitCode: 2,
  });
});

/** Every file of the home with its text. */
function filesIn(home: Home): Record<string, string> {
  const names = readdirSync(home.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), "utf8")]),
  );
}
