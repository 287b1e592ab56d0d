/**
 * Queues within a queue: each job is in one, by name. A queue may be limited to so many jobs at a time, over all workers, and to
 * so many in a time, and may be paused; all of that only keeps claims away, and never touches what runs.
 */
import { QueueError } from "./errors.ts";
import { invalid } from "./field.ts";
import { isRate, opensAgainAt, type Rate, roomUnder } from "./rate.ts";
import { shown } from "./shown.ts";
import type { JobTerms } from "./terms.ts";

/** Where a job is that names none. */
export const DEFAULT_QUEUE = "default";
/** In place of a name: every queue there is and will be. It can be paused, and nothing else. */
export const EVERY_QUEUE = "*";

/** What holds for one queue. */
export interface QueueRule {
  /** So many of its jobs may run at a time; absent means any number. */
  readonly concurrency?: number;
  /** So many of its jobs may be begun in any second, minute or hour; absent means any number. */
  readonly rate?: Rate;
  readonly paused?: boolean;
}

/** By name; a queue that is not in it has no rule. */
export type QueueRules = Readonly<Record<string, QueueRule>>;

/** A queue that has a rule, or jobs that wait or run. */
export interface QueueStatus extends QueueRule {
  readonly name: string;
  readonly pending: number;
  /** Those of the pending that wait for other jobs. */
  readonly waiting: number;
  readonly processing: number;
  /** Of a queue with a rate: when the latest of its jobs were begun, oldest first. */
  readonly begun?: readonly number[];
}

/** What is to become of a rule; null takes a limit away. */
export interface QueueRuleChange {
  readonly concurrency?: number | null;
  readonly rate?: Rate | null;
  readonly paused?: boolean;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The name of a queue, as a person gives it. Throws `E_USAGE`. */
export function parseQueueName(text: string): string {
  if (NAME.test(text)) return text;
  throw new QueueError("E_USAGE", `${shown(text)} cannot be the name of a queue.`, { hint: NAME_HINT });
}

/** The term of a job that says its queue: none for the one that it is in anyway. */
export function checkQueue(value: unknown, field: string): string | undefined {
  if (typeof value !== "string" || !NAME.test(value)) {
    throw invalid(`"${field}" must be the name of a queue, got ${shown(value)}.`, { hint: NAME_HINT });
  }
  return value === DEFAULT_QUEUE ? undefined : value;
}

const NAME_HINT = "Letters, digits, dots, dashes and underscores; up to 64 of them, the first a letter or a digit.";

/** Whether one who names the queues that he serves, or none for all, takes jobs of this one. */
export function isServed(queue: string, served: readonly string[] | undefined): boolean {
  return served?.includes(queue) ?? true;
}

export function queueOf({ queue = DEFAULT_QUEUE }: JobTerms): string {
  return queue;
}

/** Whether a value that was read somewhere is the rule of the queue that it names. */
export function isQueueRule(value: unknown): value is QueueRule & { name: string } {
  const { name, concurrency, rate, paused, ...more } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof name === "string" &&
    (NAME.test(name) || name === EVERY_QUEUE) &&
    (concurrency === undefined || (Number.isSafeInteger(concurrency) && (concurrency as number) >= 1)) &&
    (rate === undefined || isRate(rate)) &&
    (paused === undefined || paused === true) &&
    Object.keys(more).length === 0
  );
}

/** The rule as it is after a change; one that says nothing is an empty object. */
export function changedRule(rule: QueueRule | undefined, change: QueueRuleChange): QueueRule {
  const concurrency = change.concurrency === undefined ? rule?.concurrency : (change.concurrency ?? undefined);
  const rate = change.rate === undefined ? rule?.rate : (change.rate ?? undefined);
  const paused = change.paused ?? rule?.paused ?? false;
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rate === undefined ? {} : { rate }),
    ...(paused ? { paused } : {}),
  };
}

/**
 * Whether one who serves `served`, or all queues, has nothing left to wait for. What is pending in a queue that is paused may
 * be so for ever, and so may a job that waits for another, where nothing runs any more.
 */
export function isDrained(queues: readonly QueueStatus[], served?: readonly string[]): boolean {
  const areAllPaused = queues.some(({ name, paused }) => name === EVERY_QUEUE && paused);
  const doesAnythingRun = queues.some(({ processing }) => processing > 0);
  return queues
    .filter(({ name }) => isServed(name, served))
    .every(({ pending, waiting, processing, paused }) => {
      const claimable = paused || areAllPaused ? 0 : pending - waiting;
      return processing === 0 && claimable === 0 && (waiting === 0 || !doesAnythingRun);
    });
}

/** Who asks for jobs of a queue, and what was claimed of it before. */
export interface ClaimOf {
  readonly now: number;
  readonly running: number;
  /** When the latest were begun, as far as its rate needs to know. */
  readonly begun: readonly number[];
  /** The queues that are asked for; all where none is named. */
  readonly served: readonly string[] | undefined;
}

/** How many more jobs of a queue may be claimed. */
export function roomIn(queue: string, rules: QueueRules, claim: ClaimOf): number {
  const rate = rules[queue]?.rate;
  const width = widthIn(queue, rules, claim);
  return rate === undefined ? width : Math.min(width, roomUnder(rate, claim.begun, claim.now));
}

/** From when on the next may be claimed: 0 for at once. Undefined where time alone does not change that. */
export function opensAt(queue: string, rules: QueueRules, claim: ClaimOf): number | undefined {
  const rate = rules[queue]?.rate;
  if (widthIn(queue, rules, claim) === 0) return undefined;
  return (rate && opensAgainAt(rate, claim.begun, claim.now)) ?? 0;
}

function widthIn(queue: string, rules: QueueRules, { running, served }: ClaimOf): number {
  if (!isServed(queue, served)) return 0;
  const { concurrency = Number.POSITIVE_INFINITY, paused = false } = rules[queue] ?? {};
  return paused || rules[EVERY_QUEUE]?.paused ? 0 : Math.max(0, concurrency - running);
}
