/**
 * What becomes of a log that has grown beyond `log_max`: its beginning and its end are kept. That is done once nobody writes
 * to it any more. A job writes to its log by itself, so to cut it before would lose what is written at that moment. The shorter
 * log takes the place of the other by a rename: whoever follows the log reads on in the whole one.
 */
import { fstatSync } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import type { OpenLog } from "../store/attempt-log.ts";

/** A smaller log is left as it is, whatever the setting says: so hardly an attempt asks for it. */
const ALWAYS_KEPT = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** So far it is looked for the end of a line. */
const LINE_BYTES = 4096;
const NEWLINE = 0x0a;

/** Whether it is worth asking for the limit. */
export function mayBeTooLarge({ fd }: OpenLog): boolean {
  return fstatSync(fd).size > ALWAYS_KEPT;
}

/** 0 is no limit. */
export function isTooLarge({ fd }: OpenLog, maxBytes: number): boolean {
  return maxBytes > 0 && fstatSync(fd).size > keptOf(maxBytes);
}

/** Leaves so much of it, at most, and a line that says how much was left out. Where that fails, all of it stays. */
export async function cutLog({ path, fd }: OpenLog, maxBytes: number): Promise<void> {
  const { size } = fstatSync(fd);
  const half = Math.floor(keptOf(maxBytes) / 2);
  const shorter = `${path.replace(/\.(?:log|out|err)$/, "")}.cut`;
  try {
    await using from = await open(path, "r");
    await using to = await open(shorter, "wx", 0o600);
    const head = half - LINE_BYTES + (await lineEnd(from, half - LINE_BYTES, "last"));
    const tail = size - half + (await lineEnd(from, size - half, "first"));
    await copy(from, to, { start: 0, end: head });
    await to.appendFile(`\n… ${tail - head} bytes left out (log_max) …\n\n`);
    await copy(from, to, { start: tail, end: size });
    await rename(shorter, path);
  } catch {
    // The disk is full, say. Half a log would be worse than a long one.
    await unlink(shorter).catch(() => {});
  }
}

function keptOf(maxBytes: number): number {
  return Math.max(maxBytes, ALWAYS_KEPT);
}

/** Where, counted from `at`, the first or last line ends that does so soon; where none does, there or as far as was looked. */
async function lineEnd(file: FileHandle, at: number, which: "first" | "last"): Promise<number> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(LINE_BYTES), 0, LINE_BYTES, at);
  const bytes = buffer.subarray(0, bytesRead);
  if (which === "first") return bytes.indexOf(NEWLINE) + 1;
  const last = bytes.lastIndexOf(NEWLINE);
  return last === -1 ? bytesRead : last + 1;
}

async function copy(from: FileHandle, to: FileHandle, { start, end }: { start: number; end: number }): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let at = start; at < end; ) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(CHUNK_BYTES, end - at), at);
    if (bytesRead === 0) return;
    await to.appendFile(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
