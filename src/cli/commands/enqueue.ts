import { parseJobSpec } from "../../job/spec.ts";
import { type Arguments, type Command, type Context, GLOBAL_OPTIONS } from "../command.ts";
import type { Way } from "../enqueue-ways.ts";
import { EXIT } from "../exit-code.ts";
import { LINE_OPTION, SPEC_OPTIONS } from "../spec-options.ts";

export const enqueue: Command = {
  name: "enqueue",
  summary: "Add a job, given as a command or as JSON, or many, one JSON a line",
  details: {
    title: "Fields of a job in JSON",
    lines: [
      "command      What /bin/sh -c runs (required)",
      "id           A name of your own (default: one is made up)",
      "run_at       Not before: epoch milliseconds or ISO 8601 (default: now)",
      "max_retries  Retries after the first attempt (default: the setting)",
      "delay        Not before so long from now, instead of run_at",
      "priority     -1000 to 1000, higher runs first (default: 0)",
      "queue        The queue it is in (default: default)",
      "after        Ids of jobs that have to be completed before it",
      "key          What only one job that is pending or processing may have",
      "if_exists    While another has its key: fail (default), skip, or replace:",
      "             then it takes the place of that one, if that is pending",
      "batch        A name for what it belongs to, to find and wait for its jobs",
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
  takesCommand: true,
  options: [
    LINE_OPTION,
    ...SPEC_OPTIONS,
    {
      name: "file",
      value: "path",
      offer: { paths: "files" },
      summary: "Add the jobs in a file, one JSON a line (- reads standard input)",
    },
    { name: "atomic", summary: "With many jobs: add all of them or none" },
    { name: "skip-existing", summary: "Leave out jobs whose ids or keys are taken, instead of failing" },
    { name: "dry-run", summary: "Only look whether they would be enqueued" },
  ],
  examples: [
    'queuectl enqueue -- ffmpeg -i "my film.mov" out.mp4',
    "queuectl enqueue -c 'make && make test' --timeout 10m --env CI",
    "queuectl enqueue --id nightly --at 2026-01-31T02:00:00Z --retry-on 75,signal -- ./nightly.sh",
    `queuectl enqueue '{"id":"p1","command":"echo hi"}'`,
    "queuectl enqueue --key report --if-exists skip -- ./report.sh",
    "queuectl enqueue --file jobs.jsonl --skip-existing --priority 5",
    "queuectl enqueue --file jobs.jsonl --dry-run",
    `find . -name '*.png' | jq -cR '{command: ("optipng " + @sh)}' | queuectl enqueue -`,
  ],
  async run(context, args) {
    const existing = args.options.has("skip-existing") ? "skip" : "refuse";
    const dryRun = args.options.has("dry-run");
    const way = await readWay(args, context);
    if (way.kind === "many") {
      const { enqueueLines } = await import("../bulk-enqueue.ts");
      return enqueueLines(context, { ...way, existing, dryRun });
    }
    const { spec, idAlone } = way;
    const store = await context.store();
    if (dryRun) {
      const { Rehearsal } = await import("../rehearsal.ts");
      const { length: enqueued } = await new Rehearsal(store, context.now).enqueue([spec], { existing });
      await context.output.result({ view: "bulk-enqueued", enqueued, skipped: 1 - enqueued, dryRun });
      return EXIT.ok;
    }
    const present: string[] = [];
    const [job] = await store.enqueue([spec], { existing, onSkip: (id) => present.push(id) });
    const [id = ""] = present;
    await context.output.result(job ? { view: "enqueued", job, idAlone } : { view: "skipped", id, idAlone });
    return EXIT.ok;
  },
};

/** Programs give a job in JSON and say nothing else: then what reads the other ways need not be loaded. */
async function readWay(args: Arguments, context: Context): Promise<Way> {
  const [word, surplus] = args.words;
  const isAlone = surplus === undefined && args.command === undefined && [...args.options.keys()].every(isBesideTheJob);
  if (isAlone && word?.startsWith("{")) return { kind: "one", spec: parseJobSpec(word), idAlone: false };
  return (await import("../enqueue-ways.ts")).readWay(args, context);
}

function isBesideTheJob(option: string): boolean {
  return ["skip-existing", "dry-run"].includes(option) || GLOBAL_OPTIONS.some(({ name }) => name === option);
}
