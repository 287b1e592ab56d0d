/** What the program prints with --json, held against the schema that is published for it (docs/schema/documents.json). */
import { expect, test as testOnce } from "bun:test";
import { BY_CODE } from "../../src/cli/exit-code.ts";
import { CONFIG_KEYS } from "../../src/config.ts";
import { JOB_STATES } from "../../src/job/job.ts";
import { SETTINGS } from "../../src/settings.ts";
import { test } from "../support/both-stores.ts";
import { Home } from "../support/home.ts";
import { DOCUMENTS, errorsOf, SCHEMA } from "../support/schema.ts";
import { sorted } from "../support/sorted.ts";

/** Commands in an order in which each finds something to tell, with the kind of document that it prints. */
const PRINTED: readonly (readonly [kind: string, ...args: string[]])[] = [
  ["doctor", "doctor"],
  [
    "enqueue",
    "enqueue",
    '{"id":"p1","command":"echo hi","priority":5,"cwd":"/","env":{"A":"b"},"timeout":"1m","queue":"q","batch":"b"}',
  ],
  ["enqueue", "enqueue", '{"id":"p1","command":"true"}', "--skip-existing"],
  ["enqueue_many", "enqueue", "--file", "jobs.jsonl", "--dry-run"],
  ["enqueue_many", "enqueue", "--file", "jobs.jsonl"],
  ["enqueue", "enqueue", "--after", "p1", "-c", "true"],
  ["list", "list"],
  ["why", "why", "p1"],
  ["list_columns", "list", "--columns", "id,state"],
  ["show", "show", "p1"],
  ["logs", "logs", "p1"],
  ["event", "worker-start", "--drain"],
  ["list", "list"],
  ["list", "list", "--archived"],
  ["show", "show", "p1"],
  ["logs", "logs", "p1"],
  ["happening", "events"],
  ["dlq_list", "dlq-list"],
  ["show", "show", "bad"],
  ["outcome", "wait", "--all"],
  ["exec", "exec", "--batch", "b", "-c", "true"],
  ["outcome", "run", "jobs.jsonl"],
  ["why", "why", "bad"],
  ["why", "why", "p1"],
  ["stats", "stats"],
  ["altered", "edit", "bad", "--max-retries", "1"],
  ["altered", "dlq-remove", "bad", "--yes", "--dry-run"],
  ["altered", "dlq-retry", "bad"],
  ["altered", "cancel", "bad"],
  ["altered", "retry", "bad", "--dry-run"],
  ["altered", "remove", "bad", "--yes"],
  ["queue_rule", "queue-set", "deploy", "--concurrency", "1", "--rate", "10/m"],
  ["queue_rule", "pause"],
  ["queue_rule", "pause", "deploy"],
  ["queue_list", "queue-list"],
  ["queue_rule", "resume"],
  ["schedule_add", "schedule-add", "s", "@daily", "--queue", "deploy", "--env", "A=b", "-c", "true"],
  ["schedule_list", "schedule-list"],
  ["schedule_remove", "schedule-remove", "s"],
  ["config", "config-set", "split_logs", "true"],
  ["exec", "exec", "--id", "split", "-c", "echo out; echo err >&2"],
  ["show", "show", "split"],
  ["logs", "logs", "split"],
  ["logs", "logs", "split", "--stderr"],
  ["worker_start_detached", "worker-start", "--detach"],
  ["status", "status"],
  ["worker_stop", "worker-stop"],
  ["config", "config-set", "max_retries", "5"],
  ["config", "config-set", "--unset", "backoff_base"],
  ["config", "config-get"],
  ["config", "config-get", "keep_logs"],
  ["store", "config-get", "store"],
  ["origins", "config-get", "--show-origin"],
  ["prune", "prune", "--keep", "0", "--dry-run"],
  ["prune", "prune", "--keep", "0"],
  ["list", "list", "--archived"],
  ["export_line", "export"],
  ["export", "export", "--output", "queue.jsonl"],
  ["import_dry_run", "import", "queue.jsonl", "--merge", "--dry-run"],
  ["import", "import", "queue.jsonl", "--merge"],
  ["doctor", "doctor"],
  ["store_migrate", "store-migrate", "--dry-run"],
  ["completion", "completion", "bash"],
  ["version", "--version"],
];

