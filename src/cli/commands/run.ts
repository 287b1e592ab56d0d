import { parse } from "node:path";
import { shown } from "../../job/shown.ts";
import { TIMEOUTS } from "../../job/spec-terms.ts";
import { progressOf } from "../../output/outcome-view.ts";
import type { Arguments, Command } from "../command.ts";
import { exitCodeFor } from "../exit-code.ts";
import { mistake } from "../mistake.ts";
import { duration, wholeNumber } from "../option-values.ts";
import { REPORT_OPTION, Reporting } from "../reporting.ts";

const MAX_JOBS = 1000;

export const run: Command = {
  name: "run",
  summary: "Run a batch of jobs to its end, in a queue of its own",
  details: {
    title: "How it ends",
    lines: [
      "0 when all jobs were completed, 5 when one failed for good, 6 when --timeout",
      "passed, 130 after ^C. After ^C, the timeout or too many failures, what runs is",
      "ended and the rest is not run. The queue is gone afterwards, unless --data-dir",
      "names a directory for it.",
    ],
  },
  arguments: [{ name: "jobs.jsonl|-", required: true, offer: { paths: "files" } }],
  options: [
    { name: "jobs", value: "n", summary: "How many run at a time (default: one a processor)" },
    { name: "fail-fast", summary: "Stop when a job has failed for good" },
    { name: "max-failures", value: "n|p%", summary: "Stop when so many have, or that part of all" },
    { name: "timeout", value: "duration", summary: "Stop when so much time has passed, like 90s or 10m" },
    REPORT_OPTION,
  ],
  examples: [
    "queuectl run jobs.jsonl --jobs 8",
    "queuectl run tests.jsonl --fail-fast --timeout 30m --report junit=results.xml",
    `ls *.png | jq -cR '{id: ., command: ("optipng " + @sh)}' | queuectl run - --max-failures 5%`,
  ],
  async run(context, args) {
    const { readJobLines } = await import("../job-lines.ts");
    const { runBatch } = await import("../batch-run.ts");
    const { RunDirectory } = await import("../run-directory.ts");
    const { output, now, storeIn } = context;
    const [path = ""] = args.words;
    const limit = failureLimit(args);
    const jobsAtATime = wholeNumber(args, "jobs", { min: 1, max: MAX_JOBS }) ?? navigator.hardwareConcurrency;
    const timeoutMs = duration(args, "timeout", TIMEOUTS);
    const jobs = await readJobLines(path);
    using reporting = await Reporting.begin(args, context);
    using directory = new RunDirectory(args.options.get("data-dir"));
    const startedAt = now();
    const store = await storeIn(directory.path);
    try {
      const ended = await runBatch(store, jobs, {
        ...{ jobs: jobsAtATime, maxFailures: limit(jobs.length), timeoutMs, now, warn: output.warn.bind(output) },
        async onLook(results, failed) {
          await reporting.failed(store, failed);
          output.progress(progressOf(results));
        },
      });
      const outcome = { ...ended, ms: now() - startedAt };
      output.progress(undefined);
      await reporting.ended(store, outcome, path === "-" ? "queuectl run" : parse(path).name);
      await output.result({ view: "outcome", ...outcome });
      return exitCodeFor(outcome.how, outcome.results);
    } finally {
      await store.close();
    }
  },
};

/** How many failures are too many, of so many jobs. Throws `E_USAGE`. */
function failureLimit({ options }: Arguments): (total: number) => number | undefined {
  const text = options.get("max-failures");
  if (options.has("fail-fast")) {
    if (text !== undefined) throw mistake("--fail-fast is --max-failures 1: give one of them.");
    return () => 1;
  }
  if (text === undefined) return () => undefined;
  const [, digits = "", percent] = /^(\d{1,9})(%?)$/.exec(text) ?? [];
  const number = Number(digits);
  if (number < 1 || (percent && number > 100)) {
    throw mistake(`Expected --max-failures to be a number like 3 or 10%, got ${shown(text)}.`);
  }
  return (total) => (percent ? Math.max(1, Math.ceil((total * number) / 100)) : number);
}
