/**
 * What attempts printed: the whole in a file of the machine they ran on, the last 64 KiB in the table `output`, so that it
 * can be read anywhere.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import type { AttemptLog } from "../attempt-log.ts";
import { self } from "../local/identity.ts";
import type { LogDirectory } from "../local/log-directory.ts";
import { logPath, logsOf } from "../local/log-files.ts";
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
    (sql) => sql`SELECT lease, attempt, bytes, host, path, tail FROM output WHERE id = ${id}`,
  );
  const running: RunningRow[] = await database.ask(
    (sql) => sql`
      SELECT j.*, p.host, p.logs FROM jobs j JOIN presence p ON p.id = j.worker_id
      WHERE j.id = ${id} AND j.state = 'processing'`,
  );
  const logs = new Map<number, AttemptLog>();
  for (const row of rows) logs.set(Number(row.lease), logOf(row));
  for (const row of running) for (const log of logsOfRunning(row)) logs.set(Number(row.lease), log);
  for (const { lease, attempt, path } of logsOf(directory.path, id)) logs.set(lease, { attempt, lease, path });
  return Array.from(logs)
    .sort(([a], [b]) => a - b)
    .map(([, log]) => log);
}

function logOf({ attempt, lease: written, bytes, host, path, tail }: OutputRow): AttemptLog {
  const lease = Number(written);
  if (host === self().host && existsSync(path)) return { attempt, lease, path };
  const end = tail.length === 0 ? {} : { end: { bytes: Number(bytes), tail } };
  return { attempt, lease, path, elsewhere: { host, ...end } };
}

/** None where it would be a file here, and has not been made yet. */
function logsOfRunning(row: RunningRow): AttemptLog[] {
  const job = processingOf(row);
  const path = logPath(row.logs, job);
  const log = { attempt: job.attempts, lease: job.lease, path };
  if (row.host !== self().host) return [{ ...log, elsewhere: { host: row.host } }];
  return existsSync(path) ? [log] : [];
}
