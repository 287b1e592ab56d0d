import { describe, expect, test } from "bun:test";
import { type Commands, type Request, readRequest } from "../../src/cli/argv.ts";
import type { Command } from "../../src/cli/command.ts";
import { choice, duration, instant, wholeNumber } from "../../src/cli/option-values.ts";
import { checkOutputForm, wantsJson } from "../../src/cli/output-form.ts";
import { QueueError } from "../../src/job/errors.ts";

function command(name: string, more: Partial<Command> = {}): Command {
  return { name, summary: "", arguments: [], options: [], examples: [], run: async () => 0, ...more };
}

const COMMANDS: Commands = new Map(
  [
    command("enqueue", { arguments: [{ name: "json", required: true }] }),
    command("exec", {
      options: [
        { name: "env", value: "K[=V]", many: true, summary: "" },
        { name: "id", value: "id", summary: "" },
      ],
      takesCommand: true,
    }),
    command("list", { options: [{ name: "state", value: "state", summary: "" }] }),
    command("worker-start", {
      options: [
        { name: "count", value: "n", summary: "" },
        { name: "drain", summary: "" },
      ],
    }),
    command("worker-stop"),
    command("logs", {
      arguments: [{ name: "id", required: true }],
      options: [{ name: "follow", short: "f", summary: "" }],
    }),
    command("dlq-list"),
    command("dlq-retry", { arguments: [{ name: "id", required: true, many: true }] }),
    command("config-get", { arguments: [{ name: "key", required: false }] }),
    command("config-set", {
      arguments: [
        { name: "key", required: true },
        { name: "value", required: true },
      ],
    }),
  ].map((each) => [each.name, async () => each]),
);

function read(...argv: string[]): Promise<Request> {
  return readRequest(argv, COMMANDS, ["config", "exit-codes"]);
}

/** A run request as `name word word --option=text`, for comparison in one line. */
async function told(...argv: string[]): Promise<string> {
  const request = await read(...argv);
  if (request.kind === "topic") return `help on ${request.topic}`;
  if (request.kind !== "run")
    return [request.kind, request.kind === "help" ? request.command?.name : ""].join(" ").trim();
  const options = [...request.args.options].map(([name, text]) => `--${name}=${text}`);
  return [request.command.name, ...request.args.words, ...options].join(" ");
}

