/** The terms that a user may give a job, checked field by field. */
import { duration, invalid, text, wholeNumber } from "./field.ts";
import { checkQueue } from "./queue.ts";
import { shown } from "./shown.ts";
import { FAILINGS, type Failing, type JobTerms } from "./terms.ts";

/** As terms, but relative to the moment of enqueueing. */
export interface SpecTerms extends Omit<JobTerms, "expires_at"> {
  /** In ms. */
  readonly expires_in?: number;
}

type Check<Field extends keyof SpecTerms> = (value: unknown, field: string) => SpecTerms[Field];

const MAX_PRIORITY = 1000;
const MAX_EXIT_CODE = 255;
/** Linux passes no longer path, and no longer variable, to a program. */
const MAX_PATH_BYTES = 4095;
const MAX_ENV_BYTES = 128 * 1024 - 1;
/** Timers go no further than 2^31 ms. */
const MAX_TIMEOUT_MS = 24 * 86_400_000;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

const CHECKS: { readonly [Field in keyof SpecTerms]-?: Check<Field> } = {
  priority: (value, field) => wholeNumber(field, value, { min: -MAX_PRIORITY, max: MAX_PRIORITY }),
  queue: checkQueue,
  cwd: checkDirectory,
  env: checkVariables,
  timeout: (value, field) => duration(field, value, { least: 1, most: MAX_TIMEOUT_MS }),
  expires_in: (value, field) => duration(field, value, { least: 1 }),
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
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw invalid(`"${field}" must be at most ${MAX_PATH_BYTES} bytes, got ${Buffer.byteLength(path)}.`);
  }
  return path;
}

function checkVariables(value: unknown, field: string): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`"${field}" must be an object like {"NAME":"value"}, got ${shown(value)}.`);
  }
  for (const [name, content] of Object.entries(value)) {
    if (!VARIABLE.test(name)) throw invalid(`"${field}" has a name that no variable can have: ${shown(name)}.`);
    if (name.startsWith("QUEUECTL_")) {
      throw invalid(`"${field}" must not set ${name}: names that begin with QUEUECTL_ are the queue's own.`);
    }
    const bytes = Buffer.byteLength(`${name}=${text(`${field}.${name}`, content)}`);
    if (bytes > MAX_ENV_BYTES) throw invalid(`"${field}.${name}" is too long to be passed on: ${bytes} bytes.`);
  }
  return value as Record<string, string>;
}

function checkFailings(value: unknown, field: string): readonly Failing[] {
  const isFailing = (one: unknown): one is Failing =>
    FAILINGS.some((known) => known === one) ||
    (Number.isInteger(one) && (one as number) >= 1 && (one as number) <= MAX_EXIT_CODE);
  if (!Array.isArray(value) || value.length === 0 || !value.every(isFailing)) {
    throw invalid(`"${field}" must be a list of exit codes, "signal" or "timeout", got ${shown(value)}.`);
  }
  return value;
}
