/** What pipelines are told beside the exit code: by reports in files, and in the ways of the CI systems. */
import { expect } from "bun:test";
import { takeCommands } from "../support/actions-runner.ts";
import { test } from "../support/both-stores.ts";
import { breaches } from "../support/junit-schema.ts";
import { parseXml } from "../support/xml.ts";

/** As a step of a workflow: 30 jobs, of which 3 need a second attempt and 1 never comes to an end that is good. */
const STEP = String.raw`
  set -u
  for n in $(seq 1 30); do
    case $n in
      7|17|27) command='echo try $QUEUECTL_ATTEMPT; [ $QUEUECTL_ATTEMPT = 2 ]' ;;
      13) command='echo ::set-env name=PATH::/tmp; echo \"##[add-mask]a\"; echo 3 problems; exit 9' ;;
      *) command='echo fine' ;;
    esac
    printf '{"id":"test-%s","command":"%s"}\n' "$n" "$command"
  done > tests.jsonl
  queuectl run tests.jsonl --jobs 4 --report junit=results.xml --report tap=results.tap > told 2>&1
  echo $? > code
`;

test("a step of a workflow with 30 jobs, 3 of them flaky and 1 broken, is told what a person and a machine need", async (home) => {
  home.write("summary.md", "### Before\n");
  const env = {
    ...{ CI: "true", GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: `${home.path}/summary.md` },
    ...{ QUEUECTL_BACKOFF_BASE: "0", QUEUECTL_MAX_RETRIES: "1" },
  };
  expect(await home.startOther(["/bin/bash", "-c", STEP], { env }).end()).toEqual({
    ...{ stdout: "", stderr: "", exitCode: 0 },
  });
  expect(home.read("code")).toBe("5\n");
  const { annotations, groups, others } = takeCommands(home.read("told"));
  expect(others).toEqual([]);
  expect(annotations).toEqual([
    { level: "error", title: "Job test-13 failed", message: "exit 9: 3 problems" },
    ...["test-7", "test-17", "test-27"].map((id) => ({
      ...{ level: "warning", title: `Job ${id} is flaky`, message: "it was completed at attempt 2" },
    })),
  ]);
  expect(groups).toEqual({
    "✗ test-13: exit 9: 3 problems": ["::set-env name=PATH::/tmp", "##[add-mask]a", "3 problems"],
  });
  const summary = "30 jobs in N: 29 completed (3 after a retry), 1 failed.";
  expect(
    home
      .lines("told")
      .at(-1)
      ?.replace(/in [\d.]+s/, "in N"),
  ).toBe(summary);
  const page = home.read("summary.md").replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
  expect(page.replace(/in [\d.]+s/, "in N")).toBe(`### Before
### ❌ tests

${summary}

| job | | attempts | |
| --- | --- | ---: | --- |
| test-13 | ❌ failed | 2 | exit 9: 3 problems |
| test-7 | ⚠️ flaky | 2 |  |
| test-17 | ⚠️ flaky | 2 |  |
| test-27 | ⚠️ flaky | 2 |  |

<details><summary>test-13</summary>
<pre>::set-env name=PATH::/tmp
##[add-mask]a
3 problems</pre>
</details>

`);
  const suites = parseXml(home.read("results.xml"));
  expect(breaches(suites)).toEqual([]);
  expect(suites.attributes).toMatchObject({ tests: "30", failures: "1" });
  const parts = suites.children[0]?.children.flatMap(({ children }) => children.map(({ name }) => name)) ?? [];
  expect([...new Set(parts)].map((name) => [name, parts.filter((part) => part === name).length])).toEqual([
    ["flakyFailure", 3],
    ["system-out", 4],
    ["failure", 1],
    ["rerunFailure", 1],
  ]);
  expect(home.lines("results.tap").slice(0, 3)).toEqual(["TAP version 14", "1..30", "ok 1 - test-1"]);
});

test("wait reports as run does, in a line a failure where output cannot be folded", async (home) => {
  await home.enqueue(
    { id: "good", command: "echo fine", batch: "b" },
    { id: "bad", command: "echo broken; exit 1", max_retries: 0, batch: "b" },
  );
  await home.drain();
  const plain = await home.run("wait", "--batch", "b", "--report", "ndjson=events");
  expect([plain.stderr, plain.exitCode]).toEqual(["✗ bad: exit 1: broken\n", 5]);
  const events = home.lines("events").map((line) => JSON.parse(line));
  expect(events.map(({ id, event }) => [event, id])).toEqual([
    ["ended", "good"],
    ["ended", "bad"],
    ["summary", undefined],
  ]);
  expect(events[1].printed).toEqual([{ attempt: 1, text: "broken\n" }]);
  const github = await home.runIn({ env: { GITHUB_ACTIONS: "true" } }, "wait", "--batch", "b");
  expect(takeCommands(github.stderr)).toEqual({
    annotations: [{ level: "error", title: "Job bad failed", message: "exit 1: broken" }],
    groups: { "✗ bad: exit 1: broken": ["broken"] },
    others: [],
  });
  const gitlab = await home.runIn({ env: { GITLAB_CI: "true" } }, "wait", "bad");
  expect(gitlab.stderr).toMatch(
    /^\x1b\[0Ksection_start:\d+:queuectl_1\[collapsed=true\]\r\x1b\[0K✗ bad: exit 1: broken\nbroken\n\x1b\[0Ksection_end:\d+:queuectl_1\r\x1b\[0K\n$/,
  );
});

test("what was not run is in the reports of a run that was stopped", async (home) => {
  home.write("jobs.jsonl", '{"id":"bad","command":"exit 1","max_retries":0}\n{"id":"never","command":"true"}\n');
  const options = ["--fail-fast", "--jobs", "1", "--report", "junit=results.xml", "--json"];
  const { stdout, stderr, exitCode } = await home.runIn(
    { env: { GITHUB_ACTIONS: "true" } },
    "run",
    "jobs.jsonl",
    ...options,
  );
  expect([JSON.parse(stdout).how, stderr, exitCode]).toEqual(["gave_up", "", 5]);
  const cases = parseXml(home.read("results.xml")).children[0]?.children ?? [];
  expect(cases.map(({ attributes, children }) => [attributes.name, children.map(({ name }) => name)])).toEqual([
    ["bad", ["failure"]],
    ["never", ["skipped"]],
  ]);
});

test.each<[report: string, sentence: string]>([
  ["junit", 'Expected --report to be junit=path, tap=path, ndjson=path, got "junit".\n'],
  ["junt=a.xml", 'got "junt=a.xml".\nDid you mean "junit"?\n'],
  ["tap=nowhere/a", "Cannot write nowhere/a: ENOENT.\n"],
])("a report that cannot be written is told before anything is run: %s", async (home, report, sentence) => {
  home.write("jobs.jsonl", '{"command":"echo > ran"}\n');
  const { stdout, stderr, exitCode } = await home.run("run", "jobs.jsonl", "--report", report);
  expect([stdout, exitCode, home.read("ran")]).toEqual(["", 2, ""]);
  expect(stderr).toEndWith(sentence);
});
