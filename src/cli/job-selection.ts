/** Which jobs `list` shows, in which order, and how many of them. */
import type { Job } from "../job/job.ts";
import type { Arguments, OptionSpec } from "./command.ts";
import { type JobFilter, matchFilter, whereFilter } from "./job-filter.ts";
import { jobOrder } from "./job-order.ts";
import { wholeNumber } from "./option-values.ts";

export const SELECTION_OPTIONS: readonly OptionSpec[] = [
  { name: "where", value: "condition", many: true, summary: "Only those of which this is true, as in attempts>1" },
  { name: "match", value: "glob", summary: "Only those whose id or command is like this: *.mp4, build-?" },
  { name: "sort", value: "fields", summary: "By these fields: run_at,id; with a dash downwards: -created_at" },
  { name: "limit", value: "n", summary: "At most so many, the first ones" },
];

const MOST = 1_000_000_000;
/** What is found among many is handed on a page at a time: each has a title on a terminal. */
const JOBS_A_PAGE = 1000;

export class Selection {
  readonly #filters: readonly JobFilter[];
  readonly #order: ((a: Job, b: Job) => number) | undefined;
  readonly #limit: number;

  /** Throws `E_USAGE`. */
  constructor(args: Arguments, now: number) {
    const { options, lists } = args;
    const match = options.get("match");
    const sort = options.get("sort");
    this.#filters = [
      ...(lists.get("where") ?? []).map((condition) => whereFilter(condition, now)),
      ...(match === undefined ? [] : [matchFilter(match)]),
    ];
    this.#order = sort === undefined ? undefined : jobOrder(sort);
    this.#limit = wholeNumber(args, "limit", { min: 1, max: MOST }) ?? Number.POSITIVE_INFINITY;
  }

  /** Whether some jobs may not be meant. */
  get isPartial(): boolean {
    return this.#filters.length > 0;
  }

  of(jobs: readonly Job[]): readonly Job[] {
    const meant = this.isPartial ? jobs.filter(this.#isMeant, this) : jobs;
    const ordered = this.#order === undefined ? meant : meant.toSorted(this.#order);
    return ordered.slice(0, this.#limit);
  }

  /** As `of`, of jobs that come batch by batch: held in memory only where they are to be sorted. */
  async *among(batches: AsyncIterable<readonly Job[]>): AsyncGenerator<readonly Job[]> {
    const isSorting = this.#order !== undefined;
    let found: Job[] = [];
    let left = this.#limit;
    for await (const jobs of batches) {
      for (const job of jobs) if (this.#isMeant(job)) found.push(job);
      if (isSorting || found.length < Math.min(left, JOBS_A_PAGE)) continue;
      yield found.slice(0, left);
      left -= found.length;
      found = [];
      if (left <= 0) return;
    }
    yield isSorting ? this.of(found) : found.slice(0, left);
  }

  #isMeant(job: Job): boolean {
    return this.#filters.every((filter) => filter(job));
  }
}
