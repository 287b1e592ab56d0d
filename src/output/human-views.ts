/** The lines that people read, view by view. Into a pipe they are exactly the documented text. */
import type { Alteration } from "../job/alteration.ts";
import { unreachable } from "../job/errors.ts";
import type { Tally } from "../store/item.ts";
import type { Present } from "../store/present.ts";
import { type Colours, NO_COLOURS } from "./colours.ts";
import { changeLine, configLines, originLines } from "./config-views.ts";
import { examinationLines, mendingLines } from "./doctor-views.ts";
import type { EnqueuedView } from "./enqueued-view.ts";
import { entryLines } from "./entry-view.ts";
import { escapeControls } from "./escape.ts";
import { deadLetterTable, jobTable, type Look } from "./job-tables.ts";
import { jsonArray } from "./json-array.ts";
import { outcomeLine } from "./outcome-view.ts";
import type { View } from "./output.ts";
import { queueLines, ruleLine } from "./queue-views.ts";
import { reasonText } from "./reason-view.ts";
import { fieldTable, tabSeparated } from "./record-columns.ts";
import { addedLine, scheduleLines } from "./schedule-views.ts";
import { statsLines } from "./stats-view.ts";
import { verdictLines } from "./verdict-view.ts";
import { count, workerLogLines } from "./worker-log.ts";

/** Where the lines go: a terminal of some width, or (undefined) a pipe or file. */
export interface Screen {
  readonly width: number;
  readonly colours: Colours;
}

/** What became of a single job is told by enqueued-view.ts: to enqueue one must not load all of these. */
export type OtherView = Exclude<View, EnqueuedView>;

/** The text of a view, in pieces that end with a newline. */
export function* renderView(view: OtherView, screen: Screen | undefined): Generator<string> {
  if (screen === undefined && view.view === "jobs") {
    return yield* view.columns ? tabSeparated(view.jobs, view.columns) : jsonArray(view.jobs);
  }
  if (screen === undefined && view.view === "dead-letters") return yield* jsonArray(view.dead);
  for (const line of lines(view, screen)) yield `${line}\n`;
}

type Lines = {
  readonly [Kind in OtherView["view"]]: (
    view: Extract<View, { view: Kind }>,
    screen: Screen | undefined,
  ) => Iterable<string>;
};

const LINES: Lines = {
  "bulk-enqueued": (view) => [bulkLine(view)],
  jobs: (view, screen) => jobLines(view, { ...onScreen(screen), now: view.now }),
  "dead-letters": (view, screen) => {
    if (view.dead.length === 0) return ["The dead letter queue is empty."];
    return deadLetterTable(view.dead, { ...onScreen(screen), now: view.now });
  },
  status: (view, screen) => statusLines(view, screen),
  pruned: (view) => prunedLines(view),
  exported: (view) => [`Exported ${tallyText(view.exported)} to ${escapeControls(view.path)}.`],
  "import-checked": (view) => [
    `Would import ${tallyText(view.checked)}${view.merge ? ", less what is there already" : ""}.`,
  ],
  imported: (view) => importedLines(view),
  queues: (view, screen) => queueLines(view, onScreen(screen)),
  "queue-changed": (view) => [ruleLine(view)],
  schedules: (view, screen) => scheduleLines(view, onScreen(screen)),
  "schedule-added": (view) => [addedLine(view)],
  "schedule-removed": (view) => [`Schedule ${escapeControls(view.name)} removed; its jobs stay.`],
  altered: (view) => view.done.map(({ event, job }) => alteredLine(event, escapeControls(job.id), view.dryRun)),
  config: (view, screen) => configLines(view, screen),
  setting: (view) => [escapeControls(String(view.value))],
  "setting-changed": (view) => [changeLine(view.key, view.value, view.unset)],
  store: (view) => [escapeControls(view.store)],
  "store-changed": (view) => [changeLine("store", view.store, view.unset)],
  origins: (view, screen) => originLines(view, screen),
  entry: (view, screen) => entryLines(view, screen),
  executed: () => [],
  outcome: (view) => [outcomeLine(view)],
  stats: (view, screen) => statsLines(view.stats, onScreen(screen)),
  why: (view) => [escapeControls(reasonText(view.reason, view.now))],
  detached: (view) => detachedLines(view),
  stopped: (view) => [stoppedLine(view)],
  examination: (view, screen) => examinationLines(view, screen?.colours),
  mending: (view, screen) => mendingLines(view, screen?.colours),
  migration: (view) => migrationLines(view),
  verdict: (view) => verdictLines(view),
  completion: (view) => view.script.trimEnd().split("\n"),
  version: (view) => [
    `queuectl ${view.version} (${view.commit === undefined ? "" : `${view.commit}, `}Bun ${view.bun})`,
  ],
};

function lines(view: OtherView, screen: Screen | undefined): Iterable<string> {
  const linesOf = LINES[view.view] as (view: OtherView, screen: Screen | undefined) => Iterable<string>;
  return linesOf(view, screen);
}

