/** The lines that people read, view by view. Into a pipe they are exactly the documented text. */
import { CONFIG_KEYS, SETTINGS } from "../config.ts";
import type { Alteration } from "../job/alteration.ts";
import { unreachable } from "../job/errors.ts";
import { isDeadLetter } from "../job/job.ts";
import type { Tally } from "../store/item.ts";
import type { Present } from "../store/store.ts";
import { type Colours, NO_COLOURS, paintState } from "./colours.ts";
import { examinationLines, mendingLines } from "./doctor-views.ts";
import { escapeControls } from "./escape.ts";
import { deadLetterTable, jobTable } from "./job-tables.ts";
import { jsonArray } from "./json.ts";
import type { View } from "./output.ts";
import { iso, relative } from "./time.ts";
import { verdictLines } from "./verdict-view.ts";
import { count, workerLogLines } from "./worker-log.ts";

/** Where the lines go: a terminal of some width, or (undefined) a pipe or file. */
export interface Screen {
  readonly width: number;
  readonly colours: Colours;
}

/** The text of a view, in pieces that end with a newline. */
export function* renderView(view: View, screen: Screen | undefined): Generator<string> {
  if (screen === undefined && view.view === "jobs") return yield* jsonArray(view.jobs);
  if (screen === undefined && view.view === "dead-letters") return yield* jsonArray(view.dead);
  for (const line of lines(view, screen)) yield `${line}\n`;
}

function lines(view: View, screen: Screen | undefined): Iterable<string> {
  switch (view.view) {
    case "enqueued":
      return [`Job enqueued with ID: ${escapeControls(view.job.id)}`];
    case "skipped":
      return [`Job ${escapeControls(view.id)} exists already: skipped.`];
    case "bulk-enqueued":
      return [bulkLine(view)];
    case "jobs":
      if (view.jobs.length === 0) return [view.state === undefined ? "No jobs." : `No ${view.state} jobs.`];
      return jobTable(view.jobs, { ...onScreen(screen), now: view.now });
    case "dead-letters":
      if (view.dead.length === 0) return ["The dead letter queue is empty."];
      return deadLetterTable(view.dead, { ...onScreen(screen), now: view.now });
    case "status":
      return statusLines(view, screen);
    case "pruned":
      return prunedLines(view);
    case "exported":
      return [`Exported ${tallyText(view.exported)} to ${escapeControls(view.path)}.`];
    case "imported":
      return importedLines(view);
    case "altered":
      return view.done.map(({ event, job }) => alteredLine(event, escapeControls(job.id), view.dryRun));
    case "config":
      return configLines(view, screen);
    case "setting":
      return [String(view.value)];
    case "setting-changed":
      return [`⚙️ Config updated: ${view.key} = ${view.value}`];
    case "store":
      return [escapeControls(view.store)];
    case "store-changed":
      return [`⚙️ Config updated: store = ${escapeControls(view.store)}`];
    case "entry":
      return entryLines(view, screen);
    case "detached":
      return detachedLines(view);
    case "stopped":
      return [stoppedLine(view)];
    case "examination":
      return examinationLines(view, screen?.colours);
    case "mending":
      return mendingLines(view, screen?.colours);
    case "migration":
      return migrationLines(view);
    case "verdict":
      return verdictLines(view);
    case "version":
      return [`queuectl ${view.version} (${view.commit === undefined ? "" : `${view.commit}, `}Bun ${view.bun})`];
    default:
      return unreachable(view);
  }
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

function bulkLine({ enqueued, skipped }: Extract<View, { view: "bulk-enqueued" }>): string {
  const done = `${count(enqueued, "job", "jobs")} enqueued`;
  if (skipped === 0) return `${done}.`;
  return `${done}, ${skipped} skipped (${skipped === 1 ? "its id exists" : "their ids exist"} already).`;
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

function configLines({ config }: Extract<View, { view: "config" }>, screen: Screen | undefined): string[] {
  const width = Math.max(...CONFIG_KEYS.map((key) => `${key} = ${config[key]}`.length));
  return CONFIG_KEYS.map((key) => {
    const setting = `${key} = ${config[key]}`;
    return screen ? `${setting.padEnd(width)}  ${screen.colours.dim(SETTINGS[key].meaning)}` : setting;
  });
}

function entryLines({ entry, logs, now }: Extract<View, { view: "entry" }>, screen: Screen | undefined): string[] {
  const fields = Object.entries(entry).map(([name, value]) => ({
    name,
    text: fieldText(name, value, { now, screen }),
  }));
  if (isDeadLetter(entry)) fields.splice(2, 0, { name: "state", text: "in the dead letter queue" });
  for (const { attempt, path, elsewhere } of logs) {
    const place = elsewhere === undefined ? path : `on host ${elsewhere.host}: ${path}`;
    fields.push({ name: `log of attempt ${attempt}`, text: escapeControls(place) });
  }
  const width = screen ? Math.max(...fields.map((field) => field.name.length)) + 2 : 0;
  return fields.map(({ name, text }) => {
    const label = `${escapeControls(name)}: `.padEnd(width);
    return `${screen ? screen.colours.dim(label) : label}${text}`;
  });
}

/** Instants are the numbers whose name says so: `run_at`, `processing_started_at`. */
function fieldText(name: string, value: unknown, { now, screen }: { now: number; screen: Screen | undefined }): string {
  if (typeof value === "number" && name.endsWith("_at")) {
    return screen ? `${iso(value)} (${relative(value, now)})` : iso(value);
  }
  const text = escapeControls(typeof value === "string" ? value : JSON.stringify(value));
  if (screen === undefined) return text;
  if (name === "state") return paintState(value as Parameters<typeof paintState>[0], text, screen.colours);
  return name === "error" || name === "last_error" ? screen.colours.red(text) : text;
}

function detachedLines(view: Extract<View, { view: "detached" }>): string[] {
  const events = [
    { event: "starting" as const, count: view.workers.length },
    ...view.workers.map((worker, i) => ({ event: "worker-started" as const, number: i + 1, pid: worker.pid })),
  ];
  return [...events.flatMap(workerLogLines), `Running in the background; log: ${escapeControls(view.log)}`];
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
