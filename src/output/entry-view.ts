/** `show`: everything about one job, and on a terminal its attempts as a table. */
import { durationText } from "../job/duration.ts";
import { type Entry, isDeadLetter, type PastAttempt } from "../job/job.ts";
import { type Colours, paintState } from "./colours.ts";
import { escapeControls } from "./escape.ts";
import type { Screen } from "./human-views.ts";
import type { View } from "./output.ts";
import { type Column, table } from "./table.ts";
import { elapsed, iso, relative } from "./time.ts";
import { twoColumns } from "./two-columns.ts";

type EntryView = Extract<View, { view: "entry" }>;

/** An attempt of which not everything need be known. */
type Attempt = Omit<PastAttempt, "lease" | "ended_at"> & { readonly ended_at?: number };

export function* entryLines(view: EntryView, screen: Screen | undefined): Generator<string> {
  yield* fieldLines(view, screen);
  if (screen === undefined) return;
  const attempts = attemptsOf(view.entry);
  if (attempts.length === 0) return;
  yield "";
  yield* attemptLines(attempts, view.now, screen);
  const earlier = (attempts[0]?.attempt ?? 1) - 1;
  if (earlier > 0) yield screen.colours.dim(`What became of ${earlierText(earlier)} is not kept.`);
}

function fieldLines({ entry, logs, now }: EntryView, screen: Screen | undefined): string[] {
  const fields = Object.entries(entry)
    .filter(([name]) => screen === undefined || name !== "history")
    .map(([name, value]) => ({ name, text: fieldText(name, value, { now, screen }) }));
  if (isDeadLetter(entry)) fields.splice(2, 0, { name: "state", text: screen ? screen.colours.red(DEAD) : DEAD });
  for (const { attempt, stream = "log", path, elsewhere } of logs) {
    const place = elsewhere === undefined ? path : `on host ${elsewhere.host}: ${path}`;
    fields.push({ name: `${stream} of attempt ${attempt}`, text: escapeControls(place) });
  }
  const width = screen ? Math.max(...fields.map((field) => field.name.length)) + 2 : 0;
  return fields.map(({ name, text }) => {
    const label = `${escapeControls(name)}: `.padEnd(width);
    return `${screen ? screen.colours.dim(label) : label}${text}`;
  });
}

const DEAD = "in the dead letter queue";

/** Instants are the numbers whose name says so: `run_at`, `processing_started_at`. */
function fieldText(name: string, value: unknown, { now, screen }: { now: number; screen: Screen | undefined }): string {
  if (typeof value === "number" && name.endsWith("_at")) {
    return screen ? `${iso(value)} (${relative(value, now)})` : iso(value);
  }
  if (screen && typeof value === "number" && name === "timeout") return durationText(value);
  const text = escapeControls(typeof value === "string" ? value : JSON.stringify(value));
  if (screen === undefined) return text;
  if (name === "state") return paintState(value as Parameters<typeof paintState>[0], text, screen.colours);
  return name === "error" || name === "last_error" ? screen.colours.red(text) : text;
}

/** Those that failed, and the one that runs, or that completed the job. */
function attemptsOf(entry: Entry): Attempt[] {
  const past = entry.history ?? [];
  if (isDeadLetter(entry) || (entry.state !== "processing" && entry.state !== "completed")) return [...past];
  const { attempts: attempt, processing_started_at: started_at, worker_id } = entry;
  const ended = entry.state === "processing" ? { outcome: RUNNING } : { ended_at: entry.updated_at, outcome: SUCCESS };
  return [...past, { attempt, started_at, worker_id, ...ended }];
}

const RUNNING = "running";
const SUCCESS = "exit 0";

/** A table, but for the outcomes: they go on in as many lines as they need, because nothing else tells all of them. */
function attemptLines(attempts: readonly Attempt[], now: number, { width, colours }: Screen): string[] {
  const columns: Column<Attempt>[] = [
    { title: "ATTEMPT", text: ({ attempt }) => String(attempt) },
    { title: "STARTED", text: ({ started_at }) => relative(started_at, now) },
    { title: "TOOK", text: ({ started_at, ended_at = now }) => elapsed(ended_at - started_at) },
    { title: "WORKER", text: ({ worker_id }) => worker_id, flex: { min: 12, max: 40 } },
  ];
  const [title = "", ...lines] = table(attempts, columns, { width: Math.floor(width / 2), paintTitle: (line) => line });
  const outcomes = attempts.map(({ outcome }) => outcome);
  const rows = lines.map((line, i) => [line, escapeControls(outcomes[i] ?? "")] as const);
  const paint = (text: string, row: number): string => paintOutcome(outcomes[row], text, colours);
  const [head = "", ...rest] = twoColumns([[title, "OUTCOME"], ...rows], {
    width,
    paint: (text, row) => (row === 0 ? text : paint(text, row - 1)),
  });
  return [colours.bold(head), ...rest];
}

function paintOutcome(outcome: string | undefined, text: string, colours: Colours): string {
  if (outcome === RUNNING) return colours.cyan(text);
  return outcome === SUCCESS ? colours.green(text) : colours.red(text);
}

function earlierText(count: number): string {
  return count === 1 ? "the attempt before" : `the ${count} attempts before`;
}
