/** `list --columns`: the fields of jobs that somebody asked for. */
import { durationText } from "../job/duration.ts";
import { unreachable } from "../job/errors.ts";
import type { Job } from "../job/job.ts";
import { type FieldName, fieldOf, kindOf } from "../job/record-field.ts";
import { paintState } from "./colours.ts";
import { escapeControls } from "./escape.ts";
import type { Look } from "./job-tables.ts";
import { type Column, canFit, table } from "./table.ts";
import { relative } from "./time.ts";

/** On a terminal: times and durations as people read them, in a table; where that cannot be read, a field a line. */
export function fieldTable(jobs: readonly Job[], fields: readonly FieldName[], look: Look): Iterable<string> {
  const columns = fields.map((field) => columnOf(field, look));
  if (!canFit(jobs, columns, look.width)) return fieldByField(jobs, columns, look);
  return table(jobs, columns, { width: look.width, paintTitle: look.colours.bold });
}

/** Into a pipe: values as in JSON, text without its quotes, and what would break a line or a column escaped. */
export function* tabSeparated(jobs: readonly Job[], fields: readonly FieldName[]): Generator<string> {
  for (const job of jobs) yield `${fields.map((field) => cellText(fieldOf(job, field))).join("\t")}\n`;
}

/** As a JSON object: without the fields that the job has not got. */
export function picked(job: Job, fields: readonly FieldName[]): object {
  return Object.fromEntries(fields.map((field) => [field, fieldOf(job, field)]));
}

function* fieldByField(jobs: readonly Job[], columns: readonly Column<Job>[], { colours }: Look): Generator<string> {
  const width = Math.max(...columns.map(({ title }) => title.length));
  for (const [i, job] of jobs.entries()) {
    if (i > 0) yield "";
    for (const { title, text, paint } of columns) {
      const shown = escapeControls(text(job));
      // The job has not got this field.
      if (shown === "") continue;
      yield `${colours.bold(title.padEnd(width))}  ${paint?.(shown, job) ?? shown}`;
    }
  }
}

function cellText(value: unknown): string {
  return escapeControls(plainText(value).replaceAll("\\", "\\\\"));
}

function plainText(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function columnOf(field: FieldName, { width, now, colours }: Look): Column<Job> {
  const isLong = field !== "state" && ["text", "json"].includes(kindOf(field));
  return {
    title: field.replaceAll("_", " ").toUpperCase(),
    text: (job) => readable(field, fieldOf(job, field), now),
    ...(isLong && { flex: { min: 8, max: width } }),
    ...(kindOf(field) === "number" && { alignRight: true }),
    ...(field === "state" && { paint: (cell, job) => paintState(job.state, cell, colours) }),
  };
}

function readable(field: FieldName, value: unknown, now: number): string {
  if (typeof value !== "number") return plainText(value);
  const kind = kindOf(field);
  switch (kind) {
    case "instant":
      return relative(value, now);
    case "duration":
      return durationText(value);
    case "number":
    case "text":
    case "json":
      return String(value);
    default:
      return unreachable(kind);
  }
}
