import { expect, test } from "bun:test";
import { join } from "node:path";
import { readCommandLine } from "../../bench/command-line.ts";

const KNOWN = ["bulk", "idle", "rescue"];

test.each([
  [[], { names: KNOWN, quick: false, save: false }],
  [["rescue", "bulk"], { names: ["bulk", "rescue"], quick: false, save: false }],
  [["--quick", "idle", "--save"], { names: ["idle"], quick: true, save: true }],
  [["idel"], { mistake: 'No benchmark is called "idel". There are: bulk, idle, rescue.' }],
  [["idle", "--fast"], { mistake: 'There is no option "--fast". There are: --quick, --save.' }],
])("%p", (words, expected) => {
  expect(readCommandLine(words, KNOWN)).toEqual(expected);
});

test("a benchmark that there is not is told in a sentence, and nothing is run", () => {
  const bench = join(import.meta.dir, "../../bench/bench.ts");
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, bench, "speed"], { stdin: "ignore" });
  expect([exitCode, stdout.toString()]).toEqual([2, ""]);
  expect(stderr.toString()).toStartWith('No benchmark is called "speed". There are: throughput, ');
});
