/** The fields of a job's record, and what kind of value each has: for those who let people name them. */
import { closest } from "./closest.ts";
import type { Job } from "./job.ts";
import { queueOf } from "./queue.ts";

/** Instants are in epoch ms, durations in ms; `json` is what has parts. */
export type FieldKind = "text" | "number" | "instant" | "duration" | "json";

/** Every field that a job can have in any state. */
export type FieldName = Job extends infer State ? (State extends Job ? keyof State : never) : never;

const KINDS: { readonly [Field in FieldName]: FieldKind } = {
  id: "text",
  command: "text",
  state: "text",
  run_at: "instant",
  attempts: "number",
  max_retries: "number",
  created_at: "instant",
  updated_at: "instant",
  priority: "number",
  queue: "text",
  key: "text",
  after: "json",
  waits_for: "json",
  batch: "text",
  cwd: "text",
  env: "json",
  timeout: "duration",
  expires_at: "instant",
  retry_on: "json",
  no_retry_on: "json",
  last_error: "text",
  history: "json",
  processing_started_at: "instant",
  worker_id: "text",
  lease: "number",
};

export const FIELD_NAMES = Object.keys(KINDS) as FieldName[];

export function kindOf(field: FieldName): FieldKind {
  return KINDS[field];
}

/** Undefined where the job has none. No priority is the priority 0, no queue the one that it is in anyway. */
export function fieldOf(job: Job, field: FieldName): unknown {
  if (field === "queue") return queueOf(job);
  if (field === "priority") return job.priority ?? 0;
  return (job as Partial<Record<FieldName, unknown>>)[field];
}

/** The field of this name, which may have been written with dashes; else the one that was meant, if that can be told. */
export function findField(name: string): { readonly field: FieldName } | { readonly near: FieldName | undefined } {
  const written = name.replaceAll("-", "_");
  const field = FIELD_NAMES.find((known) => known === written);
  return field ? { field } : { near: closest(written, FIELD_NAMES) as FieldName | undefined };
}
