/** `show`: everything about one job, and on a terminal its attempts as a table. */
import { type Entry, isDeadLetter, type PastAttempt } from "../job/job.ts";
import { type Colours, paintState } from "./colours.ts";
import { escapeControls } from "./escape.ts";
import type { Screen } from "./human-views.ts";
import type { View } from "./output.ts";
import { type Column, table } from "./table.ts";
import { elapsed, iso, relative } from "./time.ts";

type EntryView = Extract<View, { view: "entry" }>;

/** An attempt of which not everything need be known. */
type Attempt = Omit<PastAttempt, "lease" | "ended_at"> & { readonly ended_at?: number };

export function* entryLines(view: EntryView, screen: Screen | undefined): Generator<string> {
  yield* fieldLines(view, screen);
  if (screen === undefined) return;
  const attempts = attemptsOf(view.entry);
  if (attempts.length === 0) return;
  yield "";
  yield* table(attempts, attemptColumns(view.now, screen), { width: screen.width, paintTitle: screen.colours.bold });
  const earlier = (attempts[0]?.attempt ?? 1) - 1;
  if (earlier > 0) yield screen.colours.dim(`What became of ${earlierText(earlier)} is not kept.`);
}

function fieldLines({ entry, logs, now }: EntryView, screen: Screen | undefined): string[] {
  const fields = Object.entries(entry)
    .filter(([name]) => screen === undefined || name !== "history")
    .map(([name, value]) => ({ name, text: fieldText(name, value, { now, screen }) }));
  if (isDeadLetter(entry)) fields.splice(2, 0, { name: "state", text: "in the dead letter queue" });
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

function attemptColumns(now: number, { width, colours }: Screen): Column<Attempt>[] {
  return [
    { title: "ATTEMPT", text: ({ attempt }) => String(attempt) },
    { title: "STARTED", text: ({ started_at }) => relative(started_at, now) },
    { title: "TOOK", text: ({ started_at, ended_at = now }) => elapsed(ended_at - started_at) },
    { title: "WORKER", text: ({ worker_id }) => worker_id },
    {
      title: "OUTCOME",
      text: ({ outcome }) => outcome,
      flex: { min: 16, max: width },
      paint: (cell, { outcome }) => paintOutcome(outcome, cell, colours),
    },
  ];
}

function paintOutcome(outcome: string, text: string, colours: Colours): string {
  if (outcome === RUNNING) return colours.cyan(text);
  return outcome === SUCCESS ? colours.green(text) : colours.red(text);
}

function earlierText(count: number): string {
  return count === 1 ? "the attempt before" : `the ${count} attempts before`;
}
