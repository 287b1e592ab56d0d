/**
 * Runs one attempt of a job: its shell in a session of its own, its output straight to the log by descriptor.
 *
 * The attempt ends when the shell does, whoever still holds its output. After a success, what it left in the background
 * may live; in every other case all of its processes are gone before the outcome is known, so that no retry meets its
 * predecessor. Nothing that the command does makes this throw.
 */
import { closeSync, fstatSync, statSync, unlinkSync } from "node:fs";
import { reach } from "../failpoint.ts";
import type { ProcessingJob } from "../job/job.ts";
import type { Outcome } from "../job/outcome.ts";
import type { OpenAttemptLog, OpenLog } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { lastLine, printable } from "./last-line.ts";
import { cutLog, isTooLarge, mayBeTooLarge } from "./log-limit.ts";
import { retryAfterPath, takeRetryAfter } from "./retry-after.ts";
import { type AttemptMark, endSurvivors, findSurvivors, groupExists, markOf } from "./survivors.ts";

export interface RunOptions {
  /** The store: what leads the job to it, and what the job's processes are known by. */
  readonly store: Pick<Store, "address" | "mark">;
  /** For both of its streams, or for each; closed when the attempt has ended, and removed where nothing was written. */
  readonly log: OpenAttemptLog;
  /** What every job of this worker gets; the variables of this attempt come on top. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From TERM to KILL when processes are ended, asked when it is needed. */
  readonly killGraceMs: () => Promise<number>;
  /** How much of a log is kept, asked when one may be too large; 0 is all of it. */
  readonly maxLogBytes: () => Promise<number>;
}

export interface RunningCommand {
  readonly outcome: Promise<Outcome>;
  /**
   * Ends all of its processes: TERM, then KILL, or with `atOnce` KILL. The outcome is that for which it was ended first,
   * unless the shell had ended before.
   */
  end(outcome: Interruption, how?: { atOnce: boolean }): void;
}

/** What an attempt is ended for. */
export type Interruption = Extract<Outcome, { kind: "released" | "canceled" | "timed-out" }>;

export function runCommand(job: ProcessingJob, options: RunOptions): RunningCommand {
  return new Attempt(job, options);
}

type Shell = Bun.Subprocess<"ignore", number, number>;

class Attempt implements RunningCommand {
  readonly outcome: Promise<Outcome>;
  readonly #options: RunOptions;
  readonly #mark: AttemptMark;
  #group: number | undefined;
  #interruption: Interruption | undefined;
  #ending: Promise<unknown> | undefined;
  readonly #hurry = new AbortController();

  constructor(job: ProcessingJob, options: RunOptions) {
    this.#options = options;
    this.#mark = { store: options.store.mark, workerId: job.worker_id, lease: job.lease };
    this.outcome = this.#run(job);
  }

  end(outcome: Interruption, { atOnce } = { atOnce: false }): void {
    if (this.#group === undefined) return;
    this.#interruption ??= outcome;
    if (atOnce) this.#hurry.abort();
    void this.#endProcesses(this.#group);
  }

  async #run(job: ProcessingJob): Promise<Outcome> {
    const { log } = this.#options;
    const files = filesOf(log);
    let timer: Timer | undefined;
    try {
      reach("log-opened");
      const shell = this.#spawn(job, log);
      this.#group = shell.pid;
      reach("spawned");
      if (job.timeout !== undefined) timer = this.#limit(job.timeout);
      await shell.exited;
      reach("exited");
      this.#group = undefined;
      return await this.#outcomeOf(shell, files);
    } catch (error) {
      removeEmpty(files);
      return { kind: "could-not-start", reason: whyNotStarted(job, error) };
    } finally {
      clearTimeout(timer);
      for (const { fd } of files) closeSync(fd);
    }
  }

