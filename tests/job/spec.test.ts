import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { QueueError } from "../../src/job/errors.ts";
import { shown } from "../../src/job/shown.ts";
import { checkJobSpec, type JobSpec, MAX_RETRIES_LIMIT, parseJobSpec, type SpecDefaults } from "../../src/job/spec.ts";

const RUN_AT = '"run_at" must be epoch milliseconds or an ISO 8601 time like 2026-01-31T09:00:00Z, got';
const MAX_RETRIES = '"max_retries" must be a whole number from 0 to 1000000, got';
const PRIORITY = '"priority" must be a whole number from -1000 to 1000, got';

const KNOWN =
  "Known: id, command, run_at, delay, max_retries, priority, queue, after, key, if_exists, batch, cwd, env, timeout, expires_in, retry_on, no_retry_on.";
const DURATION = 'must be a duration like "90s" or "2h30m", or milliseconds, from';

describe("a job", () => {
  const accepted: [text: string, spec: JobSpec][] = [
    ['{"command":"echo hi"}', { command: "echo hi" }],
    ['{"id":"p1","command":"echo hi"}', { id: "p1", command: "echo hi" }],
    ['{"id":"0012","command":"x"}', { id: "0012", command: "x" }],
    ['{"id":"1e3","command":"x"}', { id: "1e3", command: "x" }],
    ['{"id":"../x","command":"x"}', { id: "../x", command: "x" }],
    ['{"id":"a/b","command":"x"}', { id: "a/b", command: "x" }],
    ['{"id":".","command":"x"}', { id: ".", command: "x" }],
    ['{"id":" ","command":"x"}', { id: " ", command: "x" }],
    ['{"id":"__proto__","command":"x"}', { id: "__proto__", command: "x" }],
    ['{"command":"a\\nb\\t\\"c\\""}', { command: 'a\nb\t"c"' }],
    ['{"command":"x","max_retries":0}', { command: "x", max_retries: 0 }],
    ['{"command":"x","max_retries":1000000}', { command: "x", max_retries: MAX_RETRIES_LIMIT }],
    ['{"command":"x","priority":-1000}', { command: "x", priority: -1000 }],
    ['{"command":"x","priority":0}', { command: "x", priority: 0 }],
    ['{"command":"x","batch":"nightly 4711"}', { command: "x", batch: "nightly 4711" }],
    ['{"command":"x","run_at":0}', { command: "x", run_at: 0 }],
    ['{"command":"x","run_at":1763197724876}', { command: "x", run_at: 1763197724876 }],
    ['{"command":"x","run_at":8640000000000000}', { command: "x", run_at: 8640000000000000 }],
    ['{"command":"x","runAt":1763197724876}', { command: "x", run_at: 1763197724876 }],
    ['{"command":"x","runAt":"2026-01-31T09:00:00Z"}', { command: "x", run_at: Date.UTC(2026, 0, 31, 9) }],
    ['{"command":"x","run_at":"2026-01-31T09:00:00.250Z"}', { command: "x", run_at: Date.UTC(2026, 0, 31, 9) + 250 }],
    ['{"command":"x","run_at":"2026-01-31T09:00:00+02:00"}', { command: "x", run_at: Date.UTC(2026, 0, 31, 7) }],
    ['{"command":"x","run_at":"2028-02-29"}', { command: "x", run_at: Date.UTC(2028, 1, 29) }],
    ['{"command":"x","run_at":"2026-01-31"}', { command: "x", run_at: Date.UTC(2026, 0, 31) }],
    ['{"command":"x","queue":"a.B_1-"}', { command: "x", queue: "a.B_1-" }],
    ['{"command":"x","queue":"default"}', { command: "x" }],
    ['{"command":"x","after":["a","../b"]}', { command: "x", after: ["a", "../b"] }],
    ['{"command":"x","after":[]}', { command: "x" }],
    ['{"command":"x","delay":"5m"}', { command: "x", delay: 300_000 }],
    ['{"command":"x","cwd":"/tmp"}', { command: "x", cwd: "/tmp" }],
    ['{"command":"x","env":{"A":"","b_2":"=ü"}}', { command: "x", env: { A: "", b_2: "=ü" } }],
    ['{"command":"x","timeout":"2h30m"}', { command: "x", timeout: 9_000_000 }],
    ['{"command":"x","timeout":1500}', { command: "x", timeout: 1500 }],
    ['{"command":"x","expires_in":"1d"}', { command: "x", expires_in: 86_400_000 }],
    ['{"command":"x","key":"k","if_exists":"skip"}', { command: "x", key: "k", if_exists: "skip" }],
    ['{"command":"x","retry_on":[75,"signal"]}', { command: "x", retry_on: [75, "signal"] }],
    ['{"command":"x","no_retry_on":[1,255,"timeout"]}', { command: "x", no_retry_on: [1, 255, "timeout"] }],
  ];
  test.each(accepted)("may be %s", (text, spec) => {
    expect(parseJobSpec(text)).toStrictEqual(spec);
  });

  test("may have an id of 255 bytes, counted in UTF-8", () => {
    for (const id of ["i".repeat(255), `${"ü".repeat(127)}i`, `${"🔁".repeat(63)}abc`]) {
      expect(Buffer.byteLength(id)).toBe(255);
      expect(checkJobSpec({ id, command: "x" })).toStrictEqual({ id, command: "x" });
    }
  });

  test("may have a command as long as the system can pass on, and no longer", () => {
    const longest = "x".repeat(131_071);
    expect(checkJobSpec({ command: longest }).command).toBe(longest);
    const error = refusal({ command: `${longest}x` });
    expect(error.message).toBe('Invalid job data: "command" must be at most 131071 bytes, got 131072.');
    expect(error.hint).toBe("Put it into a script and enqueue the script.");
  });
});

