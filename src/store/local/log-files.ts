/**
 * The output of attempts: `logs/<name>.<attempt>.<lease>.log`, or where its streams are split `.out` and `.err`: either tells by
 * itself that they are, when the other was empty and is gone. The name begins with what is harmless of the job's id and
 * ends in a hash of all of it, so an id never becomes a path and two ids never share a file, whatever the file system
 * makes of upper and lower case. The lease tells apart attempts that carry the same number (after a release or a
 * requeue).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ProcessingJob } from "../../job/job.ts";
import type { AttemptLog, Stream } from "../attempt-log.ts";
import { namesInTrusted } from "./durable.ts";

const MAX_READABLE = 40;
const ENDINGS = { both: "log", stdout: "out", stderr: "err" } as const satisfies Record<Stream | "both", string>;
const STREAMS = ["both", "stdout", "stderr"] as const satisfies (keyof typeof ENDINGS)[];

/** Where the output of this attempt goes, or what it writes to this stream alone. */
export function logPath(directory: string, job: ProcessingJob, stream: Stream | "both"): string {
  return attemptPath(directory, job, ENDINGS[stream]);
}

/** The same for who cannot know whether the streams are split. */
export function logPattern(directory: string, job: ProcessingJob): string {
  return attemptPath(directory, job, "*");
}

/** Where a supervisor that this process starts in the background says what it does. */
export function supervisorLogPath(directory: string): string {
  return join(directory, `supervisor-${process.pid}.log`);
}

/** Whether a file of this name is such a one. */
export function isSupervisorLog(name: string): boolean {
  return /^supervisor-\d+\.log$/.test(name);
}

/** The logs that there are of a job, oldest first. */
export function logsOf(directory: string, id: string): AttemptLog[] {
  const prefix = `${logName(id)}.`;
  return namesInTrusted(directory)
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => {
      const [attempt, lease, ...rest] = name.slice(prefix.length).split(".");
      const stream = STREAMS.find((one) => ENDINGS[one] === rest.join("."));
      const which = { attempt: Number(attempt), lease: Number(lease) };
      return stream === undefined ? [] : [logOf(stream, { ...which, path: join(directory, name) })];
    })
    .sort(inOrder);
}

/** The logs that there are of this attempt. */
export function logsOfAttempt(directory: string, job: ProcessingJob): AttemptLog[] {
  const which = { attempt: job.attempts, lease: job.lease };
  return STREAMS.map((stream) => logOf(stream, { ...which, path: logPath(directory, job, stream) })).filter(
    ({ path }) => existsSync(path),
  );
}

/** A log of both streams, or of this one. */
export function logOf(stream: Stream | "both", log: Omit<AttemptLog, "stream">): AttemptLog {
  return stream === "both" ? log : { ...log, stream };
}

/** Oldest first, and of one attempt stdout before stderr. */
export function inOrder(a: AttemptLog, b: AttemptLog): number {
  return a.lease - b.lease || Number(a.stream === "stderr") - Number(b.stream === "stderr");
}

/**
 * What the names of all logs of the job begin with that a file of that name is a log of; undefined for any other file. One
 * that was being cut when its worker was killed is one, too.
 */
export function logOwner(file: string): string | undefined {
  const [name, attempt, lease, ending, ...more] = file.split(".");
  const isOne = ending === "cut" || STREAMS.some((stream) => ENDINGS[stream] === ending);
  return attempt && lease && isOne && more.length === 0 ? name : undefined;
}

/** What the names of a job's logs begin with. */
export function logName(id: string): string {
  const readable = id.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, MAX_READABLE);
  const hash = Bun.CryptoHasher.hash("sha256", id, "hex").slice(0, 16);
  return `${readable}-${hash}`;
}

function attemptPath(directory: string, { id, attempts, lease }: ProcessingJob, ending: string): string {
  return `${directory}/${logName(id)}.${attempts}.${lease}.${ending}`;
}
