/** Rows of the tables `jobs` and `archive` as jobs and dead letters. */
import type { CompletedJob, DeadLetter, Entry, History, Job, PendingJob, ProcessingJob } from "../../job/job.ts";
import { DEFAULT_QUEUE } from "../../job/queue.ts";
import { type JobTerms, termsOf } from "../../job/terms.ts";

/** A number of the type bigint comes as text, unless it came in JSON. */
type Whole = number | string;

export interface ArchivedRow {
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  readonly run_at: Whole;
  readonly attempts: number;
  readonly max_retries: number;
  readonly created_at: Whole;
  readonly updated_at: Whole;
  readonly processing_started_at: Whole | null;
  readonly worker_id: string | null;
  readonly last_error: string | null;
  /** Beside queue and priority. */
  readonly terms: JobTerms | null;
  readonly history: History | null;
  readonly command: string;
}

export interface JobRow extends ArchivedRow {
  readonly place: Whole;
  readonly state: Job["state"] | "dead";
  readonly lease: Whole | null;
  readonly waits_for: readonly string[] | null;
  readonly call?: string | null;
}

/** A dead letter keeps its error and its time of death where a job keeps its last error and its latest change. */
export function entryOf(row: JobRow): Entry {
  return row.state === "dead" ? deadLetterOf(row) : jobOf(row);
}

export function jobOf(row: JobRow): Job {
  const started = { processing_started_at: Number(row.processing_started_at), worker_id: row.worker_id ?? "" };
  switch (row.state) {
    case "pending":
      return { ...fieldsOf(row, "pending"), ...(row.waits_for && { waits_for: row.waits_for }) };
    case "failed":
      return fieldsOf(row, "failed");
    case "processing":
      return { ...fieldsOf(row, "processing"), ...started, lease: Number(row.lease) };
    case "completed":
      return { ...fieldsOf(row, "completed"), ...started };
    default:
      throw new Error(`job ${row.id} is ${row.state}`);
  }
}

export function processingOf(row: JobRow): ProcessingJob {
  return jobOf({ ...row, state: "processing" }) as ProcessingJob;
}

export function completedOf(row: ArchivedRow): CompletedJob {
  return jobOf({ ...row, state: "completed", place: 0, lease: null, waits_for: null }) as CompletedJob;
}

export function deadLetterOf(row: JobRow): DeadLetter {
  return {
    id: row.id,
    command: row.command,
    attempts: row.attempts,
    error: row.last_error ?? "",
    failed_at: Number(row.updated_at),
    max_retries: row.max_retries,
    created_at: Number(row.created_at),
    ...termsIn(row),
    ...(row.history === null ? {} : { history: row.history }),
    ...(row.worker_id === null ? {} : { worker_id: row.worker_id }),
  };
}

/** What `finish` writes of what became of an attempt: the columns that an end changes. */
export function changeOf(entry: Entry): Record<string, unknown> {
  if (!("state" in entry)) {
    const { attempts, error, failed_at, worker_id, history } = entry;
    return { state: "dead", attempts, updated_at: failed_at, worker_id, last_error: error, history };
  }
  const { state, run_at, attempts, updated_at, last_error } = entry;
  const own =
    entry.state === "completed"
      ? { processing_started_at: entry.processing_started_at, worker_id: entry.worker_id }
      : { history: entry.history };
  return { state, run_at, attempts, updated_at, last_error, ...own };
}

function fieldsOf<State extends Job["state"]>(
  row: ArchivedRow,
  state: State,
): Omit<PendingJob, "state"> & { state: State } {
  return {
    id: row.id,
    command: row.command,
    state,
    run_at: Number(row.run_at),
    attempts: row.attempts,
    max_retries: row.max_retries,
    created_at: Number(row.created_at),
    updated_at: Number(row.updated_at),
    ...termsIn(row),
    ...(row.last_error === null ? {} : { last_error: row.last_error }),
    ...(row.history === null ? {} : { history: row.history }),
  };
}

/** What the column `terms` holds of a job: null for nothing. */
export function storedTerms(entry: JobTerms): JobTerms | null {
  const { priority: _, queue: __, ...terms } = termsOf(entry);
  return Object.keys(terms).length === 0 ? null : terms;
}

function termsIn({ queue, priority, terms }: ArchivedRow): JobTerms {
  return termsOf({ ...terms, priority, ...(queue === DEFAULT_QUEUE ? {} : { queue }) });
}
