/** What a user may enqueue: the JSON form, checked field by field. A mistake is one sentence with the field and value. */
import { didYouMean } from "./closest.ts";
import { ANY_DURATION } from "./duration.ts";
import type { QueueError } from "./errors.ts";
import { duration, invalid, nameOf, type Range, wellFormed, wholeNumber } from "./field.ts";
import { isInstant, parseInstant } from "./instant.ts";
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

/** What is said about a job beside its JSON; its own fields win. */
export type SpecDefaults = Omit<JobSpec, "command">;

export const MAX_RETRIES_LIMIT = 1_000_000;
export const RETRIES: Range = { min: 0, max: MAX_RETRIES_LIMIT };
/** Linux passes no longer argument to a program (MAX_ARG_STRLEN, with its final NUL). */
const MAX_COMMAND_BYTES = 128 * 1024 - 1;
/** Far above what the longest command needs, even with every character escaped. */
export const MAX_JSON_BYTES = 1024 * 1024;
const FIELDS = ["id", "command", "run_at", "delay", "max_retries", ...SPEC_TERMS] as const;

/** Reads one job from at most 1 MiB of JSON text. Throws `E_USAGE` with the sentence to show. */
export function parseJobSpec(text: string, defaults: SpecDefaults = {}): JobSpec {
  return checkJobSpec(withDefaults(parseJson(text), defaults));
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
  if (!isRecord(value)) {
    throw invalid(`expected an object like {"command":"echo hi"}, got ${shown(value)}.`);
  }
  for (const name of Object.keys(value)) if (!isField(name)) throw unknownField(name);
  const { command, id, run_at, runAt, delay, max_retries } = value;
  if (run_at !== undefined && runAt !== undefined) {
    throw invalid(`"run_at" and "runAt" are the same field; give one of them.`);
  }
  const due = run_at === undefined ? runAt : run_at;
  if (due !== undefined && delay !== undefined) throw invalid(`"run_at" and "delay" say the same; give one of them.`);
  const spec: { -readonly [Field in keyof JobSpec]: JobSpec[Field] } = { command: checkCommand(command) };
  if (id !== undefined) spec.id = nameOf("id", id);
  if (due !== undefined) spec.run_at = checkRunAt(due);
  if (delay !== undefined) spec.delay = duration("delay", delay, ANY_DURATION);
  if (max_retries !== undefined) spec.max_retries = wholeNumber("max_retries", max_retries, RETRIES);
  const terms = checkTerms(value);
  if (terms.if_exists !== undefined && terms.key === undefined) {
    throw invalid(`"if_exists" says what becomes of a job whose "key" is taken, and this one has none.`);
  }
  return Object.assign(spec, terms);
}

/** Whether a job could have this command. */
export function isCommand(text: string): boolean {
  const isShort = Buffer.byteLength(text) <= MAX_COMMAND_BYTES;
  return isShort && text.trim() !== "" && !text.includes("\0") && text.isWellFormed();
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

/**
 * A variable at a time; of two fields that say the same, one's own is the only one; and what is said about keys is not said of
 * a job that has none. What is no job is left to the check.
 */
function withDefaults(value: unknown, defaults: SpecDefaults): unknown {
  if (!isRecord(value) || Object.keys(defaults).length === 0) return value;
  const unsaid: { -readonly [Field in keyof SpecDefaults]: SpecDefaults[Field] } = { ...defaults };
  if (["run_at", "runAt", "delay"].some((name) => Object.hasOwn(value, name))) {
    delete unsaid.run_at;
    delete unsaid.delay;
  }
  if (value.key === undefined && unsaid.key === undefined) delete unsaid.if_exists;
  const fields = { ...unsaid, ...value };
  return isRecord(value.env) ? { ...fields, env: { ...defaults.env, ...value.env } } : fields;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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

function checkRunAt(value: unknown): number {
  const instant = typeof value === "string" ? parseInstant(value) : value;
  if (isInstant(instant)) return instant;
  throw invalid(
    `"run_at" must be epoch milliseconds or an ISO 8601 time like 2026-01-31T09:00:00Z, got ${shown(value)}.`,
  );
}