async function mistake(act: () => unknown): Promise<{ message: string; hint: string | undefined }> {
  try {
    await act();
  } catch (error) {
    if (error instanceof QueueError && error.code === "E_USAGE") return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error("expected a usage error");
}

describe("a command line", () => {
  test.each([
    [["list"], "list"],
    [["list", "--state", "pending"], "list --state=pending"],
    [["list", "--state=pending"], "list --state=pending"],
    [["--json", "list"], "list --json="],
    [["--data-dir", "x y", "dlq", "list"], "dlq-list --data-dir=x y"],
    [["dlq", "--json", "list"], "dlq-list --json="],
    [["dlq", "retry", "a", "b"], "dlq-retry a b"],
    [["worker", "start", "--count", "2", "--drain"], "worker-start --count=2 --drain="],
    [["worker", "stop"], "worker-stop"],
    [["config", "get"], "config-get"],
    [["config", "set", "max-retries", "3"], "config-set max-retries 3"],
    [["logs", "-f", "a"], "logs a --follow="],
    [["list", "--state", "pending", "--state", "failed"], "list --state=failed"],
  ])("%p is read as %p", async (argv, expected) => {
    expect(await told(...argv)).toBe(expected);
  });

  test.each([
    [["dlq-retry", "--json", "0012"], "dlq-retry 0012 --json="],
    [["dlq-retry", "1e3", "0x10"], "dlq-retry 1e3 0x10"],
    [["enqueue", "-"], "enqueue -"],
    [["config-set", "backoff_base", "-1"], "config-set backoff_base -1"],
    [["worker-start", "--count", "-1"], "worker-start --count=-1"],
    [["enqueue", '{"a":"--b=c"}'], 'enqueue {"a":"--b=c"}'],
    [["list", "--state=a=b"], "list --state=a=b"],
  ])("%p keeps its text exactly", async (argv, expected) => {
    expect(await told(...argv)).toBe(expected);
  });

  test("takes words that start with a dash after --", async () => {
    expect(await told("logs", "-f", "--", "-x")).toBe("logs -x --follow=");
    expect(await told("dlq-retry", "--", "--json", "--")).toBe("dlq-retry --json --");
  });

  test.each([
    [
      ["exec", "--", "make", "-j4", "--json", "--"],
      ["make", "-j4", "--json", "--"],
    ],
    [["exec", "--"], []],
    [["exec"], undefined],
  ])("of %p, where a command takes another, that is %p", async (argv, expected) => {
    const request = await read(...argv);
    expect(request).toMatchObject({ kind: "run", args: { words: [] } });
    expect(request.kind === "run" && request.args.command).toEqual(expected);
    expect(request.kind === "run" && request.args.options.has("json")).toBe(false);
  });

  test("may give an option many times where all of its values count", async () => {
    const request = await read("exec", "--env", "A=1", "--id", "x", "--env=B", "--env", "A=2", "--id", "y");
    expect(request.kind === "run" && request.args.lists).toEqual(new Map([["env", ["A=1", "B", "A=2"]]]));
    expect(request.kind === "run" && request.args.options.get("id")).toBe("y");
  });

  test.each([
    [[], "help"],
    [["--help"], "help"],
    [["-h"], "help"],
    [["--json"], "help"],
    [["help"], "help"],
    [["help", "list"], "help list"],
    [["help", "dlq", "retry"], "help dlq-retry"],
    [["help", "config"], "help on config"],
    [["help", "config", "--json"], "help on config"],
    [["help", "config", "get"], "help config-get"],
    [["help", "--man"], "man"],
    [["dlq-retry", "--help"], "help dlq-retry"],
    [["worker", "start", "--count", "2", "-h"], "help worker-start"],
    [["--version"], "version"],
    [["-v"], "version"],
    [["list", "--version"], "version"],
  ])("%p asks for %p", async (argv, expected) => {
    expect(await told(...argv)).toBe(expected);
  });
});

describe("a mistake in a command line", () => {
  test.each([
    [["lst"], 'Unknown command "lst".', 'Did you mean "list"?'],
    [["list", "--man"], 'Unknown option "--man".', "See queuectl list --help."],
    [["exit-codes"], 'Unknown command "exit-codes".', "All commands: queuectl --help"],
    [["help", "exit-code"], 'Unknown command "exit-code".', 'Did you mean "exit-codes"?'],
    [["frobnicate"], 'Unknown command "frobnicate".', "All commands: queuectl --help"],
    [["dlq"], 'Unknown command "dlq".', 'Did you mean "dlq-list" or "dlq-retry"?'],
    [["dlq", "lst"], 'Unknown command "dlq lst".', 'Did you mean "dlq-list"?'],
    [["wrker", "start"], 'Unknown command "wrker".', 'Did you mean "worker-start"?'],
    [["__worker"], 'Unknown command "__worker".', "All commands: queuectl --help"],
    [["list", "--sate", "x"], 'Unknown option "--sate".', 'Did you mean "--state"?'],
    [["list", "--no-json"], 'Unknown option "--no-json".', "See queuectl list --help."],
    [["--bogus"], 'Unknown option "--bogus".', "See queuectl --help."],
    [
      ["logs", "-x"],
      'Unknown option "-x".',
      "See queuectl logs --help; an argument that starts with a dash goes after --.",
    ],
    [
      ["exec", "make", "-j4"],
      'Unknown option "-j4".',
      "See queuectl exec --help; a command of your own goes after --.",
    ],
    [["exec", "--env"], "Expected a value after --env: --env <K[=V]>.", undefined],
    [["exec", "--id", "--", "x"], "Expected a value after --id: --id <id>.", undefined],
    [["list", "--state"], "Expected a value after --state: --state <state>.", undefined],
    [["list", "--state="], "Expected a value after --state: --state <state>.", undefined],
    [["list", "--state", "--json"], "Expected a value after --state: --state <state>.", undefined],
    [["list", "--json=yes"], '--json takes no value, got "yes".', undefined],
    [["list", "extra"], 'Unexpected argument "extra".', "Usage: queuectl list"],
    [["enqueue"], "Missing <json>.", "Usage: queuectl enqueue <json>"],
    [["dlq-retry"], "Missing <id>.", "Usage: queuectl dlq-retry <id...>"],
    [["config-get", "a", "b"], 'Unexpected argument "b".', "Usage: queuectl config-get [key]"],
    [["config-set", "a"], "Missing <value>.", "Usage: queuectl config-set <key> <value>"],
  ])("%p is %p", async (argv, message, hint) => {
    expect(await mistake(() => read(...argv))).toEqual({ message, hint });
  });

  test("is reported as JSON when --json stands anywhere before --", () => {
    expect(wantsJson(["lst", "--json"], {})).toBe(true);
    expect(wantsJson(["show", "--", "--json"], {})).toBe(false);
    expect(wantsJson(["lst"], { QUEUECTL_OUTPUT: "json" })).toBe(true);
    for (const form of ["text", "", undefined]) {
      expect(wantsJson(["lst"], { QUEUECTL_OUTPUT: form })).toBe(false);
      expect(() => checkOutputForm({ QUEUECTL_OUTPUT: form })).not.toThrow();
    }
    expect(() => checkOutputForm({ QUEUECTL_OUTPUT: "JSON" })).toThrow(
      'QUEUECTL_OUTPUT must be text or json, got "JSON".',
    );
  });
});

describe("the value of an option", () => {
  const args = (text: string) => ({ words: [], options: new Map([["count", text]]), lists: new Map() });
  const range = { min: 1, max: 9 };

  test("is a whole number in its range, or undefined when it was not given", () => {
    expect(wholeNumber(args("9"), "count", range)).toBe(9);
    expect(wholeNumber(args("9"), "other", range)).toBeUndefined();
  });

  test.each(["0", "10", "abc", "1.5", "-1", "1e0", "0x1", " 1"])(
    "%p is refused with the field and the value",
    async (text) => {
      expect((await mistake(() => wholeNumber(args(text), "count", range))).message).toBe(
        `Expected --count to be a whole number from 1 to 9, got ${JSON.stringify(text)}.`,
      );
    },
  );

  test("may be below zero where the range is", () => {
    expect(wholeNumber(args("-5"), "count", { min: -9, max: 9 })).toBe(-5);
  });

  test("is a duration, which has a unit", async () => {
    const span = { least: 1, most: 86_400_000 };
    expect(duration(args("2h30m"), "count", span)).toBe(9_000_000);
    expect(duration(args("9"), "other", span)).toBeUndefined();
    for (const text of ["60", "0s", "25h", "1.5h", "-1s", "soon"]) {
      expect((await mistake(() => duration(args(text), "count", span))).message).toBe(
        `Expected --count to be a duration like 90s or 2h30m, from 1ms to 1d, got "${text}".`,
      );
    }
  });

  test("is an instant, with or without its time of day", async () => {
    expect(instant(args("2026-01-31T09:00:00+02:00"), "count")).toBe(Date.UTC(2026, 0, 31, 7));
    expect(instant(args("2026-01-31"), "count")).toBe(Date.UTC(2026, 0, 31));
    expect(instant(args("9"), "other")).toBeUndefined();
    for (const text of ["tomorrow", "1763197724876", "2026-02-30", "2026-01-31T25:00", "1969-12-31"]) {
      expect((await mistake(() => instant(args(text), "count"))).message).toBe(
        `Expected --count to be an ISO 8601 time like 2026-01-31T09:00:00Z, got "${text}".`,
      );
    }
  });

  test("is one of the words, or refused with the nearest", async () => {
    expect(choice(args("two"), "count", ["one", "two"])).toBe("two");
    expect(await mistake(() => choice(args("tvo"), "count", ["one", "two"]))).toEqual({
      message: 'Expected --count to be one of one, two, got "tvo".',
      hint: 'Did you mean "two"?',
    });
  });
});
