/** Whether a value that was read somewhere has the shape of a job or a dead letter: every field there and of its kind. */
import { type DeadLetter, JOB_STATES, type Job, type JobState, type PastAttempt } from "./job.ts";
import type { JobTerms } from "./terms.ts";

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;
type Terms = { readonly [Term in keyof JobTerms]-?: Check };

const isText: Check = (value) => typeof value === "string";
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isName: Check = (value) => typeof value === "string" && value !== "";
const isNothingOr =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const isFailings: Check = (value) =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) || typeof one === "string");
const isNames: Check = (value) => Array.isArray(value) && value.every(isName);
const isVariables: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isText);

const PAST_ATTEMPT: { readonly [Field in keyof PastAttempt]: Check } = {
  attempt: isCount,
  started_at: isCount,
  ended_at: isCount,
  worker_id: isName,
  outcome: isText,
  lease: isCount,
};
const isHistory: Check = (value) => Array.isArray(value) && value.every((one) => has(PAST_ATTEMPT, one));

const ANY_TERMS: Terms = {
  priority: isNothingOr(Number.isSafeInteger),
  queue: isNothingOr(isName),
  key: isNothingOr(isName),
  batch: isNothingOr(isName),
  cwd: isNothingOr(isName),
  env: isNothingOr(isVariables),
  after: isNothingOr(isNames),
  timeout: isNothingOr(isCount),
  expires_at: isNothingOr(isCount),
  retry_on: isNothingOr(isFailings),
  no_retry_on: isNothingOr(isFailings),
};
const ANY_ENTRY: Shape = {
  ...ANY_TERMS,
  id: isName,
  command: isName,
  attempts: isCount,
  max_retries: isCount,
  created_at: isCount,
  history: isNothingOr(isHistory),
};
const ANY_JOB: Shape = { ...ANY_ENTRY, run_at: isCount, updated_at: isCount, last_error: isNothingOr(isText) };
const STARTED: Shape = { processing_started_at: isCount, worker_id: isName };
const JOB: Readonly<Record<JobState, Shape>> = {
  pending: { ...ANY_JOB, waits_for: isNothingOr(isNames) },
  processing: { ...ANY_JOB, ...STARTED, lease: isCount },
  completed: { ...ANY_JOB, ...STARTED },
  failed: ANY_JOB,
};
const DEAD_LETTER: Shape = { ...ANY_ENTRY, error: isText, failed_at: isCount, worker_id: isNothingOr(isName) };

export function isJob(value: unknown): value is Job {
  const state = JOB_STATES.find((known) => known === (value as Partial<Job> | null)?.state);
  return state !== undefined && has(JOB[state], value);
}

export function hasDeadLetterShape(value: unknown): value is DeadLetter {
  return has(DEAD_LETTER, value);
}

/** Fields that the shape does not know are left to newer versions. */
function has(shape: Shape, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(shape).every(([field, check]) => check((value as Record<string, unknown>)[field]));
}
