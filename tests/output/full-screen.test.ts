import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProgramOnTerminal } from "../support/program-on-terminal.ts";
import { until } from "../support/until.ts";

const SOURCE = join(import.meta.dir, "../../src/output/full-screen.ts");

/** A program that draws what was typed, has a bug on `x` and leaves on `q`. */
const PROGRAM = `
  const { FullScreen } = await import(${JSON.stringify(SOURCE)});
  for (const bug of ["uncaughtException", "unhandledRejection"]) {
    process.on(bug, (error) => { console.error("told: " + error.message); process.exit(1); });
  }
  const keys = [];
  const screen = await FullScreen.open(process.env, {
    key(key) {
      if (key === "q") screen[Symbol.dispose]();
      if (key === "x") throw new Error("a bug");
      if (key === "y") void Promise.reject(new Error("a promise"));
      keys.push(key);
      draw();
    },
    resized() {},
  });
  function draw() {
    screen.draw(["a line that stays", "keys: " + keys.join("|")]);
  }
  draw();
`;

function start(): ProgramOnTerminal {
  const env = { TERM: "xterm", NO_COLOR: "1", PATH: "/usr/bin:/bin" };
  return new ProgramOnTerminal([process.execPath, "-e", PROGRAM], { cwd: tmpdir(), env, columns: 80, rows: 10 });
}

test.each([
  ["x", "told: a bug"],
  ["y", "told: a promise"],
])("a bug on %p is told on the screen that was there before: %s", async (key, sentence) => {
  await using program = start();
  await program.shows("keys:");
  program.type(key);
  expect(await program.end()).toBe(1);
  await program.shows(sentence);
  expect(program.screen).toMatchObject({ isAlternate: false, isCursorShown: true, doesWrap: true });
  expect(program.screen.text).not.toContain("a line that stays");
});

test("keys come by their names, however they are sent, and the program can end", async () => {
  await using program = start();
  await program.shows("keys:");
  program.type("ä\u001b[A\u001bOB\u001b[5~ \r\u001b");
  await program.shows("keys: ä|up|down|page up| |enter|escape");
  program.type("\u0003");
  await program.shows("escape|^C");
  program.type("q");
  expect(await program.end()).toBe(0);
});

test("a line that stays is sent once, and once more when the terminal has another size", async () => {
  await using program = start();
  const times = (): number => program.sent.split("a line that stays").length - 1;
  await program.shows("keys:");
  program.type("a");
  await program.shows("keys: a");
  expect(times()).toBe(1);
  program.resize(70, 10);
  await until(() => program.sent.endsWith("\u001b[2J"), "the screen to be emptied");
  program.type("b");
  await program.shows("keys: a|b");
  expect(times()).toBe(2);
});
