import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JobResult } from "../../src/job/result.ts";
import { junit } from "../../src/output/report/junit.ts";
import { ndjson } from "../../src/output/report/ndjson.ts";
import type { Report } from "../../src/output/report/report.ts";
import { tap } from "../../src/output/report/tap.ts";
import { GITHUB } from "../../src/output/telling/github.ts";
import { gitlab } from "../../src/output/telling/gitlab.ts";
import { takeCommands } from "../support/actions-runner.ts";
import { breaches } from "../support/junit-schema.ts";
import { parseXml } from "../support/xml.ts";

const T0 = Date.UTC(2026, 0, 31, 9);
const good: JobResult = {
  id: "good",
  command: "true",
  state: "completed",
  attempts: 1,
  started_at: T0,
  ended_at: T0 + 1500,
};
const flaky: JobResult = { ...good, id: "flaky, or not", attempts: 3 };
const bad: JobResult = {
  ...{ id: "bad", command: "make <a> && b", state: "dead", attempts: 2, error: 'exit 3: "a" < b' },
  ended_at: T0 + 2000,
};
const open: JobResult = { id: "never #1", command: "x", state: "pending", attempts: 0 };
const report: Report = {
  ...{ name: "nightly", how: "timed-out", ms: 65_432, endedAt: T0 + 65_432 },
  results: [good, bad, open, flaky],
  printed: new Map([
    [
      "bad",
      [
        { attempt: 1, text: "first\n" },
        { attempt: 2, text: "one\r\ntwo \u001b[31mred\u001b[0m\u0007\n\n" },
      ],
    ],
    ["flaky, or not", [{ attempt: 2, text: "second" }]],
  ]),
};

/** Text that is out to be more than text. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("]]>", "</failure>", "&amp;", "\n", "\r", "\u001b[0K", "::error::x", "\n::stop-commands::a"),
      fc.constantFrom(
        "\n  ::add-mask::a",
        "##[add-mask]a",
        "%0A::endgroup::",
        "\ud800",
        "\uffff",
        " # SKIP",
        "\n  ...\n",
      ),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(""));
const hostileReport = fc.record({ id: hostile, error: hostile, text: hostile, name: hostile }).map(
  ({ id, error, text, name }): Report => ({
    ...{ name, how: "all-ended", ms: 1, endedAt: T0 },
    results: [
      { ...bad, id, error, command: text },
      { ...flaky, id: `${id}-2` },
      { ...open, id: `${id}-3` },
    ],
    printed: new Map([
      [
        id,
        [
          { attempt: 1, text },
          { attempt: 2, text, stderr: text },
        ],
      ],
    ]),
  }),
);

describe("a JUnit report", () => {
  test("has a case for each job, and tells retries as Surefire does", () => {
    const suites = parseXml(junit(report));
    expect(breaches(suites)).toEqual([]);
    const [suite] = suites.children;
    expect(suite?.attributes).toEqual({
      ...{ name: "nightly", tests: "4", failures: "1", errors: "0", skipped: "1", time: "65.432" },
      timestamp: "2026-01-31T09:00:00",
    });
    const told = suite?.children.map(({ attributes: { name, time }, children }) => [
      ...[name, time],
      children.map((child) => `${child.name}: ${child.attributes.message ?? child.text}`),
    ]);
    expect(told).toEqual([
      ["good", "1.500", []],
      [
        ...["bad", "0.000"],
        ['failure: exit 3: "a" < b', "rerunFailure: attempt 1 failed", "system-out: one\ntwo red\\x07"],
      ],
      ["never #1", "0.000", ["skipped: it had not ended"]],
      ["flaky, or not", "1.500", ["flakyFailure: attempt 1 failed", "flakyFailure: attempt 2 failed"]],
    ]);
    expect(suite?.children[1]?.children[0]?.text).toBe('$ make <a> && b\nexit 3: "a" < b');
    expect(suite?.children[1]?.children[1]?.children[0]?.text).toBe("first");
  });

  test("has what went to stderr by itself where that is known", () => {
    const printed = [
      { attempt: 1, text: "", stderr: "first\n" },
      { attempt: 2, text: "one\n", stderr: "two\n" },
    ];
    const xml = junit({ ...report, results: [bad], printed: new Map([["bad", printed]]) });
    expect(xml).toContain('message="attempt 1 failed"><system-err>first</system-err></rerunFailure>');
    expect(xml).toContain("<system-out>one</system-out>\n      <system-err>two</system-err>");
    expect(tap({ ...report, results: [bad], printed: new Map([["bad", printed]]) })).toContain('output: "one\\ntwo"');
  });

  test("is XML within the schema, whatever jobs are called and print", () => {
    fc.assert(fc.property(hostileReport, (any) => expect(breaches(parseXml(junit(any)))).toEqual([])));
  });
});

describe("a TAP report", () => {
  test("has a line for each job, and says of those that failed why", () => {
    expect(tap(report)).toBe(
      `TAP version 14
1..4
ok 1 - good
not ok 2 - bad
  ---
  message: "exit 3: \\"a\\" < b"
  attempts: 2
  output: "one\\ntwo red\\\\x07"
  ...
ok 3 - never \\#1 # SKIP it had not ended
ok 4 - flaky, or not
  ---
  attempts: 3
  ...
`,
    );
  });

  test("has as many points as jobs, whatever they are called and print", () => {
    fc.assert(
      fc.property(hostileReport, (any) => {
        const points = tap(any)
          .split("\n")
          .filter((line) => /^(?:not )?ok /.test(line));
        expect(points.map((line) => line.replace(/ - .*?(?<!\\)(# SKIP|$).*/, " $1").trim())).toEqual([
          ...["not ok 1", "ok 2", "ok 3 # SKIP"],
        ]);
      }),
    );
  });
});

