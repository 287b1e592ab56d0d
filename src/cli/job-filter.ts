/** `--where` and `--match`: which jobs are meant. A mistake in them is a sentence, and no job is looked at. */
import { didYouMean } from "../job/closest.ts";
import { parseDuration } from "../job/duration.ts";
import { unreachable } from "../job/errors.ts";
import { globMatcher } from "../job/glob.ts";
import { JOB_STATES, type Job } from "../job/job.ts";
import { FIELD_NAMES, type FieldKind, type FieldName, fieldOf, findField, kindOf } from "../job/record-field.ts";
import { shown } from "../job/shown.ts";
import { mistake } from "./mistake.ts";
import { MOMENTS, parseMoment } from "./moment.ts";

export type JobFilter = (job: Job) => boolean;

/** Longer ones first, so that none is taken for the beginning of another. */
const OPERATORS = ["!=", "<=", ">=", "=", "<", ">", "~"] as const;
type Operator = (typeof OPERATORS)[number];
const CONDITION = new RegExp(`^\\s*([\\w-]+?)\\s*(${OPERATORS.join("|")})\\s*(.*)$`, "s");

/** Of the id or of the command. */
export function matchFilter(pattern: string): (entry: Pick<Job, "id" | "command">) => boolean {
  const isMatch = globMatcher(pattern);
  return ({ id, command }) => isMatch(id) || isMatch(command);
}

/** `attempts>1`, `created_at<2h ago`, `command~*.sh`, `cwd=` for jobs without one. Throws `E_USAGE`. */
export function whereFilter(condition: string, now: number): JobFilter {
  const [, name, operator, text] = CONDITION.exec(condition) ?? [];
  if (name === undefined || operator === undefined || text === undefined) {
    throw mistake(
      `Expected --where to be a field, one of ${OPERATORS.join(" ")} and a value, got ${shown(condition)}.`,
      'For example: --where "attempts>1"',
    );
  }
  const field = fieldNamed(name);
  const holds = comparison(operator as Operator, { field, text, now });
  return (job) => holds(fieldOf(job, field));
}

/** Throws `E_USAGE` with the field that was probably meant. */
export function fieldNamed(name: string): FieldName {
  const found = findField(name);
  if ("field" in found) return found.field;
  const hint = found.near ? `Did you mean "${found.near}"?` : `Known: ${FIELD_NAMES.join(", ")}.`;
  throw mistake(`Jobs have no field ${shown(name)}.`, hint);
}

interface Compared {
  readonly field: FieldName;
  readonly text: string;
  readonly now: number;
}

/** A field that a job has not got is equal to no text at all, and neither before nor behind anything. */
function comparison(operator: Operator, { field, text, now }: Compared): (value: unknown) => boolean {
  if (operator === "~") {
    const isMatch = globMatcher(text);
    return (value) => value !== undefined && isMatch(textOf(value));
  }
  if (text === "" && (operator === "=" || operator === "!=")) {
    return (value) => (value === undefined) === (operator === "=");
  }
  if (field === "state") checkState(text);
  const kind = kindOf(field);
  const wanted = kind === "text" || kind === "json" ? text : numberOf(text, { field, kind, now });
  const order = (value: unknown): number => compare(typeof wanted === "number" ? value : textOf(value), wanted);
  return (value) => (value === undefined ? operator === "!=" : isSo(operator, order(value)));
}

function isSo(operator: Exclude<Operator, "~">, order: number): boolean {
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    default:
      return unreachable(operator);
  }
}

function compare(a: unknown, b: string | number): number {
  if (a === b) return 0;
  return (a as string | number) < b ? -1 : 1;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function checkState(text: string): void {
  if (JOB_STATES.some((state) => state === text)) return;
  throw mistake(`Expected a state, ${JOB_STATES.join(", ")}, got ${shown(text)}.`, didYouMean(text, JOB_STATES));
}

function numberOf(
  text: string,
  { field, kind, now }: { field: FieldName; kind: Exclude<FieldKind, "text" | "json">; now: number },
): number {
  const number = /^-?\d+$/.test(text) ? Number(text) : undefined;
  const [value, expected] = {
    number: [number, "a whole number"] as const,
    duration: [number ?? parseDuration(text), "a duration like 90s or 2h30m"] as const,
    instant: [parseMoment(text, now), `a time: ${MOMENTS}`] as const,
  }[kind];
  if (value !== undefined) return value;
  throw mistake(`Expected ${field} to be compared with ${expected}, got ${shown(text)}.`);
}
