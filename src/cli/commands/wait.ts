import { parseQueueName } from "../../job/queue.ts";
import { hasFailed, isOpen, type JobResult } from "../../job/result.ts";
import { TIMEOUTS } from "../../job/spec-terms.ts";
import { progressOf } from "../../output/outcome-view.ts";
import type { BatchOutcome, Output } from "../../output/output.ts";
import type { Store } from "../../store/store.ts";
import { ANY_ID, type Arguments, type Command, type Context } from "../command.ts";
import { exitCodeFor } from "../exit-code.ts";
import { JobWatch, type Selection } from "../job-watch.ts";
import { mistake } from "../mistake.ts";
import { duration } from "../option-values.ts";
import { REPORT_OPTION, Reporting } from "../reporting.ts";

/** Of those that are waited for, so many are named. */
const MAX_NAMED = 3;

export const wait: Command = {
  name: "wait",
  summary: "Wait until jobs have ended; succeed only if all were completed",
  details: {
    title: "Exit code",
    lines: [
      "0 when all were completed, 5 when one failed or is in the DLQ, 6 when --timeout",
      "passed, 3 when there is no such job, 130 after ^C. The jobs go on whatever",
      "becomes of the waiting.",
    ],
  },
  arguments: [{ name: "id", required: false, many: true, offer: ANY_ID }],
  options: [
    { name: "batch", value: "batch", summary: "For all jobs of this batch" },
    { name: "queue", value: "name", offer: { names: "queues" }, summary: "As --all, but of this queue only" },
    { name: "all", summary: "For everything that has not ended, and what is enqueued meanwhile" },
    { name: "timeout", value: "duration", summary: "No longer than so, like 90s or 10m" },
    REPORT_OPTION,
  ],
  examples: [
    "queuectl wait p1 p2",
    "queuectl wait --batch nightly --timeout 2h && ./publish.sh",
    "queuectl wait --all --json | jq -r '.jobs[] | select(.state == \"dead\").id'",
  ],
  async run(context, args) {
    const { store, output, now, env } = context;
    const asked = selectionIn(args);
    const timeoutMs = duration(args, "timeout", TIMEOUTS);
    using reporting = await Reporting.begin(args, context);
    const startedAt = now();
    const opened = await store();
    const watch = await JobWatch.begin(opened, { ...asked, except: ownJob(opened, env, asked) });
    const begun = (open: readonly JobResult[]): void =>
      output.note(`Waiting for ${reporting.teller.harmless(named(open))}...`);
    const how = await waitFor(watch, { timeoutMs, output, begun });
    const { results } = watch;
    const outcome = { results, how, ms: now() - startedAt };
    await reporting.failed(opened, results.filter(hasFailed), { brief: true });
    await reporting.ended(opened, outcome, nameOf(asked));
    await output.result({ view: "outcome", ...outcome });
    return exitCodeFor(how, results);
  },
};

function selectionIn({ words, options }: Arguments): Selection {
  const batch = options.get("batch");
  const queue = options.get("queue");
  const ways = [words.length > 0, batch !== undefined, queue !== undefined, options.has("all")].filter(Boolean).length;
  if (ways !== 1) {
    throw mistake(`${ways === 0 ? "For what?" : "For what of these?"} Give ids, --batch, --queue or --all.`);
  }
  if (batch !== undefined) return { of: "batch", batch };
  if (queue !== undefined) return { of: "all", queue: parseQueueName(queue) };
  return options.has("all") ? { of: "all" } : { of: "ids", ids: [...new Set(words)] };
}

/** The job that this very process is part of. Throws `E_USAGE` where that is named. */
function ownJob({ mark }: Store, env: Context["env"], selection: Selection): string | undefined {
  if (Object.entries(mark).some(([name, value]) => env[name] !== value)) return undefined;
  const own = env.QUEUECTL_JOB_ID;
  if (selection.of === "ids" && own !== undefined && selection.ids.includes(own)) {
    throw mistake(`Job ${own} would wait for itself.`);
  }
  return own;
}

async function waitFor(
  watch: JobWatch,
  options: { timeoutMs: number | undefined; output: Output; begun: (open: readonly JobResult[]) => void },
): Promise<BatchOutcome["how"]> {
  const { timeoutMs, output, begun } = options;
  const stop = new AbortController();
  const interrupt = (): void => stop.abort("interrupted");
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.abort("timed-out"), timeoutMs);
  process.once("SIGINT", interrupt);
  const open = watch.results.filter(isOpen);
  if (open.length > 0) begun(open);
  await watch.untilEnded(stop.signal, () => output.progress(progressOf(watch.results)));
  process.off("SIGINT", interrupt);
  clearTimeout(timer);
  output.progress(undefined);
  // What ended in the last moment has ended.
  return watch.results.some(isOpen) ? stop.signal.reason : "all-ended";
}

function nameOf(selection: Selection): string {
  if (selection.of === "batch") return selection.batch;
  return selection.of === "all" && selection.queue !== undefined ? selection.queue : "queuectl wait";
}

function named(results: readonly JobResult[]): string {
  const names = results.slice(0, MAX_NAMED).map(({ id }) => id);
  const more = results.length - names.length;
  return more === 0 ? names.join(", ") : `${names.join(", ")} and ${more} more`;
}
