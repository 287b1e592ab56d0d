/** Text of others (ids, commands, errors, output, paths) that means to steer the terminal it is shown on. */
import { describe, expect, test as testOnce } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { escapeControls } from "../../src/output/escape.ts";
import { test } from "../support/both-stores.ts";
import { Home } from "../support/home.ts";

/** Clears the screen, sets the title, rings, deletes, a C1 sequence, an override of direction, a line separator. */
const STEERING = "\u001b[2J\u001b]0;x\u0007\b\u007f\u009b2J\u202e\u2066\u2028\nError: forged";
const ID = `id${STEERING}`;
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

/** A queue as the original tool may have left it, which took any id and any command, with a job in every state. */
async function makeHostile(home: Home): Promise<void> {
  const command = `printf '${STEERING}\n'; exit 1`;
  const fields = { command, attempts: 0, run_at: 0, max_retries: 0, worker_id: `w${STEERING}`, last_error: STEERING };
  const states = ["pending", "processing", "completed", "failed", "dead"] as const;
  await home.seed(states.map((state) => ({ id: `${ID} ${state}`, state, ...fields })));
}

const LINES: readonly (readonly string[])[] = [
  ["list"],
  ["list", "--state", STEERING],
  ["dlq-list"],
  ["status"],
  ["show", "--", `${ID} processing`],
  ["show", "--", `${ID} dead`],
  ["show", "--", ID],
  ["logs", "--", `${ID} pending`],
  ["logs", "--attempt", "9", "--", `${ID} dead`],
  ["logs", "--", ID],
  ["dlq-retry", "--dry-run", "--", ID],
  ["dlq-retry", "--", `${ID} dead`],
  ["dlq-remove", "--dry-run", "--match", `*${STEERING}*`],
  ["cancel", "--", `${ID} pending`],
  ["cancel", "--", `${ID} dead`],
  ["cancel", "--yes", "--", ID],
  ["cancel", "--state", STEERING],
  ["retry", "--", `${ID} completed`],
  ["remove", "--dry-run", "--", `${ID} pending`],
  ["remove", "--yes", "--", `${ID} processing`],
  ["edit", `--command=${STEERING}`, "--", `${ID} dead`],
  ["edit", "--", ID, STEERING],
  ["enqueue", JSON.stringify({ id: `${ID} dead`, command: "true" })],
  ["enqueue", JSON.stringify({ command: "true", [STEERING]: 1 })],
  ["enqueue", STEERING],
  ["enqueue", "--file", STEERING],
  ["enqueue", STEERING, STEERING],
  ["enqueue", "--", `{${STEERING}`],
  ["enqueue", "--id", STEERING, "--", "true"],
  ["enqueue", "--env", STEERING, "--", "true"],
  ["enqueue", "--env", `QUEUECTL_${STEERING}=1`, "--", "true"],
  ["enqueue", "--retry-on", STEERING, "--", "true"],
  ["enqueue", "--delay", STEERING, "--", "true"],
  ["config-get", STEERING],
  ["config-set", "max_retries", STEERING],
  [`--${STEERING}`],
  [STEERING],
  ["list", STEERING],
  ["list", "--data-dir", `db/${STEERING}`],
  ["worker-stop"],
  ["worker-start", "--drain"],
];

describe("no control character is shown, into a pipe, as JSON or on a terminal, by", () => {
  test.each(LINES.map((line) => [escapeControls(line.join(" ")), line] as const))(
    "queuectl %s",
    async (home, _, line) => {
      await makeHostile(home);
      const { stdout, stderr } = await home.run(...line);
      const json = await home.run("--json", ...line);
      const onTerminal = Buffer.from(await home.showOnTerminal(...line), "latin1").toString();
      for (const text of [stdout, stderr, json.stdout, json.stderr, onTerminal]) {
        expect(text.replaceAll("\n", "")).not.toMatch(UNSAFE);
        expect(text).not.toMatch(/^Error: forged/m);
      }
      expect(stdout + stderr + onTerminal).not.toBe("");
    },
  );
});

testOnce("a data directory of such a name is shown escaped, in errors, in hints and in the paths of logs", async () => {
  await using home = new Home();
  const name = `dir${STEERING}`;
  mkdirSync(join(home.path, name), { mode: 0o700 });
  await home.enqueue({ id: "elsewhere", command: "true" });
  const here = ["--data-dir", name];
  await home.obey("enqueue", '{"id":"p1","command":"echo hi"}', ...here);
  await home.obey("worker-start", "--drain", ...here);
  const texts = [await home.obey("show", "p1", ...here), await home.obey("show", "p1", "--json", ...here)];
  texts.push(await home.obey("worker-start", "--detach", ...here));
  await home.obey("worker-stop", ...here);
  await home.shell('chmod 777 "$1"', name);
  for (const command of [["list"], ["list", "--json"]]) texts.push((await home.run(...command, ...here)).stderr);
  await home.shell('chmod 700 "$1"; echo oops > "$1"/queue.json', name);
  texts.push((await home.run("list", ...here)).stderr);
  for (const text of texts) {
    expect(text).toContain("dir\\");
    expect(text.replaceAll("\n", "")).not.toMatch(UNSAFE);
    expect(text).not.toMatch(/^Error: forged/m);
  }
});

describe("logs", () => {
  async function printHostile(home: Home): Promise<void> {
    await home.enqueue({ id: "p1", command: "printf 'caf\\303\\251\\t\\033[31mred\\377\\r\\nend\\n'" });
    await home.drain();
  }
  const bytes = "caf\u00c3\u00a9\t\u001b[31mred\u00ff";

  test.each([["logs p1"], ["logs -f p1"]])("on a terminal: %s is escaped", async (home, line) => {
    await printHostile(home);
    const shown = Buffer.from(await home.showOnTerminal(...line.split(" ")), "latin1").toString();
    const note = "Control characters are shown escaped; --raw passes them on.\n";
    expect(shown).toBe(`café\t\\x1b[31mred\ufffd\nend\n${note}`);
  });

  test.each([["logs --raw p1"], ["logs --raw -f p1"]])("on a terminal: %s is byte for byte", async (home, line) => {
    await printHostile(home);
    // The \r before \r\n is the job's own.
    expect(await home.showOnTerminal(...line.split(" "))).toBe(`${bytes}\r\nend\n`);
  });

  test.each([["logs p1"], ["logs -f p1"], ["logs --raw p1"]])(
    "into a pipe: %s is byte for byte",
    async (home, line) => {
      await printHostile(home);
      await home.shell(`queuectl ${line} > printed`);
      expect(await Bun.file(join(home.path, "printed")).bytes()).toEqual(
        new Uint8Array(Buffer.from(`${bytes}\r\nend\n`, "latin1")),
      );
    },
  );
});
