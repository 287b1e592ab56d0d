/**
 * `archive/completed-<yyyy-mm>.jsonl`: completed jobs that have left the queue, a line each, in the order in which they
 * left it, by the month (UTC) in which they were completed. Lines are appended and never rewritten.
 *
 * What counts of a file is what the journal and `queue.json` say: ranges of bytes. A process that dies, or loses the lock,
 * between its lines and the commit that takes the jobs out of the queue leaves lines that are in no range: those jobs
 * are still in the queue, and the next range begins behind them.
 */
import { closeSync, constants, fstatSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CompletedJob } from "../../job/job.ts";
import {
  append,
  createDirectory,
  guard,
  namesInTrusted,
  openToAppend,
  syncData,
  syncDirectory,
} from "../local/durable.ts";
import { openTrusted } from "../local/trust.ts";
import { type ArchiveRange, type Archiving, isArchiveName } from "./archive-range.ts";
import { type JournalRecord, linesIn, NEWLINE } from "./commit.ts";
import { corrupt } from "./corruption.ts";
import { readAt } from "./read-at.ts";

const ENDING = ".jsonl";
const READ_BYTES = 1024 * 1024;

/**
 * Writes jobs into the archive, durably, and returns the records that take them out of the queue: they are archived once
 * those are committed. To be called with the lock held.
 */
export function archive(directory: string, jobs: readonly CompletedJob[]): JournalRecord[] {
  return appendJobs(directory, jobs).map(({ name, range, jobs }) => {
    const set: Archiving = { ...range, ids: jobs.map(({ id }) => id) };
    return { event: "archived", id: name, to: "archive", set: { ...set } };
  });
}

/** As `archive`, of jobs that were archived elsewhere: whatever has their ids in the queue stays there. */
export function adopt(directory: string, jobs: readonly CompletedJob[]): JournalRecord[] {
  return appendJobs(directory, jobs).map(({ name, range, jobs }) => {
    const set: Archiving = { ...range, ids: [], count: jobs.length };
    return { event: "imported", id: name, to: "archive", set: { ...set } };
  });
}

/** The jobs in some ranges, a batch at a time. Throws `E_STORE_CORRUPT` where they are not there. */
export function* readArchive(directory: string, ranges: readonly ArchiveRange[]): Generator<CompletedJob[]> {
  for (const { name, from, to, count } of ranges) {
    const path = pathOf(directory, name);
    let found = 0;
    for (const lines of readLines(path, from, to)) {
      const jobs = parsed(lines);
      if (!jobs) throw corrupt(path, "a line of it is not a whole job.");
      found += jobs.length;
      yield jobs;
    }
    if (found !== count) throw corrupt(path, `it holds ${found} of ${count} jobs from byte ${from} to byte ${to}.`);
  }
}

/** All that is there, for a store that has lost what it knew of it: every line is taken for a job. */
export function wholeArchive(directory: string): ArchiveRange[] {
  return namesInTrusted(directory)
    .filter((file) => file.endsWith(ENDING) && isArchiveName(file.slice(0, -ENDING.length)))
    .sort((a, b) => a.localeCompare(b))
    .map((file) => {
      const path = join(directory, file);
      const to = statSync(path).size;
      const parts = Array.from(readLines(path, 0, to), linesIn);
      return { name: file.slice(0, -ENDING.length), from: 0, to, count: parts.reduce((sum, lines) => sum + lines, 0) };
    });
}

interface Appended {
  readonly name: string;
  readonly range: { readonly from: number; readonly to: number };
  readonly jobs: readonly CompletedJob[];
}

/** Those of one month that follow each other stand in one range. */
function appendJobs(directory: string, jobs: readonly CompletedJob[]): Appended[] {
  createDirectory(directory);
  const appended: Appended[] = [];
  for (let rest = jobs; rest[0] !== undefined; ) {
    const name = monthOf(rest[0]);
    const end = rest.findIndex((job) => monthOf(job) !== name);
    const ofMonth = end === -1 ? rest : rest.slice(0, end);
    appended.push({ name, range: appendLines(pathOf(directory, name), ofMonth), jobs: ofMonth });
    rest = rest.slice(ofMonth.length);
  }
  syncDirectory(directory);
  return appended;
}

function monthOf({ updated_at }: CompletedJob): string {
  return `completed-${new Date(updated_at).toISOString().slice(0, "yyyy-mm".length)}`;
}

function pathOf(directory: string, name: string): string {
  return join(directory, `${name}${ENDING}`);
}

/** Behind whatever is there, and where they stand. */
function appendLines(path: string, jobs: readonly CompletedJob[]): { from: number; to: number } {
  const lines = Buffer.from(jobs.map((job) => `${JSON.stringify(job)}\n`).join(""));
  const fd = openToAppend(path);
  try {
    closeTornLine(fd, path);
    for (;;) {
      const from = sizeOf(fd, path);
      append(fd, lines, { path, step: "append-archive" });
      const to = from + lines.length;
      // Somebody may have appended in between who had lost the lock: then these lines are where nobody looks for them.
      if (!Buffer.concat([...readLines(path, from, to)]).equals(lines)) continue;
      syncData(fd, { path, step: "sync-archive" });
      return { from, to };
    }
  } finally {
    closeSync(fd);
  }
}

/** What a crash left of a line gets an end, so that whoever reads the file by himself finds lines. */
function closeTornLine(fd: number, path: string): void {
  const size = sizeOf(fd, path);
  const [last] = size === 0 ? [] : readLines(path, size - 1, size);
  if (last && last[0] !== NEWLINE) append(fd, Buffer.of(NEWLINE), { path, step: "append-archive" });
}

function sizeOf(fd: number, path: string): number {
  return guard("read", path, () => fstatSync(fd).size);
}

/** What stands in a range, in parts that end where a line does. */
function* readLines(path: string, from: number, to: number): Generator<Buffer> {
  const fd = guard("read", path, () => openTrusted(path, constants.O_RDONLY));
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (let at = from; at < to; ) {
      const bytes = guard("read", path, () => readAt(fd, at, Math.min(READ_BYTES, to - at)));
      if (bytes.length === 0) return;
      at += bytes.length;
      const text = Buffer.concat([rest, bytes]);
      const end = at < to ? text.lastIndexOf(NEWLINE) + 1 : text.length;
      if (end > 0) yield text.subarray(0, end);
      rest = text.subarray(end);
    }
  } finally {
    closeSync(fd);
  }
}

function parsed(lines: Buffer): CompletedJob[] | undefined {
  try {
    return JSON.parse(`[${lines.toString().trimEnd().replaceAll("\n", ",")}]`) as CompletedJob[];
  } catch {
    return undefined;
  }
}