  #limit(ms: number): Timer {
    return setTimeout(() => this.end({ kind: "timed-out", afterMs: ms }), ms);
  }

  async #outcomeOf(shell: Shell, files: readonly OpenLog[]): Promise<Outcome> {
    const retryAfterMs = takeRetryAfter(this.#options.log.path);
    if (shell.exitCode === 0 && this.#interruption === undefined) {
      // One that still runs in the background may yet print.
      const kept = groupExists(shell.pid) ? files : removeEmpty(files);
      await this.#limitLogs(kept, shell.pid);
      return { kind: "exited", code: 0 };
    }
    const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
    // Read before what is left is ended, lest the last line be "Terminated".
    const outcome = withLastLine(this.#interruption ?? { ...howItFailed(shell), ...asked }, files);
    await this.#endProcesses(shell.pid);
    await this.#limitLogs(removeEmpty(files), shell.pid);
    return outcome;
  }

  /** What somebody still writes to is left alone. */
  async #limitLogs(files: readonly OpenLog[], group: number): Promise<void> {
    for (const log of files) {
      if (!mayBeTooLarge(log)) continue;
      const maxBytes = await this.#options.maxLogBytes();
      if (isTooLarge(log, maxBytes) && findSurvivors(this.#mark, group).length === 0) await cutLog(log, maxBytes);
    }
  }

  /**
   * One description with O_APPEND for both streams keeps their order, unless they are to be split. Bun opens with CLOEXEC,
   * so the job has it as 1 and 2 only.
   */
  #spawn(job: ProcessingJob, { fd, path, stderr }: OpenAttemptLog): Shell {
    // A line that begins with a dash would be taken for options.
    return Bun.spawn(["/bin/sh", "-c", "--", job.command], {
      ...(job.cwd !== undefined && { cwd: job.cwd }),
      detached: true,
      stdin: "ignore",
      stdout: fd,
      stderr: stderr?.fd ?? fd,
      env: {
        ...this.#options.env,
        ...job.env,
        ...this.#options.store.address.variables,
        ...markOf(this.#mark),
        QUEUECTL_JOB_ID: job.id,
        QUEUECTL_ATTEMPT: String(job.attempts),
        QUEUECTL_RETRY_AFTER: retryAfterPath(path),
      },
    });
  }

  /** Asked for by `end` and by a failure; the first asking sets the grace for both. */
  async #endProcesses(group: number): Promise<void> {
    this.#ending ??= this.#options
      .killGraceMs()
      .then((ms) => AbortSignal.any([AbortSignal.timeout(ms), this.#hurry.signal]))
      .then((grace) => endSurvivors(this.#mark, { group, grace }));
    await this.#ending;
  }
}

function howItFailed({ exitCode, signalCode }: Shell): Outcome {
  return signalCode === null
    ? { kind: "exited", code: exitCode ?? 1 }
    : { kind: "signaled", signal: String(signalCode) };
}

/** Where they are split, stderr first: what went wrong is said there. */
function filesOf(log: OpenAttemptLog): readonly OpenLog[] {
  return log.stderr ? [log.stderr, log] : [log];
}

/** What the command itself brought about is told with the last line that it printed: to stderr, if it printed any there. */
function withLastLine(outcome: Outcome, files: readonly OpenLog[]): Outcome {
  if (outcome.kind !== "exited" && outcome.kind !== "signaled" && outcome.kind !== "timed-out") return outcome;
  for (const { path } of files) {
    const said = lastLine(path);
    if (said !== undefined) return { ...outcome, lastLine: said };
  }
  return outcome;
}

/** What the system says of a directory that is not there is that /bin/sh is not. */
function whyNotStarted({ cwd }: ProcessingJob, error: unknown): string {
  if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
    return `its directory ${printable(cwd)} is not there`;
  }
  // It may quote the whole command.
  return printable(error instanceof Error ? error.message : String(error));
}

/** A million empty files help nobody. Returns those that something is in. */
function removeEmpty(files: readonly OpenLog[]): OpenLog[] {
  return files.filter(({ path, fd }) => {
    try {
      if (fstatSync(fd).size > 0) return true;
      unlinkSync(path);
    } catch {
      // Somebody removed it already.
    }
    return false;
  });
}
