import type { Alteration } from "../../job/alteration.ts";
import { cancel as rule } from "../../job/control.ts";
import { type Entry, isDeadLetter, isIn } from "../../job/job.ts";
import type { Store } from "../../store/store.ts";
import { alter, DRY_RUN, isWanted, plan, YES } from "../alter-command.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { MATCH, SELECTORS, type Selection, select, stateOption } from "../selection.ts";

const STATES = ["pending", "processing"] as const;

export const cancel: Command = {
  name: "cancel",
  summary: "End jobs that wait or run: they are failed, and not tried again",
  details: {
    title: SELECTORS.title,
    lines: [
      ...SELECTORS.lines,
      "",
      "All processes of a running job are ended: TERM, after kill_grace KILL. This command",
      "waits until they are gone.",
    ],
  },
  arguments: [{ name: "id", required: false, many: true, offer: { names: STATES } }],
  options: [stateOption(STATES), MATCH, YES, DRY_RUN],
  examples: ["queuectl cancel p1", "queuectl cancel last --yes", "queuectl cancel --state pending --match 'nightly-*'"],
  async run(context, args) {
    const { output, now } = context;
    const store = await context.store();
    const selection = await select(store, args, STATES);
    await plan(store, selection, { rule, now: now() });
    const open = selection.entries.filter((entry) => STATES.some((state) => isIn(entry, state)));
    if (!(await isWanted(context, args, { selection, verb: "Cancel", planned: open }))) return EXIT.failure;
    if (args.options.has("dry-run")) {
      await output.result({ view: "altered", done: open.map((job) => ({ event: "failed", job })), dryRun: true });
      return EXIT.ok;
    }
    const done = await alter(store, selection, rule);
    const { endJobs } = await import("../../worker/cancel.ts");
    const report = await endJobs(store, await leftOf(selection, done, store), (running) =>
      output.note(`Waiting for ${running.map(({ id }) => id).join(", ")} to end...`),
    );
    const canceled = report.canceled.map((job) => ({ event: "failed", job }) as const);
    await output.result({ view: "altered", done: [...done, ...canceled], dryRun: false });
    for (const entry of report.ended) output.warn(`Job ${entry.id} ${howItEnded(entry)} before it could be canceled.`);
    for (const { id, worker_id } of report.unreachable) {
      output.warn(`Job ${id} goes on: its worker ${worker_id} cannot be asked from here. Cancel it where that runs.`);
    }
    const isDone = report.unreachable.length === 0 && (report.ended.length === 0 || selection.by === "condition");
    return isDone ? EXIT.ok : EXIT.failure;
  },
};

/** What is not canceled yet and has to be: what runs, and of what was named, all. */
async function leftOf(selection: Selection, done: readonly Alteration[], store: Store): Promise<readonly Entry[]> {
  const canceled = new Set(done.map(({ job }) => job.id));
  const left = new Map(selection.entries.filter(({ id }) => !canceled.has(id)).map((entry) => [entry.id, entry]));
  if (selection.by !== "condition") return [...left.values()];
  if (left.size === 0) return [];
  return (await store.list("processing")).filter((job) => left.has(job.id) && selection.holds(job));
}

function howItEnded(entry: Entry): string {
  if (isDeadLetter(entry)) return "came into the DLQ";
  return isIn(entry, "completed") || isIn(entry, "failed") ? `was ${entry.state}` : "left the queue";
}