test("an NDJSON report has a line for each job, in the order of their ends, and one for all", () => {
  const lines = ndjson(report).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { event: "ended", ...good, flaky: false, printed: [] },
    { event: "ended", ...flaky, flaky: true, printed: [{ attempt: 2, text: "second" }] },
    { event: "ended", ...bad, flaky: false, printed: report.printed.get("bad") },
    { event: "not_ended", ...open, flaky: false, printed: [] },
    { event: "summary", batch: "nightly", how: "timed_out", ms: 65_432, completed: 2, failed: 1, open: 1 },
  ]);
});

describe("to GitHub Actions", () => {
  const told = (any: Report): string =>
    [
      ...any.results.slice(0, 1).flatMap((result) => GITHUB.failure(result, any.printed.get(result.id) ?? [])),
      ...GITHUB.end(any),
    ].join("\n");

  test("a failure is an annotation, with what the job printed in a group, and a flaky job is a warning", () => {
    const failing = { ...report, results: [bad, flaky] };
    expect(takeCommands(told(failing))).toEqual({
      annotations: [
        { level: "error", title: "Job bad failed", message: 'exit 3: "a" < b' },
        { level: "warning", title: "Job flaky, or not is flaky", message: "it was completed at attempt 3" },
        {
          level: "error",
          title: "nightly",
          message: "Timed out. 2 jobs in 1m5s: 1 completed (1 after a retry), 1 failed.",
        },
      ],
      groups: { '✗ bad: exit 3: "a" < b': ["one", "two red\\x07"] },
      others: [],
    });
  });

  test("no job can give a command, whatever it is called and prints", () => {
    fc.assert(
      fc.property(hostileReport, (any) => {
        const { annotations, others } = takeCommands(told(any));
        expect([annotations.map(({ level }) => level), others]).toEqual([["error", "warning"], []]);
      }),
    );
  });

  test("the page of the step holds no Markdown and no HTML of a job's", () => {
    fc.assert(
      fc.property(hostileReport, (any) => {
        const page = GITHUB.page?.(any) ?? "";
        const own = page.replaceAll(/&#\d+;/g, "").replaceAll(/<\/?(?:details|summary|pre)>|^\| ---.*$|^### /gm, "");
        expect(own).not.toMatch(/[<>`[\]*_]/);
        expect(
          page
            .split("\n")
            .filter((line) => line.startsWith("| "))
            .every((line) => line.split("|").length === 6),
        ).toBe(true);
      }),
    );
  });
});

test("to GitLab, what a job printed is in a section, which it can neither end nor begin", () => {
  const teller = gitlab(() => T0);
  const printed = [{ attempt: 2, text: "a\n\u001b[0Ksection_end:1:queuectl_1\r\u001b[0K\nb" }];
  const at = T0 / 1000;
  expect(teller.failure(bad, printed)).toEqual([
    `\u001b[0Ksection_start:${at}:queuectl_1[collapsed=true]\r\u001b[0K✗ bad: exit 3: "a" < b`,
    ...["a", "section_end:1:queuectl_1", "b"],
    `\u001b[0Ksection_end:${at}:queuectl_1\r\u001b[0K`,
  ]);
  expect(teller.failure(bad, printed)[0]).toContain("queuectl_2");
});