function jobLines({ jobs, state, columns, isPartial }: Extract<View, { view: "jobs" }>, look: Look): Iterable<string> {
  if (jobs.length > 0) return columns ? fieldTable(jobs, columns, look) : jobTable(jobs, look);
  return [`No ${state === undefined ? "" : `${state} `}jobs${isPartial ? " like that" : ""}.`];
}

function alteredLine(event: Alteration["event"], id: string, dryRun: boolean): string {
  switch (event) {
    case "failed":
      return dryRun ? `Would cancel job ${id}.` : `Job ${id} canceled.`;
    case "requeued":
      return dryRun ? `Would move job ${id} back to queue.` : `🔁 Job ${id} moved back to queue.`;
    case "edited":
      return dryRun ? `Would change job ${id}.` : `Job ${id} changed.`;
    case "removed":
      return dryRun ? `Would remove job ${id}.` : `Job ${id} removed.`;
    default:
      return unreachable(event);
  }
}

function prunedLines({ pruned, dryRun }: Extract<View, { view: "pruned" }>): string[] {
  const { archived, logs, bytes } = pruned;
  const jobs = count(archived, "completed job", "completed jobs");
  const files = `${count(logs, "log", "logs")}${logs === 0 ? "" : ` (${count(bytes, "byte", "bytes")})`}`;
  return [dryRun ? `Would archive ${jobs} and remove ${files}.` : `Archived ${jobs} and removed ${files}.`];
}

function importedLines({ imported: { added, skipped } }: Extract<View, { view: "imported" }>): string[] {
  const lines = [`Imported ${tallyText(added)}.`];
  const isWhole = Object.values(skipped).every((number) => number === 0);
  return isWhole ? lines : [...lines, `Left out what is there already: ${tallyText(skipped)}.`];
}

function tallyText({ settings, jobs, dead_letters, archived }: Tally): string {
  const parts = [
    count(jobs, "job", "jobs"),
    count(dead_letters, "dead letter", "dead letters"),
    count(archived, "archived job", "archived jobs"),
  ];
  return `${parts.join(", ")} and ${count(settings, "setting", "settings")}`;
}

/** What would be done is SQL, and nothing else that is no comment in it. */
function migrationLines({ location, migrations, dryRun }: Extract<View, { view: "migration" }>): string[] {
  if (migrations.length === 0) return [`${dryRun ? "-- " : ""}Nothing to migrate in ${escapeControls(location)}`];
  if (!dryRun) return migrations.map(({ name }) => `Applied ${name}.`);
  return migrations.flatMap(({ name, sql }) => [`-- ${name}`, ...sql.trimEnd().split("\n").map(escapeControls)]);
}

function onScreen(screen: Screen | undefined): Screen {
  return screen ?? { width: Number.POSITIVE_INFINITY, colours: NO_COLOURS };
}

function bulkLine({ enqueued, skipped, dryRun }: Extract<View, { view: "bulk-enqueued" }>): string {
  const jobs = count(enqueued, "job", "jobs");
  const done = dryRun ? `Would enqueue ${jobs}` : `${jobs} enqueued`;
  if (skipped === 0) return `${done}.`;
  const why = `(${skipped === 1 ? "its id or key exists" : "their ids or keys exist"} already)`;
  return dryRun ? `${done} and skip ${skipped} ${why}.` : `${done}, ${skipped} skipped ${why}.`;
}

function* statusLines(view: Extract<View, { view: "status" }>, screen: Screen | undefined): Generator<string> {
  const { pending, processing, completed, archived, failed, dead } = view.counts;
  yield "📊 Queue Status:";
  yield `{ activeWorkers: ${view.workers.length}, pending: ${pending}, processing: ${processing}, completed: ${completed}, failed: ${failed} }`;
  if (screen && archived > 0) {
    yield screen.colours.dim(`${archived} of the completed are archived: see queuectl list --archived`);
  }
  if (screen && dead > 0) {
    yield screen.colours.yellow(`${count(dead, "job", "jobs")} in the dead letter queue: see queuectl dlq-list`);
  }
}

function detachedLines(view: Extract<View, { view: "detached" }>): string[] {
  const events = [
    { event: "starting" as const, count: view.count },
    ...view.workers.map((worker, i) => ({ event: "worker-started" as const, number: i + 1, pid: worker.pid })),
  ];
  const unseen = view.count - view.workers.length;
  const rest =
    unseen === 0 ? [] : [`${count(unseen, "worker has", "workers have")} left already, or did not come up yet.`];
  return [...events.flatMap(workerLogLines), ...rest, `Running in the background; log: ${escapeControls(view.log)}`];
}

function stoppedLine({ stopped, unreachable: left }: Extract<View, { view: "stopped" }>): string {
  const workers = stopped.filter(isWorker).length;
  if (workers > 0) return `Stopped ${count(workers, "worker", "workers")}.`;
  if (stopped.length > 0) return `Stopped ${count(stopped.length, "supervisor", "supervisors")} without workers.`;
  return left.length > 0 ? "Stopped no workers." : "No workers are running.";
}

function isWorker(present: Present): boolean {
  return present.kind === "worker";
}
