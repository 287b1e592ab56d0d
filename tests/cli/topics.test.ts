/** The pages of help that are about no single command: that they are there, and say what code and README say. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, EXIT_MEANINGS } from "../../src/cli/exit-code.ts";
import { TOPICS } from "../../src/cli/topics/all.ts";
import { CONFIG_KEYS, variableOf } from "../../src/config.ts";
import { SETTINGS, type Setting } from "../../src/settings.ts";
import { Home, printed } from "../support/home.ts";

const README = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
const TOPIC_NAMES = [...TOPICS.keys()];

async function page(topic: string): Promise<string> {
  await using home = new Home();
  return await home.obey("help", topic);
}

test.each(TOPIC_NAMES)("help %s is a page no wider than a terminal", async (topic) => {
  const text = await page(topic);
  expect(text).toMatchSnapshot();
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("the help lists every topic, and a mistyped one is suggested", async () => {
  await using home = new Home();
  const help = await home.obey("help");
  for (const topic of TOPIC_NAMES) expect(help).toContain(`\n  ${topic} `);
  expect(await home.run("help", "exit-code")).toMatchObject({
    stderr: 'Unknown command "exit-code".\nDid you mean "exit-codes"?\n',
    exitCode: 2,
  });
  expect(await home.run("help", "config", "get")).toEqual(printed(await home.obey("config-get", "--help")));
});

describe("README says the same", () => {
  const plain = README.replaceAll("`", "");

  test("of every exit code", async () => {
    const rows = Object.entries(EXIT).map(([name, code]) => {
      return `| ${code} | ${EXIT_MEANINGS[name as keyof typeof EXIT]} |`;
    });
    expect(plain).toContain(["| code | meaning |", "| --- | --- |", ...rows].join("\n"));
  });

  test.each(CONFIG_KEYS)("of the setting %s", (key) => {
    const setting = SETTINGS[key];
    expect(plain).toContain(`\n| ${key} | ${domainOf(setting)} | ${setting.meaning}`);
  });
});

test("every variable that overrides a setting is on the page about the environment", async () => {
  const text = await page("environment");
  for (const key of CONFIG_KEYS) expect(text).toContain(variableOf(key));
});

function domainOf(setting: Setting): string {
  if (setting.kind === "text") return `none | ${setting.what}`;
  if (setting.kind === "switch") return `${setting.default} | true, false`;
  const { default: usual, min, max } = setting;
  return `${usual} | ${min}–${max >= 10_000 ? max.toLocaleString("en-US") : max}`;
}
