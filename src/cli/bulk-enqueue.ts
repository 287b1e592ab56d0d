/**
 * Enqueues the jobs of many lines. What one read brings is one commit: of a file that is some thousands of jobs; through a
 * pipe it is what has come since the last commit, so that a job which comes alone does not wait for others.
 */
import { QueueError } from "../job/errors.ts";
import { shellWord } from "../job/shell-word.ts";
import { parseJobSpec } from "../job/spec.ts";
import type { Output, Progress } from "../output/output.ts";
import { count } from "../output/worker-log.ts";
import type { EnqueueOptions, Store } from "../store/store.ts";
import type { Context } from "./command.ts";
import type { ManyJobs } from "./enqueue-ways.ts";
import { EXIT } from "./exit-code.ts";
import { JobInput } from "./job-input.ts";
import { atLine, type NumberedSpec } from "./job-lines.ts";
import { LineReader } from "./line-reader.ts";
import { Rehearsal } from "./rehearsal.ts";

/** What is committed at once stands in memory a few times over. */
const MAX_ATOMIC_JOBS = 1_000_000;
const MAX_ATOMIC_MIB = 256;

interface BulkRequest extends ManyJobs, Required<EnqueueOptions> {
  /** Only look whether they would be taken. */
  readonly dryRun: boolean;
}

/**
 * Returns the exit code. A line that is refused is named, once those before it are enqueued; with whatever ends this early,
 * ^C too, it is said how many jobs were enqueued and how to go on.
 */
export async function enqueueLines({ store, output, now }: Context, request: BulkRequest): Promise<number> {
  using input = new JobInput(request.path);
  const { dryRun } = request;
  const opened = await store();
  const bulk = new Bulk(dryRun ? new Rehearsal(opened, now) : opened, request);
  if (await takeAll(input, bulk, output)) {
    await output.result({ view: "bulk-enqueued", ...bulk.tally, dryRun });
    return EXIT.ok;
  }
  output.note(`Interrupted. ${bulk.standing()}`);
  return EXIT.interrupted;
}

/** False when ^C came before the end. */
async function takeAll(input: JobInput, bulk: Bulk, output: Output): Promise<boolean> {
  const stop = (): void => input.stop();
  process.once("SIGINT", stop);
  try {
    for await (const bytes of input.pieces()) {
      await bulk.take(bytes);
      output.progress(bulk.progress(input.size));
    }
    if (input.isStopped) return false;
    await bulk.end();
    return true;
  } catch (error) {
    throw error instanceof QueueError ? withStanding(error, bulk) : error;
  } finally {
    process.off("SIGINT", stop);
    output.progress(undefined);
  }
}

function withStanding(error: QueueError, bulk: Bulk): QueueError {
  const isTaken = error.code === "E_JOB_EXISTS";
  // What a store suggests about the id of a single job is not what helps here.
  const hints = [isTaken ? undefined : error.hint, bulk.standing({ isTaken })];
  const { code, message, quoted } = error;
  return new QueueError(code, message, { cause: error, quoted, hint: hints.filter(Boolean).join(" ") });
}

/** From bytes to jobs in the store, and how far it has come. */
class Bulk {
  readonly #store: Pick<Store, "enqueue">;
  readonly #request: BulkRequest;
  readonly #lines = new LineReader();
  #bytes = 0;
  /** Not enqueued yet. */
  #pending: NumberedSpec[] = [];
  #enqueued = 0;
  #skipped = 0;
  /** The last line that need not be looked at again. */
  #doneTo = 0;
  #allHaveIds = true;

  constructor(store: Pick<Store, "enqueue">, request: BulkRequest) {
    this.#store = store;
    this.#request = request;
  }

  get tally(): { readonly enqueued: number; readonly skipped: number } {
    return { enqueued: this.#enqueued, skipped: this.#skipped };
  }

  /** `size` is that of the whole input, if it is known. */
  progress(size: number | undefined): Progress {
    const jobs = this.#enqueued + this.#skipped + this.#pending.length;
    return { done: this.#bytes, of: size, text: count(jobs, "job", "jobs") };
  }

  /** Takes the jobs of the lines that end in these bytes. */
  async take(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length;
    const refusal = this.#parse(this.#lines.read(bytes));
    if (!this.#request.atomic) await this.#commit();
    if (refusal) throw refusal;
  }

  /** Takes the last line, if it has no newline, and whatever is left to be committed. */
  async end(): Promise<void> {
    const refusal = this.#parse(this.#lines.end());
    if (refusal) throw refusal;
    await this.#commit();
  }

  /** How many jobs are enqueued, and what to type so that the others are, too. */
  standing({ isTaken = false } = {}): string {
    const { path, termsAgain, dryRun } = this.#request;
    const skip = isTaken ? " --skip-existing" : "";
    if (this.#enqueued === 0 || dryRun) {
      return `Nothing was enqueued.${skip && " To leave out what is there already, run it again with --skip-existing."}`;
    }
    const done = `${count(this.#enqueued, "job was", "jobs were")} enqueued, up to line ${this.#doneTo}.`;
    if (this.#allHaveIds) return `${done} To go on, run it again with --skip-existing.`;
    const rest = `tail -n +${this.#doneTo + 1} ${shellWord(path)} | queuectl enqueue -${skip}${termsAgain}`;
    return `${done} To go on${path === "-" ? `, begin after line ${this.#doneTo}.` : `: ${rest}`}`;
  }

  /** What is wrong with a line is returned: those before it are to be enqueued first. */
  #parse(lines: Iterable<string>): QueueError | undefined {
    try {
      for (const text of lines) {
        if (this.#request.atomic && this.#isTooMuch()) throw tooMuch();
        this.#pending.push({ line: this.#lines.number, spec: parseJobSpec(text, this.#request.terms) });
      }
      return undefined;
    } catch (error) {
      if (error instanceof QueueError) return atLine(this.#lines.number, error);
      throw error;
    }
  }

  #isTooMuch(): boolean {
    return this.#pending.length >= MAX_ATOMIC_JOBS || this.#bytes > MAX_ATOMIC_MIB * 1024 * 1024;
  }

  async #commit(): Promise<void> {
    const jobs = this.#pending;
    this.#pending = [];
    if (jobs.length > 0) await this.#enqueue(jobs);
  }

  /** All up to the first that is refused. */
  async #enqueue(jobs: readonly NumberedSpec[]): Promise<void> {
    const { existing, atomic } = this.#request;
    try {
      const added = await this.#store.enqueue(
        jobs.map(({ spec }) => spec),
        { existing },
      );
      this.#enqueued += added.length;
      this.#skipped += jobs.length - added.length;
      this.#allHaveIds &&= jobs.every(({ spec }) => spec.id !== undefined);
      this.#doneTo = jobs.at(-1)?.line ?? this.#doneTo;
    } catch (error) {
      if (!(error instanceof QueueError) || error.index === undefined) throw error;
      const { index } = error;
      if (atomic || index === 0) throw atLine(jobs[index]?.line ?? 0, error);
      await this.#enqueue(jobs.slice(0, index));
      // Refused by itself, it is so for what is in the queue: maybe by what an earlier line has just put there.
      await this.#enqueue(jobs.slice(index));
    }
  }
}

function tooMuch(): QueueError {
  return new QueueError("E_USAGE", `--atomic takes at most ${MAX_ATOMIC_JOBS} jobs and ${MAX_ATOMIC_MIB} MiB.`);
}