describe("the JSON of a job", () => {
  const padded = (bytes: number) => `{"command":"x"}`.padEnd(bytes);

  test("may be 1 MiB and not a byte more, counted in UTF-8", () => {
    expect(parseJobSpec(padded(1_048_576))).toStrictEqual({ command: "x" });
    for (const text of [padded(1_048_577), `"${"ü".repeat(524_287)}\u0020"`]) {
      const error = refusalOf(() => parseJobSpec(text));
      expect(error.message).toBe("Invalid job data: the JSON of a job must be at most 1048576 bytes, got 1048577.");
      expect(error.hint).toBe("Put what is long into a file that the command reads.");
    }
  });

  test("has room for the longest command, with every character of it escaped", () => {
    const command = "x".repeat(131_071);
    expect(parseJobSpec(`{"command":"${"\\u0078".repeat(131_071)}"}`)).toStrictEqual({ command });
  });
});

describe("refused in one sentence with the field and the value", () => {
  const object = 'expected an object like {"command":"echo hi"}, got';
  const cases: [value: unknown, problem: string][] = [
    [null, `${object} null.`],
    [[], `${object} [].`],
    [[{ command: "x" }], `${object} [{"command":"x"}].`],
    ["echo hi", `${object} "echo hi".`],
    [7, `${object} 7.`],
    [undefined, `${object} nothing.`],
    [{}, '"command" is missing.'],
    [{ id: "p1" }, '"command" is missing.'],
    [{ command: null }, '"command" must be a string, got null.'],
    [{ command: 5 }, '"command" must be a string, got 5.'],
    [{ command: ["ls"] }, '"command" must be a string, got ["ls"].'],
    [{ command: "" }, '"command" must not be empty, got "".'],
    [{ command: " \n" }, '"command" must not be empty, got " \\n".'],
    [{ command: "a\0b" }, '"command" must not contain a NUL character, got "a\\u0000b".'],
    [{ command: "x\ud800" }, '"command" must be valid Unicode, got "x\\ud800".'],
    [{ command: "x", id: null }, '"id" must be a string, got null.'],
    [{ command: "x", id: 12 }, '"id" must be a string, got 12.'],
    [{ command: "x", id: "" }, '"id" must be 1 to 255 bytes long, got 0: "".'],
    [{ command: "x", id: "a\nb" }, '"id" must not contain control characters, got "a\\nb".'],
    [{ command: "x", id: "\u001b[31m" }, '"id" must not contain control characters, got "\\u001b[31m".'],
    [{ command: "x", batch: 7 }, '"batch" must be a string, got 7.'],
    [{ command: "x", batch: "" }, '"batch" must be 1 to 255 bytes long, got 0: "".'],
    [{ command: "x", batch: "a\tb" }, '"batch" must not contain control characters, got "a\\tb".'],
    [{ command: "x", id: "\udc00" }, '"id" must be valid Unicode, got "\\udc00".'],
    [{ command: "x", run_at: "tomorrow" }, `${RUN_AT} "tomorrow".`],
    [{ command: "x", runAt: "tomorrow" }, `${RUN_AT} "tomorrow".`],
    [{ command: "x", run_at: "1763197724876" }, `${RUN_AT} "1763197724876".`],
    [{ command: "x", run_at: "2026-13-01" }, `${RUN_AT} "2026-13-01".`],
    [{ command: "x", run_at: "2026-02-30T00:00:00Z" }, `${RUN_AT} "2026-02-30T00:00:00Z".`],
    [{ command: "x", run_at: "" }, `${RUN_AT} "".`],
    [{ command: "x", run_at: null }, `${RUN_AT} null.`],
    [{ command: "x", runAt: null }, `${RUN_AT} null.`],
    [{ command: "x", run_at: -1 }, `${RUN_AT} -1.`],
    [{ command: "x", run_at: 1.5 }, `${RUN_AT} 1.5.`],
    [{ command: "x", run_at: 1e306 }, `${RUN_AT} 1e+306.`],
    [{ command: "x", run_at: 8640000000000001 }, `${RUN_AT} 8640000000000001.`],
    [{ command: "x", run_at: 1, runAt: 2 }, '"run_at" and "runAt" are the same field; give one of them.'],
    [{ command: "x", max_retries: "abc" }, `${MAX_RETRIES} "abc".`],
    [{ command: "x", max_retries: "3" }, `${MAX_RETRIES} "3".`],
    [{ command: "x", max_retries: -1 }, `${MAX_RETRIES} -1.`],
    [{ command: "x", max_retries: 0.5 }, `${MAX_RETRIES} 0.5.`],
    [{ command: "x", max_retries: 1_000_001 }, `${MAX_RETRIES} 1000001.`],
    [{ command: "x", max_retries: null }, `${MAX_RETRIES} null.`],
    [{ command: "x", run_at: 1, delay: 1 }, '"run_at" and "delay" say the same; give one of them.'],
    ...["", "*", "a b", "-a", "a/b", "ü", "q".repeat(65), 1].map((value): [unknown, string] => [
      { command: "x", queue: value },
      `"queue" must be the name of a queue, got ${JSON.stringify(value)}.`,
    ]),
    [{ command: "x", after: "a" }, '"after" must be a list of at most 1000 ids, got "a".'],
    [{ command: "x", after: [""] }, '"after" must be 1 to 255 bytes long, got 0: "".'],
    [{ command: "x", after: ["a", 1] }, '"after" must be a string, got 1.'],
    [{ command: "x", key: "" }, '"key" must be 1 to 255 bytes long, got 0: "".'],
    [{ command: "x", key: "a\nb" }, '"key" must not contain control characters, got "a\\nb".'],
    [{ command: "x", key: 7 }, '"key" must be a string, got 7.'],
    [{ command: "x", key: "k", if_exists: "no" }, '"if_exists" must be one of fail, skip, replace, got "no".'],
    [
      { command: "x", if_exists: "skip" },
      '"if_exists" says what becomes of a job whose "key" is taken, and this one has none.',
    ],
    [{ command: "x", delay: "soon" }, `"delay" ${DURATION} 0s to 3650d, got "soon".`],
    [{ command: "x", delay: -1 }, `"delay" ${DURATION} 0s to 3650d, got -1.`],
    [{ command: "x", timeout: 0 }, `"timeout" ${DURATION} 1ms to 24d, got 0.`],
    [{ command: "x", timeout: "25d" }, `"timeout" ${DURATION} 1ms to 24d, got "25d".`],
    [{ command: "x", expires_in: "" }, `"expires_in" ${DURATION} 1ms to 3650d, got "".`],
    [{ command: "x", cwd: "src" }, '"cwd" must be an absolute path, got "src".'],
    [{ command: "x", cwd: "/a\0b" }, '"cwd" must not contain a NUL character, got "/a\\u0000b".'],
    [{ command: "x", cwd: `/${"d".repeat(4095)}` }, '"cwd" must be at most 4095 bytes, got 4096.'],
    [{ command: "x", env: ["A=b"] }, '"env" must be an object like {"NAME":"value"}, got ["A=b"].'],
    [{ command: "x", env: { "A B": "" } }, '"env" has a name that no variable can have: "A B".'],
    [{ command: "x", env: { A: 1 } }, '"env.A" must be a string, got 1.'],
    [{ command: "x", env: { A: "\0" } }, '"env.A" must not contain a NUL character, got "\\u0000".'],
    [
      { command: "x", env: { QUEUECTL_LEASE: "7" } },
      '"env" must not set QUEUECTL_LEASE: names that begin with QUEUECTL_ are the queue\'s own.',
    ],
    [{ command: "x", env: { A: "v".repeat(131_070) } }, '"env.A" is too long to be passed on: 131072 bytes.'],
    ...[[], [0], [256], [1.5], ["TERM"], 75].map((value): [unknown, string] => [
      { command: "x", retry_on: value },
      `"retry_on" must be a list of exit codes, "signal" or "timeout", got ${JSON.stringify(value)}.`,
    ]),
    [{ command: "x", priority: 1001 }, `${PRIORITY} 1001.`],
    [{ command: "x", priority: -1001 }, `${PRIORITY} -1001.`],
    [{ command: "x", priority: "high" }, `${PRIORITY} "high".`],
    [{ command: "x", "a\u001bb": 1 }, 'unknown field "a\\u001bb".'],
  ];
  test.each(cases)("%j", (value, problem) => {
    expect(refusal(value).message).toBe(`Invalid job data: ${problem}`);
  });

  test("an id of 300 bytes, cut short in the sentence", () => {
    const { message } = refusal({ command: "x", id: "i".repeat(300) });
    expect(message).toBe(
      `Invalid job data: "id" must be 1 to 255 bytes long, got 300: ${`"${"i".repeat(300)}`.slice(0, 77)}….`,
    );
  });

  test("text that is not JSON", () => {
    const error = refusalOf(() => parseJobSpec("{command: x}\n"));
    expect(error.message).toBe('Invalid job data: not valid JSON: "{command: x}\\n".');
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });

  const unknown: [field: string, hint: string][] = [
    ["comand", 'Did you mean "command"?'],
    ["maxRetries", 'Did you mean "max_retries"?'],
    ["shell", KNOWN],
    ["__proto__", KNOWN],
  ];
  test.each(unknown)("the unknown field %s, with a hint", (field, hint) => {
    const error = refusalOf(() => parseJobSpec(`{"command":"x","${field}":1}`));
    expect(error.message).toBe(`Invalid job data: unknown field "${field}".`);
    expect(error.hint).toBe(hint);
  });
});

