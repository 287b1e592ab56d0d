import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json";
import { Home, printed } from "../support/home.ts";

const COMMANDS = [
  "enqueue",
  "worker-start",
  "worker-stop",
  "list",
  "status",
  "top",
  "stats",
  "show",
  "exec",
  "run",
  "wait",
  "why",
  "events",
  "logs",
  "cancel",
  "retry",
  "edit",
  "remove",
  "dlq-list",
  "dlq-retry",
  "dlq-remove",
  "queue-list",
  "queue-set",
  "pause",
  "resume",
  "schedule-add",
  "schedule-list",
  "schedule-remove",
  "config-get",
  "config-set",
  "export",
  "import",
  "doctor",
  "store-migrate",
  "completion",
  "selftest",
];

/** The lines that would wrap on a terminal of the usual width. */
function tooWide(page: string): string[] {
  return page.split("\n").filter((line) => line.length > 80);
}

test("the help lists every command and none that is not for people", async () => {
  await using home = new Home();
  const { stdout, stderr, exitCode } = await home.run("--help");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  for (const command of COMMANDS) expect(stdout).toContain(`  ${command} `);
  expect(tooWide(stdout)).toEqual([]);
  expect(stdout).toMatchSnapshot();
  for (const args of [[], ["-h"], ["help"]]) expect(await home.run(...args)).toEqual(printed(stdout));
});

test.each(COMMANDS)("the help of %s", async (command) => {
  await using home = new Home();
  const { stdout, stderr, exitCode } = await home.run(command, "--help");
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  expect(tooWide(stdout)).toEqual([]);
  expect(stdout).toMatchSnapshot();
  expect(existsSync(join(home.path, "db"))).toBe(false);
});

test("the help of a command can be asked for in other words", async () => {
  await using home = new Home();
  const help = await home.run("dlq-retry", "--help");
  for (const args of [
    ["help", "dlq-retry"],
    ["dlq", "retry", "-h"],
    ["help", "dlq", "retry"],
    ["-h", "dlq-retry"],
  ]) {
    expect(await home.run(...args)).toEqual(help);
  }
});

test("--version tells the version of the package", async () => {
  await using home = new Home();
  const line = new RegExp(`^queuectl ${RegExp.escape(packageJson.version)} \\(.*Bun \\d.*\\)\n$`);
  for (const flag of ["--version", "-v"]) {
    expect(await home.run(flag)).toEqual(printed(expect.stringMatching(line)));
  }
});
