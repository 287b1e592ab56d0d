/**
 * What attempts printed: the whole in a file of the machine they ran on, the last 64 KiB in the table `output`, so that it
 * can be read anywhere.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { type AttemptLog, isOutOfReach, type Stream } from "../attempt-log.ts";
import { self } from "../local/identity.ts";
import type { LogDirectory } from "../local/log-directory.ts";
import { inOrder, logOf, logPattern, logsOf, logsOfAttempt } from "../local/log-files.ts";
import type { Database } from "./database.ts";
import { type JobRow, processingOf } from "./row.ts";

const TAIL_BYTES = 64 * 1024;

/** The size of a log, and the end of it in base64. Undefined where nothing was printed. */
export function readPrinted(path: string): { readonly bytes: number; readonly tail: string } | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    // Removed, because it was empty.
    return undefined;
  }
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(fd, tail, 0, tail.length, size - tail.length);
    return read === 0 ? undefined : { bytes: size, tail: tail.subarray(0, read).toString("base64") };
  } finally {
    closeSync(fd);
  }
}

interface OutputRow {
  readonly lease: string;
  readonly stream: Stream | "both";
  readonly attempt: number;
  readonly bytes: string;
  readonly host: string;
  readonly path: string;
  readonly tail: Uint8Array;
}

/** A job that is processing, and where its worker writes what it prints. */
interface RunningRow extends JobRow {
  readonly host: string;
  readonly logs: string;
}

/** The logs that there are of a job, oldest first: files where they can be read here, else the ends that are stored. */
export async function attemptLogs(database: Database, directory: LogDirectory, id: string): Promise<AttemptLog[]> {
  const rows: OutputRow[] = await database.ask(
    (sql) => sql`SELECT lease, stream, attempt, bytes, host, path, tail FROM output WHERE id = ${id}`,
  );
  const running: RunningRow[] = await database.ask(
    (sql) => sql`
      SELECT j.*, p.host, p.logs FROM jobs j JOIN presence p ON p.id = j.worker_id
      WHERE j.id = ${id} AND j.state = 'processing'`,
  );
  const logs = new Map<string, AttemptLog>();
  for (const log of [...rows.map(logOfRow), ...running.flatMap(logsOfRunning), ...logsOf(directory.path, id)]) {
    logs.set(`${log.lease} ${log.stream}`, log);
  }
  // Of one out of reach it is told where it is until there is more to tell: it has ended, or its worker was thought lost.
  const known = new Set(Array.from(logs.values()).flatMap((log) => (isOutOfReach(log) ? [] : [log.lease])));
  return Array.from(logs.values())
    .filter((log) => !isOutOfReach(log) || !known.has(log.lease))
    .sort(inOrder);
}

function logOfRow({ attempt, lease, stream, bytes, host, path, tail }: OutputRow): AttemptLog {
  const log = logOf(stream, { attempt, lease: Number(lease), path });
  if (host === self().host && existsSync(path)) return log;
  const end = tail.length === 0 ? {} : { end: { bytes: Number(bytes), tail } };
  return { ...log, elsewhere: { host, ...end } };
}

/** None where they would be files here, and have not been made yet. */
function logsOfRunning(row: RunningRow): AttemptLog[] {
  const job = processingOf(row);
  if (row.host === self().host) return logsOfAttempt(row.logs, job);
  const path = logPattern(row.logs, job);
  return [{ attempt: job.attempts, lease: job.lease, path, elsewhere: { host: row.host } }];
}
