/** One field of a job that somebody wants to enqueue: its value as it is to be kept, or a sentence that names both. */
import { isWithin, parseDuration, type Span, spanText } from "./duration.ts";
import { QueueError } from "./errors.ts";
import { shown } from "./shown.ts";

const MAX_NAME_BYTES = 255;
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/;

export interface Range {
  readonly min: number;
  readonly max: number;
}

export function invalid(problem: string, options: { cause?: unknown; hint?: string } = {}): QueueError {
  return new QueueError("E_USAGE", `Invalid job data: ${problem}`, options);
}

export function wholeNumber(field: string, value: unknown, { min, max }: Range): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`"${field}" must be a whole number from ${min} to ${max}, got ${shown(value)}.`);
  }
  return value;
}

/** A name that people give: 1–255 bytes of UTF-8 without control characters. */
export function nameOf(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(`"${field}" must be a string, got ${shown(value)}.`);
  const problem = nameProblem(value);
  if (problem !== undefined) throw invalid(`"${field}" ${problem}`);
  return wellFormed(field, value);
}

/** What is wrong with such a name, as the end of a sentence about it. */
export function nameProblem(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > MAX_NAME_BYTES) {
    return `must be 1 to ${MAX_NAME_BYTES} bytes long, got ${bytes}: ${shown(name)}.`;
  }
  return CONTROL_CHARACTERS.test(name) ? `must not contain control characters, got ${shown(name)}.` : undefined;
}

/** Text that can be passed to a program and kept by any store. */
export function text(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(`"${field}" must be a string, got ${shown(value)}.`);
  if (value.includes("\0")) throw invalid(`"${field}" must not contain a NUL character, got ${shown(value)}.`);
  return wellFormed(field, value);
}

export function wellFormed(field: string, value: string): string {
  if (!value.isWellFormed()) throw invalid(`"${field}" must be valid Unicode, got ${shown(value)}.`);
  return value;
}

/** In ms: a number of them, or text like `10m`. */
export function duration(field: string, value: unknown, span: Span): number {
  const ms = typeof value === "string" ? parseDuration(value) : value;
  if (isWithin(ms, span)) return ms;
  throw invalid(
    `"${field}" must be a duration like "90s" or "2h30m", or milliseconds, ${spanText(span)}, got ${shown(value)}.`,
  );
}
