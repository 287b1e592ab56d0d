/** The manual page is made from the definitions of the commands, and the one in docs/ is what is made now. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../../src/cli/command.ts";
import { GLOBAL_OPTIONS } from "../../src/cli/command.ts";
import { TOPICS } from "../../src/cli/topics/all.ts";
import { Home, printed } from "../support/home.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../docs/queuectl.1"), "utf8");
const COMMANDS = join(import.meta.dir, "../../src/cli/commands");

test("docs/queuectl.1 is what the program prints (npm run docs writes it anew)", async () => {
  await using home = new Home();
  expect(await home.run("help", "--man")).toEqual(printed(PAGE));
});

test("every command, option and topic is on it", async () => {
  const files = readdirSync(COMMANDS);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const commands = Object.values((await import(join(COMMANDS, file))) as Record<string, Command>);
    expect(commands).not.toEqual([]);
    for (const command of commands) {
      expect(PAGE).toContain(`.SS "${command.name.replaceAll("-", "\\-")}`);
      for (const { name } of [...command.options, ...GLOBAL_OPTIONS]) {
        expect(PAGE).toMatch(new RegExp(`^\\\\fB(\\\\-., )?\\\\-\\\\-${name.replaceAll("-", "\\\\-")}( |\\\\fR)`, "m"));
      }
    }
  }
  for (const name of TOPICS.keys()) expect(PAGE).toContain(`.SH ${name.toUpperCase().replaceAll("-", " ")}`);
});

test("nothing on it is taken for a request that was not meant as one", () => {
  const requests = PAGE.split("\n").filter((line) => /^[.']/.test(line));
  for (const line of requests) expect(line).toMatch(/^\.(TH|SH|SS|TP|PP|RS|RE|nf|fi|B)\b/);
});
