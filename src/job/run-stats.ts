/**
 * How a queue's commands have fared: of each, how often it was run, how often that failed, and how long it took. Jobs come
 * one by one, however many there are: what is kept grows with the number of different commands alone.
 */
import type { CompletedJob, DeadLetter } from "./job.ts";
import type { PortableJob } from "./portable.ts";

interface Figures {
  readonly jobs: number;
  /** Attempts that have ended. */
  readonly runs: number;
  /** Those of them that completed nothing. */
  readonly failures: number;
  /** Jobs that were completed after an attempt that failed. */
  readonly flaky: number;
  /** How long runs took that completed their job, in ms, to a percent: half of them, and 95 % of them, no longer. */
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

export interface CommandFigures extends Figures {
  readonly command: string;
}

export interface RunStats {
  readonly all: Figures;
  /** Those that were run most often first. */
  readonly commands: readonly CommandFigures[];
}

/** Which commands are one and the same: those that are equal, or that begin with the same words. */
export const GROUPINGS = ["words", "command"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export class RunStatsCounter {
  readonly #groupOf: (command: string) => string;
  readonly #all = new Group();
  readonly #groups = new Map<string, Group>();

  constructor(by: Grouping) {
    this.#groupOf = by === "words" ? firstWords : (command) => command;
  }

  add(entry: PortableJob | DeadLetter): void {
    const name = this.#groupOf(entry.command);
    let group = this.#groups.get(name);
    if (!group) {
      group = new Group();
      this.#groups.set(name, group);
    }
    group.add(entry);
    this.#all.add(entry);
  }

  result(): RunStats {
    const commands = Array.from(this.#groups, ([command, group]) => ({ command, ...group.figures() }));
    commands.sort((a, b) => b.runs - a.runs || b.jobs - a.jobs || (a.command < b.command ? -1 : 1));
    return { all: this.#all.figures(), commands };
  }
}

/**
 * The program, and up to two more words that are nothing but words: `npm run build`, `ffmpeg` of `ffmpeg -i a.mov`. Variables
 * that are set before it do not count.
 */
export function firstWords(command: string): string {
  const [, program = command.trim(), words = ""] = WORDS.exec(command) ?? [];
  return program + words.replaceAll(/\s+/g, " ");
}

const WORDS = /^\s*(?:[A-Za-z_]\w*=\S*\s+)*(\S+)((?:\s+[A-Za-z][A-Za-z-]*(?=\s|$)){0,2})/;

class Group {
  #jobs = 0;
  #completed = 0;
  #failures = 0;
  #flaky = 0;
  readonly #durations = new Durations();

  add(entry: PortableJob | DeadLetter): void {
    this.#jobs += 1;
    const failures = failuresOf(entry);
    this.#failures += failures;
    if (!isCompleted(entry)) return;
    this.#completed += 1;
    this.#durations.add(entry.updated_at - entry.processing_started_at);
    if (failures > 0) this.#flaky += 1;
  }

  figures(): Figures {
    const [jobs, failures, flaky] = [this.#jobs, this.#failures, this.#flaky];
    const [p50_ms, p95_ms] = [this.#durations.percentile(0.5), this.#durations.percentile(0.95)];
    return { jobs, runs: failures + this.#completed, failures, flaky, p50_ms, p95_ms };
  }
}

/** The history goes back beyond a requeue, but not beyond so many attempts; the count does the reverse. */
function failuresOf(entry: PortableJob | DeadLetter): number {
  const isLastNoFailure = "state" in entry && (entry.state === "processing" || entry.state === "completed");
  return Math.max(entry.history?.length ?? 0, entry.attempts - (isLastNoFailure ? 1 : 0));
}

function isCompleted(entry: PortableJob | DeadLetter): entry is CompletedJob {
  return "state" in entry && entry.state === "completed";
}

/** How many there are of each length, lengths that differ by less than a percent being the same. */
class Durations {
  readonly #counts = new Map<number, number>();
  #total = 0;

  add(ms: number): void {
    const step = Math.round(Math.log1p(Math.max(0, ms)) / STEP);
    this.#counts.set(step, (this.#counts.get(step) ?? 0) + 1);
    this.#total += 1;
  }

  /** The shortest that so much of them is no longer than; null where there are none. */
  percentile(share: number): number | null {
    let left = Math.ceil(share * this.#total);
    for (const [step, count] of Array.from(this.#counts).sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.round(Math.expm1(step * STEP));
    }
    return null;
  }
}

const STEP = Math.log(1.01);