test("every command prints what the schema says", async (home) => {
  home.write(
    "jobs.jsonl",
    '{"id":"bad","command":"exit 3","max_retries":0,"no_retry_on":[3,"signal"]}\n{"id":"b","command":"true"}',
  );
  for (const [kind, ...args] of PRINTED) await conforms(home, kind, args);
});

testOnce("so do those that keep a queue in files alone", async () => {
  await using home = new Home();
  home.write("db/data/queue.json", '{"jobs":[{"id":"a","command":"true"}],"x');
  const others: typeof PRINTED = [
    ["doctor", "doctor"],
    ["doctor_fix", "doctor", "--fix", "--yes"],
    ["doctor_fix", "doctor", "--fix"],
    ["store", "config-set", "store", "files"],
    ["selftest", "selftest", "--jobs", "3", "--crash", "1"],
  ];
  for (const [kind, ...args] of others) await conforms(home, kind, args);
  const all = [...PRINTED, ...others].map(([kind]) => kind);
  expect(DOCUMENTS.filter((kind) => !all.includes(kind))).toEqual(["message"]);
  const commands = [...PRINTED, ...others].map(([, command]) => command);
  const names = (await home.obey("__complete", "")).split("\n").map((line) => line.replace(/\t.*/, ""));
  // top draws on a terminal and prints no document.
  expect(names.filter((name) => !commands.includes(name))).toEqual(["top", "help", ""]);
});

test("mistakes are what the schema says", async (home) => {
  for (const args of [["show", "nope"], ["lst"], ["config-set", "max_retries", "x"]]) {
    const { stderr, exitCode } = await home.run(...args, "--json");
    expect(exitCode).not.toBe(0);
    expect(errorsOf("message", JSON.parse(stderr))).toEqual([]);
  }
});

testOnce("the schema knows every setting with its range, every state, and every error", () => {
  const { config, job, message } = SCHEMA.$defs;
  const ranges = CONFIG_KEYS.map((key) => {
    const setting = SETTINGS[key];
    if (setting.kind === "number") return [key, { minimum: setting.min, maximum: setting.max }];
    return [key, { type: setting.kind === "switch" ? "boolean" : "string" }];
  });
  expect(config?.properties).toMatchObject(Object.fromEntries(ranges));
  expect(Object.keys(config?.properties ?? {})).toEqual(CONFIG_KEYS);
  expect(job?.properties.state?.enum).toEqual(JOB_STATES);
  const codes = JSON.stringify(message).match(/E_\w+/g) ?? [];
  expect(sorted(codes)).toEqual(sorted([...Object.keys(BY_CODE), "E_BUG"]));
});

testOnce("the check finds a field that is missing, wrong or not named", () => {
  expect(errorsOf("prune", { archived: 1, logs: 0, bytes: 0, dry_run: false })).toEqual([]);
  expect(errorsOf("prune", { archived: 1, logs: 0, bytes: 0 })).not.toEqual([]);
  expect(errorsOf("prune", { archived: "1", logs: 0, bytes: 0, dry_run: false })).not.toEqual([]);
  expect(errorsOf("prune", { archived: 1, logs: 0, bytes: 0, dry_run: false, more: 1 })).not.toEqual([]);
});

/** Events, of workers or of jobs, and an export are one document a line. */
async function conforms(home: Home, kind: string, args: readonly string[]): Promise<void> {
  const { stdout } = await home.run(...args, "--json");
  const texts = ["event", "export_line", "happening"].includes(kind) ? stdout.trimEnd().split("\n") : [stdout];
  for (const text of texts) {
    expect({ args, text, errors: errorsOf(kind, JSON.parse(text)) }).toEqual({ args, text, errors: [] });
  }
}
