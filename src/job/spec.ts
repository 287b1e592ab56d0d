/** What a user may enqueue: the JSON form, checked field by field. A mistake is one sentence with the field and value. */
import { didYouMean } from "./closest.ts";
import type { QueueError } from "./errors.ts";
import { duration, invalid, wellFormed, wholeNumber } from "./field.ts";
import { shown } from "./shown.ts";
import { checkTerms, SPEC_TERMS, type SpecTerms } from "./spec-terms.ts";

export interface JobSpec extends SpecTerms {
  /** 1–255 bytes of UTF-8 without control characters; made up by the store when absent. */
  readonly id?: string;
  readonly command: string;
  /** Epoch ms; absent means at once, or after the `delay`. */
  readonly run_at?: number;
  /** In ms from the moment of enqueueing, instead of `run_at`. */
  readonly delay?: number;
  readonly max_retries?: number;
}

export const MAX_RETRIES_LIMIT = 1_000_000;
const RETRIES = { min: 0, max: MAX_RETRIES_LIMIT };
const MAX_ID_BYTES = 255;
/** Linux passes no longer argument to a program (MAX_ARG_STRLEN, with its final NUL). */
const MAX_COMMAND_BYTES = 128 * 1024 - 1;
/** Far above what the longest command needs, even with every character escaped. */
export const MAX_JSON_BYTES = 1024 * 1024;
/** The last instant a JavaScript date can name. */
const MAX_INSTANT = 8.64e15;
const FIELDS = ["id", "command", "run_at", "delay", "max_retries", ...SPEC_TERMS] as const;
const ISO_8601 = /^(\d{4})-(\d{2})-(\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/;

/** Reads one job from at most 1 MiB of JSON text. Throws `E_USAGE` with the sentence to show. */
export function parseJobSpec(text: string): JobSpec {
  return checkJobSpec(parseJson(text));
}

/** Any value, from as much text. */
export function parseJson(text: string): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_JSON_BYTES) throw jsonTooLong(bytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`not valid JSON: ${shown(text)}.`, { cause });
  }
}

/** Checks a parsed job. Throws `E_USAGE` with the sentence to show. */
export function checkJobSpec(value: unknown): JobSpec {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`expected an object like {"command":"echo hi"}, got ${shown(value)}.`);
  }
  for (const name of Object.keys(value)) if (!isField(name)) throw unknownField(name);
  const fields = value as Record<string, unknown>;
  const { command, id, run_at, runAt, delay, max_retries } = fields;
  if (run_at !== undefined && runAt !== undefined) {
    throw invalid(`"run_at" and "runAt" are the same field; give one of them.`);
  }
  const due = run_at === undefined ? runAt : run_at;
  if (due !== undefined && delay !== undefined) throw invalid(`"run_at" and "delay" say the same; give one of them.`);
  const spec: { -readonly [Field in keyof JobSpec]: JobSpec[Field] } = { command: checkCommand(command) };
  if (id !== undefined) spec.id = checkId(id);
  if (due !== undefined) spec.run_at = checkRunAt(due);
  if (delay !== undefined) spec.delay = duration("delay", delay);
  if (max_retries !== undefined) spec.max_retries = wholeNumber("max_retries", max_retries, RETRIES);
  return Object.assign(spec, checkTerms(fields));
}

/** What `parseJobSpec` throws; "more" is for who stopped counting. */
export function jsonTooLong(bytes: number | "more"): QueueError {
  return invalid(`the JSON of a job must be at most ${MAX_JSON_BYTES} bytes, got ${bytes}.`, {
    hint: "Put what is long into a file that the command reads.",
  });
}

/** For text that came as bytes: what is not UTF-8 is refused, for its replacement would be another command. */
export function jsonNotUtf8(cause: unknown): QueueError {
  return invalid("not valid UTF-8.", { cause });
}

function isField(name: string): boolean {
  return (FIELDS as readonly string[]).includes(name) || name === "runAt";
}

function unknownField(name: string): QueueError {
  return invalid(`unknown field ${shown(name)}.`, {
    hint: didYouMean(name, FIELDS) ?? `Known: ${FIELDS.join(", ")}.`,
  });
}

function checkCommand(value: unknown): string {
  if (value === undefined) throw invalid(`"command" is missing.`);
  if (typeof value !== "string") throw invalid(`"command" must be a string, got ${shown(value)}.`);
  if (value.trim() === "") throw invalid(`"command" must not be empty, got ${shown(value)}.`);
  if (value.includes("\0")) throw invalid(`"command" must not contain a NUL character, got ${shown(value)}.`);
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_COMMAND_BYTES) {
    throw invalid(`"command" must be at most ${MAX_COMMAND_BYTES} bytes, got ${bytes}.`, {
      hint: "Put it into a script and enqueue the script.",
    });
  }
  return wellFormed("command", value);
}

function checkId(value: unknown): string {
  if (typeof value !== "string") throw invalid(`"id" must be a string, got ${shown(value)}.`);
  const bytes = Buffer.byteLength(value);
  if (bytes < 1 || bytes > MAX_ID_BYTES) {
    throw invalid(`"id" must be 1 to ${MAX_ID_BYTES} bytes long, got ${bytes}: ${shown(value)}.`);
  }
  if (CONTROL_CHARACTERS.test(value)) throw invalid(`"id" must not contain control characters, got ${shown(value)}.`);
  return wellFormed("id", value);
}

function checkRunAt(value: unknown): number {
  const instant = typeof value === "string" ? parseInstant(value) : value;
  if (typeof instant !== "number" || !Number.isInteger(instant) || instant < 0 || instant > MAX_INSTANT) {
    throw invalid(
      `"run_at" must be epoch milliseconds or an ISO 8601 time like 2026-01-31T09:00:00Z, got ${shown(value)}.`,
    );
  }
  return instant;
}

/** NaN for anything else, and for a day that the calendar does not have (`Date.parse` makes 30 February 2 March). */
function parseInstant(text: string): number {
  const [, year, month, day] = ISO_8601.exec(text) ?? [];
  if (day === undefined) return Number.NaN;
  const isInCalendar = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  return isInCalendar ? Date.parse(text) : Number.NaN;
}