describe("what is said beside the JSON of a job", () => {
  const defaults: SpecDefaults = { priority: 5, delay: 60_000, env: { A: "1", B: "2" }, cwd: "/tmp" };

  test("holds where the job says nothing", () => {
    expect(parseJobSpec('{"command":"x"}', defaults)).toStrictEqual({ ...defaults, command: "x" });
  });

  test("yields to what the job says, a variable at a time", () => {
    expect(parseJobSpec('{"command":"x","priority":0,"cwd":"/","env":{"B":"own","C":"3"}}', defaults)).toStrictEqual({
      command: "x",
      priority: 0,
      cwd: "/",
      delay: 60_000,
      env: { A: "1", B: "own", C: "3" },
    });
  });

  test("about keys is nothing to a job that has none", () => {
    const policy: SpecDefaults = { if_exists: "skip" };
    expect(parseJobSpec('{"command":"x"}', policy)).toStrictEqual({ command: "x" });
    expect(parseJobSpec('{"command":"x","key":"k"}', policy)).toStrictEqual({
      command: "x",
      key: "k",
      if_exists: "skip",
    });
    expect(parseJobSpec('{"command":"x","key":"k","if_exists":"fail"}', policy).if_exists).toBe("fail");
  });

  const times: [text: string, spec: JobSpec][] = [
    ['{"command":"x","run_at":7}', { command: "x", run_at: 7 }],
    ['{"command":"x","runAt":7}', { command: "x", run_at: 7 }],
    ['{"command":"x","delay":"1s"}', { command: "x", delay: 1000 }],
  ];
  test.each(times)("is no second time for %s", (text, spec) => {
    for (const time of [{ run_at: 1 }, { delay: 1 }]) expect(parseJobSpec(text, time)).toStrictEqual(spec);
  });

  test.each([
    ['{"command":"x","priority":null}', `${PRIORITY} null.`],
    ['{"command":"x","env":[]}', '"env" must be an object like {"NAME":"value"}, got [].'],
    ['{"command":"x","__proto__":1}', 'unknown field "__proto__".'],
    ["[]", 'expected an object like {"command":"echo hi"}, got [].'],
    ["{}", '"command" is missing.'],
  ])("does not mend %s", (text, problem) => {
    expect(refusalOf(() => parseJobSpec(text, defaults)).message).toBe(`Invalid job data: ${problem}`);
  });
});

