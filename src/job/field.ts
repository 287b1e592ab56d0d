/** One field of a job that somebody wants to enqueue: its value as it is to be kept, or a sentence that names both. */
import { durationText, parseDuration } from "./duration.ts";
import { QueueError } from "./errors.ts";
import { shown } from "./shown.ts";

const TEN_YEARS_MS = 10 * 365 * 86_400_000;
const MAX_NAME_BYTES = 255;
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/;

export function invalid(problem: string, options: { cause?: unknown; hint?: string } = {}): QueueError {
  return new QueueError("E_USAGE", `Invalid job data: ${problem}`, options);
}

export function wholeNumber(field: string, value: unknown, { min, max }: { min: number; max: number }): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`"${field}" must be a whole number from ${min} to ${max}, got ${shown(value)}.`);
  }
  return value;
}

/** A name that people give: 1–255 bytes of UTF-8 without control characters. */
export function nameOf(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(`"${field}" must be a string, got ${shown(value)}.`);
  const bytes = Buffer.byteLength(value);
  if (bytes < 1 || bytes > MAX_NAME_BYTES) {
    throw invalid(`"${field}" must be 1 to ${MAX_NAME_BYTES} bytes long, got ${bytes}: ${shown(value)}.`);
  }
  if (CONTROL_CHARACTERS.test(value)) {
    throw invalid(`"${field}" must not contain control characters, got ${shown(value)}.`);
  }
  return wellFormed(field, value);
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
export function duration(field: string, value: unknown, { least = 0, most = TEN_YEARS_MS } = {}): number {
  const ms = typeof value === "string" ? parseDuration(value) : value;
  if (typeof ms !== "number" || !Number.isInteger(ms) || ms < least || ms > most) {
    const range = `from ${durationText(least)} to ${durationText(most)}`;
    throw invalid(
      `"${field}" must be a duration like "90s" or "2h30m", or milliseconds, ${range}, got ${shown(value)}.`,
    );
  }
  return ms;
}
