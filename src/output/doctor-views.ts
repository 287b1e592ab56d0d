/** What `doctor` found and did, line by line. */
import type { Examination, Finding, Mending } from "../store/doctor.ts";
import { type Colours, NO_COLOURS } from "./colours.ts";
import { escapeControls } from "./escape.ts";
import { count } from "./worker-log.ts";

/** So many ids are named in one line. The JSON form has them all. */
const MAX_NAMED = 20;

export function* examinationLines(
  { location, examination }: { location: string; examination: Examination },
  colours: Colours = NO_COLOURS,
): Generator<string> {
  yield `${escapeControls(location)}:`;
  if (examination.sound && examination.files.length === 0) yield "  No queue is kept here yet.";
  for (const { path, holds } of examination.files) yield `  ${within(location, path)}: ${holds}`;
  for (const finding of examination.findings) yield findingLine(location, finding, colours);
  const damages = examination.findings.filter(({ severity }) => severity === "damage").length;
  const concerns = examination.findings.length - damages;
  const aside = concerns === 0 ? "" : `, ${count(concerns, "thing", "things")} worth a look`;
  if (examination.sound) yield colours.green(`Sound${aside}.`);
  else {
    yield colours.red(`Damaged in ${count(damages, "place", "places")}${aside}.`);
    yield examination.mendable
      ? "To set it aside and rebuild from everything that is whole: queuectl doctor --fix"
      : `That is for you to put right: ${examination.advice ?? "doctor cannot tell whose word to take."}`;
  }
}

export function* mendingLines(
  { location, mending }: { location: string; mending: Mending | undefined },
  colours: Colours = NO_COLOURS,
): Generator<string> {
  if (!mending) return yield "Nothing is damaged. Nothing was changed.";
  for (const finding of mending.findings) yield findingLine(location, finding, colours);
  yield `Everything as it was is kept in ${escapeControls(mending.setAside)}`;
  const byFate = Map.groupBy(mending.jobs, ({ now }) => now);
  for (const [fate, jobs] of byFate) yield `Touched and now ${FATES[fate]}: ${named(jobs.map(({ id }) => id))}`;
  yield colours.green("Rebuilt from everything that was whole.");
}

const FATES = {
  pending: "pending",
  processing: "processing",
  completed: "completed",
  failed: "failed",
  dead: "in the dead letter queue",
  lost: "lost",
} as const satisfies Record<Mending["jobs"][number]["now"], string>;

function findingLine(location: string, { severity, path, line, problem, jobs }: Finding, colours: Colours): string {
  const mark = severity === "damage" ? colours.red("✗") : colours.yellow("!");
  const place = `${within(location, path)}${line === undefined ? "" : `, line ${line}`}`;
  return `${mark} ${place}: ${escapeControls(problem)}${jobs.length === 0 ? "" : ` Jobs: ${named(jobs)}`}`;
}

function named(ids: readonly string[]): string {
  const rest = ids.length - MAX_NAMED;
  const shown = ids.slice(0, MAX_NAMED).map(escapeControls).join(", ");
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

function within(location: string, path: string): string {
  return escapeControls(path.startsWith(`${location}/`) ? path.slice(location.length + 1) : path);
}
