/**
 * Runs one attempt of a job: its shell in a session of its own, its output straight to the log by descriptor.
 *
 * The attempt ends when the shell does, whoever still holds its output. After a success, what it left in the background
 * may live; in every other case all of its processes are gone before the outcome is known, so that no retry meets its
 * predecessor. Nothing that the command does makes this throw.
 */
import { closeSync, fstatSync, unlinkSync } from "node:fs";
import { reach } from "../failpoint.ts";
import type { ProcessingJob } from "../job/job.ts";
import type { Outcome } from "../job/outcome.ts";
import type { OpenLog, Store } from "../store/store.ts";
import { lastLine, printable } from "./last-line.ts";
import { type AttemptMark, endSurvivors, groupExists, markOf } from "./survivors.ts";

export interface RunOptions {
  /** The store: what leads the job to it, and what the job's processes are known by. */
  readonly store: Pick<Store, "address" | "mark">;
  /** For both of its streams; closed when the attempt has ended, and removed if nothing was written. */
  readonly log: OpenLog;
  /** What every job of this worker gets; the variables of this attempt come on top. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From TERM to KILL when processes are ended, asked when it is needed. */
  readonly killGraceMs: () => Promise<number>;
}

export interface RunningCommand {
  readonly outcome: Promise<Outcome>;
  /**
   * Ends all of its processes: TERM, then KILL, or with `atOnce` KILL. The outcome is `released`, unless the shell had
   * ended before.
   */
  end(how?: { atOnce: boolean }): void;
}

export function runCommand(job: ProcessingJob, options: RunOptions): RunningCommand {
  return new Attempt(job, options);
}

type Shell = Bun.Subprocess<"ignore", number, number>;

class Attempt implements RunningCommand {
  readonly outcome: Promise<Outcome>;
  readonly #options: RunOptions;
  readonly #mark: AttemptMark;
  #group: number | undefined;
  #released: Outcome | undefined;
  #ending: Promise<unknown> | undefined;
  readonly #hurry = new AbortController();

  constructor(job: ProcessingJob, options: RunOptions) {
    this.#options = options;
    this.#mark = { store: options.store.mark, workerId: job.worker_id, lease: job.lease };
    this.outcome = this.#run(job);
  }

  end({ atOnce } = { atOnce: false }): void {
    if (this.#group === undefined) return;
    this.#released = { kind: "released" };
    if (atOnce) this.#hurry.abort();
    void this.#endProcesses(this.#group);
  }

  async #run(job: ProcessingJob): Promise<Outcome> {
    const { log } = this.#options;
    try {
      reach("log-opened");
      const shell = this.#spawn(job, log.fd);
      this.#group = shell.pid;
      reach("spawned");
      await shell.exited;
      reach("exited");
      this.#group = undefined;
      return await this.#outcomeOf(shell, log);
    } catch (error) {
      removeIfEmpty(log);
      // It may quote the whole command.
      return { kind: "could-not-start", reason: printable(error instanceof Error ? error.message : String(error)) };
    } finally {
      closeSync(log.fd);
    }
  }

  async #outcomeOf(shell: Shell, log: OpenLog): Promise<Outcome> {
    if (shell.exitCode === 0 && this.#released === undefined) {
      // One that still runs in the background may yet print.
      if (!groupExists(shell.pid)) removeIfEmpty(log);
      return { kind: "exited", code: 0 };
    }
    // Read before what is left is ended, lest the last line be "Terminated".
    const outcome = this.#released ?? howItFailed(shell, log.path);
    await this.#endProcesses(shell.pid);
    removeIfEmpty(log);
    return outcome;
  }

  /**
   * One description with O_APPEND for both streams keeps their order. Bun opens with CLOEXEC, so the job has it as 1 and
   * 2 only.
   */
  #spawn(job: ProcessingJob, log: number): Shell {
    return Bun.spawn(["/bin/sh", "-c", job.command], {
      detached: true,
      stdin: "ignore",
      stdout: log,
      stderr: log,
      env: {
        ...this.#options.env,
        ...this.#options.store.address.variables,
        ...markOf(this.#mark),
        QUEUECTL_JOB_ID: job.id,
        QUEUECTL_ATTEMPT: String(job.attempts),
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

function howItFailed(shell: Shell, logPath: string): Outcome {
  const said = lastLine(logPath);
  const detail = said === undefined ? {} : { lastLine: said };
  return shell.signalCode === null
    ? { kind: "exited", code: shell.exitCode ?? 1, ...detail }
    : { kind: "signaled", signal: String(shell.signalCode), ...detail };
}

/** A million empty files help nobody. */
function removeIfEmpty({ path, fd }: OpenLog): void {
  try {
    if (fstatSync(fd).size === 0) unlinkSync(path);
  } catch {
    // Somebody removed it already.
  }
}
