/**
 * The output of attempts: `logs/<name>.<attempt>.<lease>.log`. The name begins with what is harmless of the job's id and
 * ends in a hash of all of it, so an id never becomes a path and two ids never share a file, whatever the file system
 * makes of upper and lower case. The lease tells apart attempts that carry the same number (after a release or a
 * requeue).
 */
import { join } from "node:path";
import type { ProcessingJob } from "../../job/job.ts";
import { namesInTrusted } from "./durable.ts";

const MAX_READABLE = 40;

/** Where the output of this attempt goes. */
export function logPath(directory: string, { id, attempts, lease }: ProcessingJob): string {
  return `${directory}/${logName(id)}.${attempts}.${lease}.log`;
}

/** Where a supervisor that this process starts in the background says what it does. */
export function supervisorLogPath(directory: string): string {
  return join(directory, `supervisor-${process.pid}.log`);
}

/** Whether a file of this name is such a one. */
export function isSupervisorLog(name: string): boolean {
  return /^supervisor-\d+\.log$/.test(name);
}

export interface LogFile {
  readonly attempt: number;
  readonly lease: number;
  readonly path: string;
}

/** The logs that there are of a job, oldest first. */
export function logsOf(directory: string, id: string): LogFile[] {
  const prefix = `${logName(id)}.`;
  return namesInTrusted(directory)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".log"))
    .map((name) => {
      const [attempt, lease] = name.slice(prefix.length).split(".").map(Number);
      return { attempt: attempt ?? 0, lease: lease ?? 0, path: join(directory, name) };
    })
    .sort((a, b) => a.lease - b.lease);
}

/**
 * What the names of all logs of the job begin with that a file of that name is a log of; undefined for any other file. One
 * that was being cut when its worker was killed is one, too.
 */
export function logOwner(file: string): string | undefined {
  const [name, attempt, lease, ending, ...more] = file.split(".");
  return attempt && lease && (ending === "log" || ending === "cut") && more.length === 0 ? name : undefined;
}

/** What the names of a job's logs begin with. */
export function logName(id: string): string {
  const readable = id.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, MAX_READABLE);
  const hash = Bun.CryptoHasher.hash("sha256", id, "hex").slice(0, 16);
  return `${readable}-${hash}`;
}
