/** The terms that a user may give a job, checked field by field. */
import { ANY_DURATION, type Span } from "./duration.ts";
import { duration, invalid, nameOf, type Range, text, wholeNumber } from "./field.ts";
import { checkIfExists, type IfExists } from "./key.ts";
import { checkQueue } from "./queue.ts";
import { shown } from "./shown.ts";
import { FAILINGS, type Failing, type JobTerms } from "./terms.ts";

/** As terms, but relative to the moment of enqueueing, and what is to become of them then. */
export interface SpecTerms extends Omit<JobTerms, "expires_at"> {
  /** In ms. */
  readonly expires_in?: number;
  /** What becomes of it where its key is taken; absent means `fail`. */
  readonly if_exists?: IfExists;
}

type Check<Field extends keyof SpecTerms> = (value: unknown, field: string) => SpecTerms[Field];

export const PRIORITIES: Range = { min: -1000, max: 1000 };
/** Timers go no further than 2^31 ms. */
export const TIMEOUTS: Span = { least: 1, most: 24 * 86_400_000 };
export const EXPIRIES: Span = { ...ANY_DURATION, least: 1 };
const MAX_EXIT_CODE = 255;
/** Linux passes no longer path, and no longer variable, to a program. */
const MAX_PATH_BYTES = 4095;
const MAX_ENV_BYTES = 128 * 1024 - 1;
const MAX_DEPENDENCIES = 1000;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

const CHECKS: { readonly [Field in keyof SpecTerms]-?: Check<Field> } = {
  priority: (value, field) => wholeNumber(field, value, PRIORITIES),
  queue: checkQueue,
  after: checkIds,
  key: (value, field) => nameOf(field, value),
  if_exists: checkIfExists,
  batch: (value, field) => nameOf(field, value),
  cwd: checkDirectory,
  env: checkVariables,
  timeout: (value, field) => duration(field, value, TIMEOUTS),
  expires_in: (value, field) => duration(field, value, EXPIRIES),
  retry_on: checkFailings,
  no_retry_on: checkFailings,
};

export const SPEC_TERMS = Object.keys(CHECKS) as (keyof SpecTerms)[];

/** Throws `E_USAGE` with the sentence to show. */
export function checkTerms(fields: Readonly<Record<string, unknown>>): SpecTerms {
  const terms: Record<string, unknown> = {};
  for (const field of SPEC_TERMS) {
    const value = fields[field];
    const term = value === undefined ? undefined : CHECKS[field](value, field);
    if (term !== undefined) terms[field] = term;
  }
  return terms;
}

function checkDirectory(value: unknown, field: string): string {
  const path = text(field, value);
  if (!path.startsWith("/")) throw invalid(`"${field}" must be an absolute path, got ${shown(path)}.`);
  const problem = pathProblem(path);
  if (problem) throw invalid(`"${field}" ${problem}`);
  return path;
}

/** What is wrong with an absolute path, as the end of a sentence about it. */
export function pathProblem(path: string): string | undefined {
  const bytes = Buffer.byteLength(path);
  return bytes > MAX_PATH_BYTES ? `must be at most ${MAX_PATH_BYTES} bytes, got ${bytes}.` : undefined;
}

function checkVariables(value: unknown, field: string): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`"${field}" must be an object like {"NAME":"value"}, got ${shown(value)}.`);
  }
  for (const [name, content] of Object.entries(value)) {
    const unnameable = variableNameProblem(name);
    if (unnameable) throw invalid(`"${field}" ${unnameable}`);
    const problem = variableProblem(name, text(`${field}.${name}`, content));
    if (problem) throw invalid(`"${field}.${name}" ${problem}`);
  }
  return value as Record<string, string>;
}

function checkIds(value: unknown, field: string): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_DEPENDENCIES) {
    throw invalid(`"${field}" must be a list of at most ${MAX_DEPENDENCIES} ids, got ${shown(value)}.`);
  }
  return value.length === 0 ? undefined : value.map((id) => nameOf(field, id));
}

/** What is wrong with the name of a variable, as the end of a sentence about what names it. */
export function variableNameProblem(name: string): string | undefined {
  if (!VARIABLE.test(name)) return `has a name that no variable can have: ${shown(name)}.`;
  if (!name.startsWith("QUEUECTL_")) return undefined;
  return `must not set ${name}: names that begin with QUEUECTL_ are the queue's own.`;
}

/** What is wrong with a variable, whatever its name, as the end of a sentence about it. */
export function variableProblem(name: string, value: string): string | undefined {
  const bytes = Buffer.byteLength(`${name}=${value}`);
  return bytes > MAX_ENV_BYTES ? `is too long to be passed on: ${bytes} bytes.` : undefined;
}

function checkFailings(value: unknown, field: string): readonly Failing[] {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isFailing)) {
    throw invalid(`"${field}" must be a list of exit codes, "signal" or "timeout", got ${shown(value)}.`);
  }
  return value;
}

export function isFailing(value: unknown): value is Failing {
  if (FAILINGS.some((known) => known === value)) return true;
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_EXIT_CODE;
}
