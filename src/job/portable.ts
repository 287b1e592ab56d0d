/**
 * What of a job goes from store to store, in one form: its fields in one order, whatever store they come from, and only
 * text that every store can keep.
 */
import type { CompletedJob, DeadLetter, Job, ProcessingJob } from "./job.ts";
import { hasDeadLetterShape, isJob } from "./shape.ts";
import { TERMS } from "./terms.ts";

/** A job without its lease, which is worth something only to the store that gave it out. */
export type PortableJob = Exclude<Job, ProcessingJob> | Omit<ProcessingJob, "lease">;

const JOB_FIELDS = [
  ...["id", "command", "state", "run_at", "attempts", "max_retries", "created_at", "updated_at", ...TERMS],
  ...["waits_for", "last_error", "history", "processing_started_at", "worker_id"],
];
const DEAD_LETTER_FIELDS = [
  ...["id", "command", "attempts", "error", "failed_at", "max_retries", "created_at", ...TERMS],
  ...["history", "worker_id"],
];
/** What may be changed a little without harm: nobody runs it, and nobody is found by it. */
const REMARKS = ["last_error", "error", "worker_id", "history"];
/** Every store keeps so much in these. */
const SMALL_NUMBERS = ["attempts", "max_retries", "priority"];
const MOST = 2 ** 31 - 1;

export function portableJob(job: PortableJob): PortableJob {
  return inOrder(job, JOB_FIELDS) as unknown as PortableJob;
}

export function portableArchived(job: CompletedJob): CompletedJob {
  return inOrder(job, JOB_FIELDS) as unknown as CompletedJob;
}

export function portableDeadLetter(letter: DeadLetter): DeadLetter {
  return inOrder(letter, DEAD_LETTER_FIELDS) as unknown as DeadLetter;
}

/** What keeps a value from being such a job, in words that follow "it"; undefined when it is one. */
export function whyNoJob(value: unknown): string | undefined {
  const isOne = typeof value === "object" && value !== null && isJob({ lease: 0, ...value });
  return isOne ? whyNotKept(value, JOB_FIELDS) : "is not a whole job";
}

export function whyNotArchived(value: unknown): string | undefined {
  const isCompleted = (value as Partial<Job> | null)?.state === "completed";
  return isCompleted ? whyNoJob(value) : "is not a whole completed job";
}

export function whyNoDeadLetter(value: unknown): string | undefined {
  return hasDeadLetterShape(value) ? whyNotKept(value, DEAD_LETTER_FIELDS) : "is not a whole dead letter";
}

/** Priority 0 is the same as none. What has no value is left out, and so are fields that not every store has. */
function inOrder(entry: object, fields: readonly string[]): Record<string, unknown> {
  const from = entry as Readonly<Record<string, unknown>>;
  const ordered: Record<string, unknown> = {};
  for (const field of fields) {
    const value = from[field];
    if (value === undefined || (field === "priority" && value === 0)) continue;
    ordered[field] = REMARKS.includes(field) ? keepable(value) : value;
  }
  return ordered;
}

function whyNotKept(value: object, fields: readonly string[]): string | undefined {
  for (const [field, content] of Object.entries(value)) {
    if (!fields.includes(field)) return `has a field that this version does not know: ${JSON.stringify(field)}`;
    if (!textsIn(content).every((text) => keepable(text) === text)) {
      return `has a NUL character or broken Unicode in ${JSON.stringify(field)}, which not every store can keep`;
    }
    if (SMALL_NUMBERS.includes(field) && Math.abs(content as number) > MOST) {
      return `has more than ${MOST} for ${JSON.stringify(field)}`;
    }
  }
  return undefined;
}

/** Of a text, itself; of anything else, the texts in it, names included. */
function textsIn(content: unknown): string[] {
  if (typeof content === "string") return [content];
  return typeof content === "object" && content !== null ? Object.entries(content).flat().flatMap(textsIn) : [];
}

/** The same with other texts, where there are some that not every store can keep. */
function keepable(content: unknown): unknown {
  if (typeof content === "string") return content.replaceAll("\0", "\ufffd").toWellFormed();
  if (Array.isArray(content)) return content.map(keepable);
  if (typeof content !== "object" || content === null) return content;
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, keepable(value)]));
}
