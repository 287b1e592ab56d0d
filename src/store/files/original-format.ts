/**
 * Data directories of the original tool: pretty-printed `{"jobs":[…]}` and `{"dlq":[…]}` without a version. They open
 * as generation 0 and become ours at the first checkpoint. That tool checked little, so what cannot be a job's value is
 * given its default here; only an entry without any command is nothing to run, and is left out.
 */
import { type DeadLetter, JOB_STATES, type Job, type JobState } from "../../job/job.ts";
import { corrupt } from "./corruption.ts";
import type { Position } from "./position.ts";

/** Where the chain of such a directory begins. */
export const ORIGINAL: Position = {
  generation: 0,
  at: 0,
  end: { sum: "0".repeat(16), seq: 1 },
};

/** Where a store of our own begins: the same for all, so that making it twice does no harm. */
export const FIRST: Position = { ...ORIGINAL, generation: 1 };

const DEFAULT_MAX_RETRIES = 3;

type Fields = Record<string, unknown>;

/** The jobs of an original `queue.json`. Missing and doubled ids get ids of their own, the same at every read. */
export function adoptJobs(path: string, value: unknown): Job[] {
  return adopt(path, listOf(path, value, "jobs"), (fields, id) => {
    const common = {
      id,
      command: String(fields.command),
      run_at: instant(fields.run_at),
      attempts: count(fields.attempts, 0),
      max_retries: count(fields.max_retries, DEFAULT_MAX_RETRIES),
      created_at: instant(fields.created_at),
      updated_at: instant(fields.updated_at),
      ...(typeof fields.last_error === "string" && fields.last_error !== "" ? { last_error: fields.last_error } : {}),
    };
    const run = { processing_started_at: instant(fields.processing_started_at), worker_id: workerId(fields) };
    const state = stateOf(fields);
    switch (state) {
      case "processing":
        return { ...common, state, ...run, lease: 0 };
      case "completed":
        return { ...common, state, ...run };
      default:
        return { ...common, state };
    }
  });
}

/** The dead letters of an original `dlq.json`, which calls the error `error` or `last_error`. */
export function adoptDeadLetters(path: string, value: unknown): DeadLetter[] {
  return adopt(path, listOf(path, value, "dlq"), (fields, id) => ({
    id,
    command: String(fields.command),
    attempts: count(fields.attempts, 0),
    error: String(fields.error ?? fields.last_error ?? "unknown"),
    failed_at: instant(fields.failed_at ?? fields.updated_at),
    max_retries: count(fields.max_retries, DEFAULT_MAX_RETRIES),
    created_at: instant(fields.created_at),
  }));
}

function listOf(path: string, value: unknown, name: string): unknown[] {
  const list = (value as Fields)[name];
  if (!Array.isArray(list)) throw corrupt(path, `expected a list called "${name}".`, { line: 1 });
  return list;
}

function adopt<T>(path: string, list: unknown[], convert: (fields: Fields, id: string) => T): T[] {
  const taken = new Set<string>();
  return list.flatMap((item, index) => {
    if (typeof item !== "object" || item === null) return [];
    const fields = item as Fields;
    if (typeof fields.command !== "string" || fields.command.trim() === "") return [];
    const wanted = typeof fields.id === "string" && fields.id !== "" ? fields.id : `original-${index + 1}`;
    const id = taken.has(wanted) ? `${wanted}-${index + 1}` : wanted;
    if (taken.has(id)) throw corrupt(path, `the id ${JSON.stringify(id)} stands there more than once.`);
    taken.add(id);
    return [convert(fields, id)];
  });
}

function stateOf(fields: Fields): JobState {
  return JOB_STATES.find((state) => state === fields.state) ?? "pending";
}

function workerId(fields: Fields): string {
  return typeof fields.worker_id === "string" && fields.worker_id !== "" ? fields.worker_id : "unknown";
}

function instant(value: unknown): number {
  const number = typeof value === "string" ? Number(value) || Date.parse(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? Math.floor(number) : 0;
}

function count(value: unknown, fallback: number): number {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : fallback;
}
