/** The directory of this machine that the output of attempts and of supervisors in the background goes to. */
import { closeSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ProcessingJob } from "../../job/job.ts";
import type { AttemptLog, OpenAttemptLog, OpenLog } from "../attempt-log.ts";
import { guard, namesInTrusted, openToAppend } from "./durable.ts";
import { logName, logOwner, logPath, logsOf, supervisorLogPath } from "./log-files.ts";
import { checkDirectory } from "./trust.ts";

export interface OldLog {
  readonly path: string;
  /** What the names of all logs of its job begin with (`logName`). */
  readonly owner: string;
  readonly lease: number;
  readonly bytes: number;
}

const FILES_A_BATCH = 1000;

export class LogDirectory {
  readonly path: string;
  #isTrusted = false;

  constructor(path: string) {
    this.path = path;
  }

  open(job: ProcessingJob, { isSplit }: { isSplit: boolean }): OpenAttemptLog {
    if (!isSplit) return this.#openAt(logPath(this.path, job, "both"));
    // Before the other, so that whoever finds that one finds both.
    const stderr = this.#openAt(logPath(this.path, job, "stderr"));
    try {
      return { ...this.#openAt(logPath(this.path, job, "stdout")), stderr };
    } catch (error) {
      closeSync(stderr.fd);
      throw error;
    }
  }

  openSupervisorLog(): OpenLog {
    return this.#openAt(supervisorLogPath(this.path));
  }

  /** The logs that there are of a job, oldest first. */
  of(id: string): AttemptLog[] {
    return logsOf(this.path, id);
  }

  /** Those of all logs that there are of these jobs. */
  pathsOf(ids: readonly string[]): string[] {
    if (ids.length === 0) return [];
    const owners = new Set(ids.map(logName));
    return namesInTrusted(this.path)
      .filter((name) => owners.has(logOwner(name) ?? ""))
      .map((name) => join(this.path, name));
  }

  /** The logs of attempts that nothing was added to since `before`, in epoch ms. Others have their turn in between. */
  async before(before: number): Promise<OldLog[]> {
    const old: OldLog[] = [];
    for (const [number, name] of namesInTrusted(this.path).entries()) {
      if (number % FILES_A_BATCH === 0) await new Promise(setImmediate);
      const owner = logOwner(name);
      const path = join(this.path, name);
      const stat = owner === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
      if (owner !== undefined && stat && stat.mtimeMs <= before) {
        old.push({ path, owner, lease: Number(name.split(".").at(-2)), bytes: stat.size });
      }
    }
    return old;
  }

  /** The directory is asked once: from then on nobody else can change whose it is (trust.ts). */
  #openAt(path: string): OpenLog {
    if (!this.#isTrusted) guard("open", path, () => checkDirectory(this.path));
    this.#isTrusted = true;
    return { path, fd: openToAppend(path) };
  }
}