describe("for any input", () => {
  test("a valid job reads back exactly as it was written", () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        expect(parseJobSpec(JSON.stringify(spec))).toStrictEqual(spec);
      }),
    );
  });

  test("the check of what was checked changes nothing", () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        expect(checkJobSpec(checkJobSpec(spec))).toStrictEqual(checkJobSpec(spec));
      }),
    );
  });

  test("a refusal is a usage error of one line", () => {
    const field = fc.oneof(
      fc.constantFrom("id", "command", "run_at", "delay", "max_retries", "env", "retry_on"),
      fc.string(),
    );
    const values = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue()));
    fc.assert(
      fc.property(values, (value) => {
        const outcome = checkedOrRefused(value);
        if (!(outcome instanceof QueueError)) return;
        expect(outcome.code).toBe("E_USAGE");
        expect(outcome.message).toStartWith("Invalid job data: ");
        expect(outcome.message).not.toContain("\n");
      }),
    );
  });

  test("a value is shown in at most 80 characters, on one line", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(shown(value).length).toBeLessThanOrEqual(80);
        expect(shown(value)).not.toContain("\n");
      }),
    );
  });
});

function validSpecs(): fc.Arbitrary<JobSpec> {
  const printable = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
  return fc.record(
    {
      id: printable.filter((id) => Buffer.byteLength(id) <= 255),
      command: printable.filter((command) => command.trim() !== ""),
      run_at: fc.integer({ min: 0, max: 8.64e15 }),
      max_retries: fc.integer({ min: 0, max: MAX_RETRIES_LIMIT }),
      priority: fc.integer({ min: -1000, max: 1000 }),
    },
    { requiredKeys: ["command"], noNullPrototype: true },
  );
}

function refusal(value: unknown): QueueError {
  return refusalOf(() => checkJobSpec(value));
}

function refusalOf(act: () => unknown): QueueError {
  try {
    act();
  } catch (error) {
    if (error instanceof QueueError && error.code === "E_USAGE") return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function checkedOrRefused(value: unknown): JobSpec | QueueError {
  try {
    return checkJobSpec(value);
  } catch (error) {
    if (error instanceof QueueError) return error;
    throw error;
  }
}
