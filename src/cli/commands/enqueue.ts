import { QueueError } from "../../job/errors.ts";
import { parseJobSpec } from "../../job/spec.ts";
import type { Arguments, Command, Context } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const enqueue: Command = {
  name: "enqueue",
  summary: "Add a job given as JSON, or many, one a line",
  details: {
    title: "Fields of a job",
    lines: [
      "command      What /bin/sh -c runs (required)",
      "id           A name of your own (default: one is made up)",
      "run_at       Not before: epoch milliseconds or ISO 8601 (default: now)",
      "max_retries  Retries after the first attempt (default: the setting)",
      "delay        Not before so long from now, instead of run_at",
      "priority     -1000 to 1000, higher runs first (default: 0)",
      "queue        The queue it is in (default: default)",
      "cwd          The directory it runs in (default: its worker's)",
      'env          Variables for it: {"NAME":"value"}',
      "timeout      How long an attempt may take",
      "expires_in   How long from now it may be begun",
      'retry_on     Retry only these failures: [75,"signal","timeout"]',
      "no_retry_on  Do not retry these failures",
      "Durations are like 90s, 15m, 2h30m, 1d, or a number of milliseconds.",
    ],
  },
  arguments: [{ name: "json|-", required: false }],
  options: [
    { name: "file", value: "path", summary: "Add the jobs in a file, one JSON a line (- reads standard input)" },
    { name: "atomic", summary: "With many jobs: add all of them or none" },
    { name: "skip-existing", summary: "Leave out jobs whose ids are taken, instead of failing" },
  ],
  examples: [
    `queuectl enqueue '{"id":"p1","command":"echo hi"}'`,
    `queuectl enqueue '{"command":"make test","max_retries":0}'`,
    `queuectl enqueue '{"command":"./nightly.sh","run_at":"2026-01-31T02:00:00Z"}'`,
    "queuectl enqueue --file jobs.jsonl --skip-existing",
    `find . -name '*.png' | jq -cR '{command: ("optipng " + @sh)}' | queuectl enqueue -`,
  ],
  async run(context, args) {
    const [word] = args.words;
    const path = args.options.get("file") ?? (word === "-" ? "-" : undefined);
    const existing = args.options.has("skip-existing") ? "skip" : "refuse";
    const atomic = args.options.has("atomic");
    checkCombination(args);
    if (path === undefined) return enqueueOne(context, word ?? "", existing);
    const { enqueueLines } = await import("../bulk-enqueue.ts");
    return enqueueLines(context, { path, existing, atomic });
  },
};

async function enqueueOne({ store, output }: Context, json: string, existing: "refuse" | "skip"): Promise<number> {
  const spec = parseJobSpec(json);
  const [job] = await (await store()).enqueue([spec], { existing });
  output.result(job ? { view: "enqueued", job } : { view: "skipped", id: spec.id ?? "" });
  return EXIT.ok;
}

function checkCombination({ words: [word], options }: Arguments): void {
  if (options.has("file")) {
    if (word !== undefined) throw new QueueError("E_USAGE", "Give the jobs as an argument or by --file, not both.");
  } else if (word === undefined) {
    throw new QueueError("E_USAGE", "Missing <json>.", {
      hint: "Usage: queuectl enqueue <json>, or --file <path> or - for many, one a line",
    });
  } else if (options.has("atomic") && word !== "-") {
    throw new QueueError("E_USAGE", "--atomic is for many jobs: give them by --file or -.");
  }
}
