/**
 * Changes to a job that waits, or to a dead letter: the fields of a job as it would be enqueued with, each checked in the
 * same way. Null takes away what a job need not have.
 */
import { notFound, type Rule, wrongState } from "./alteration.ts";
import { invalid } from "./field.ts";
import { type DeadLetter, type Entry, isDeadLetter, type PendingJob } from "./job.ts";
import { shellWord } from "./shell-word.ts";
import { shown } from "./shown.ts";
import { checkJobSpec, type JobSpec } from "./spec.ts";
import { SPEC_TERMS } from "./spec-terms.ts";
import { TERMS, termsOf } from "./terms.ts";

export interface Changes {
  /** What there is to be, in fields of the same name. */
  readonly to: Partial<Omit<JobSpec, "id">>;
  /** What is taken away. */
  readonly without: readonly (keyof JobSpec)[];
}

/** What other jobs are looked at for. */
const SETTLED = ["after", "key", "if_exists"];
/** Stands in for the command where that stays, to have the rest checked. */
const ANY_COMMAND = "true";

/** Checks parsed JSON. Throws `E_USAGE` with the sentence to show. */
export function checkChanges(value: unknown): Changes {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`expected an object like {"priority":5}, got ${shown(value)}.`);
  }
  const fields = Object.entries(value);
  if (fields.length === 0) throw invalid("nothing of it is to be changed.");
  const without = fields.flatMap(([name, content]) => (content === null ? [optional(name)] : []));
  const given = Object.fromEntries(fields.filter(([, content]) => content !== null));
  const settled = SETTLED.find((name) => fields.some(([given]) => given === name));
  if (settled) throw invalid(`"${settled}" is settled when a job is enqueued.`);
  if (given.id !== undefined) throw invalid(`"id" is what it is known by, and cannot be changed.`);
  const { command, ...rest } = checkJobSpec({ command: ANY_COMMAND, ...given });
  return { to: given.command === undefined ? rest : { command, ...rest }, without };
}

/** A pending job keeps its place in the queue, a dead letter stays where it is. */
export function edit(changes: Changes): Rule {
  return (entry, { id, now }) => {
    if (!entry) return notFound(id);
    if (isDeadLetter(entry)) return editDeadLetter(entry, changes, now);
    return entry.state === "pending"
      ? { event: "edited", job: editPending(entry, changes, now) }
      : wrongState(entry, "only a pending job or a dead letter can be changed");
  };
}

function editPending(job: PendingJob, changes: Changes, now: number): PendingJob {
  const { run_at, delay } = changes.to;
  const due = run_at ?? (delay === undefined ? job.run_at : now + delay);
  return { ...edited(job, changes, now), run_at: due, updated_at: now };
}

function editDeadLetter(letter: DeadLetter, changes: Changes, now: number): ReturnType<Rule> {
  if (changes.to.run_at !== undefined || changes.to.delay !== undefined) {
    const hint = `To have it run again: queuectl dlq-retry ${shellWord(letter.id)}`;
    return wrongState(letter, "there it has no time to run at", hint);
  }
  return { event: "edited", job: edited(letter, changes, now) };
}

function edited<E extends Entry>(entry: E, { to, without }: Changes, now: number): E {
  const { command = entry.command, max_retries = entry.max_retries, expires_in } = to;
  const kept = Object.entries(entry).filter(([name]) => !TERMS.some((term) => term === name));
  const terms: Record<string, unknown> = { ...termsOf(entry), ...to };
  if (expires_in !== undefined) terms.expires_at = now + expires_in;
  for (const name of without) delete terms[name === "expires_in" ? "expires_at" : name];
  return { ...Object.fromEntries(kept), command, max_retries, ...termsOf(terms) } as E;
}

function optional(name: string): keyof JobSpec {
  const known = SPEC_TERMS.find((term) => term === name);
  if (known === undefined) throw invalid(`${shown(name)} cannot be taken away.`);
  return known;
}
