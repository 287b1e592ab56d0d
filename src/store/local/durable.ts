/**
 * The only writer of state: every byte of the store reaches the disk through these few calls, each of which names the
 * step it takes (`failpoint.ts`). All are synchronous, so that a critical section is never interleaved with anything
 * else this process does. Files are created 0600 and directories 0700, never widened afterwards; one that is there
 * already is used only if it can be trusted (trust.ts).
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { reach, reachWrite, type Step } from "../../failpoint.ts";
import { QueueError } from "../../job/errors.ts";
import { temporaryName } from "./temporary-name.ts";
import { checkDirectory, openTrusted } from "./trust.ts";

/** Creates a directory and its missing parents, for this user alone, if it is not there. */
export function createDirectory(path: string): void {
  guard("create", path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    checkDirectory(path);
  });
}

/** As `createDirectory`, but where the parent is gone throws `E_STORE_IO` instead of making it anew. */
export function createSubdirectory(path: string): void {
  const isNew = succeeds(["EEXIST"], { verb: "create", path }, () => mkdirSync(path, { mode: 0o700 }));
  if (!isNew) guard("create", path, () => checkDirectory(path));
}

/** Opens a file to append to, made with its directory where they are not there; where it is there, it has been checked. */
export function openToAppend(path: string): number {
  const makeNew = (): number => openSync(path, APPENDING | constants.O_EXCL, 0o600);
  const made = guardUnless(["EEXIST", "ENOENT"], { verb: "open", path }, makeNew);
  // What was not there before is this user's own, and need not be asked.
  if (made !== undefined) return made;
  const open = (): number => openTrusted(path, APPENDING);
  const fd = guardUnless(["ENOENT"], { verb: "open", path }, open);
  if (fd !== undefined) return fd;
  createDirectory(dirname(path));
  return guard("open", path, open);
}

/** For `openTrusted`: made if it is not there. */
export const APPENDING = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;

/**
 * Appends in one write. Never goes on after a short one (a full disk): the rest could land behind another writer's
 * line, and what was written is a torn tail that the next writer closes.
 */
export function append(fd: number, bytes: Uint8Array, { path, step }: { path: string; step: Step }): void {
  const written = guard("write", path, () => writeSync(fd, reachWrite(step, bytes)));
  if (written < bytes.length) {
    throw new QueueError("E_STORE_IO", `Cannot write ${path}: only ${written} of ${bytes.length} bytes were taken.`, {
      hint: "Is the disk full?",
    });
  }
}

/** Forces the file's content to the disk. */
export function syncData(fd: number, { path, step }: { path: string; step: Step }): void {
  guard("sync", path, () => {
    reach(step);
    fdatasyncSync(fd);
  });
}

/** Writes a new file whole and forces it to the disk. Fails if it is there already; removes it if it cannot be whole. */
export function writeNew(path: string, pieces: Iterable<Uint8Array>, steps: WriteSteps = {}): void {
  for (const _ of writing(path, pieces, steps));
}

/** As `writeNew`, of a file so large that others shall have their turn between its pieces. */
export async function writeNewSlowly(path: string, pieces: Iterable<Uint8Array>, steps: WriteSteps): Promise<void> {
  for (const _ of writing(path, pieces, steps)) await new Promise(setImmediate);
}

/** What a write and a sync are to the fault tests. */
interface WriteSteps {
  readonly write?: Step;
  readonly sync?: Step;
}

/** So much at a time is forced to the disk: of a large file, nobody has to wait for all of it at once. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;

/** Stops after every piece. */
function* writing(path: string, pieces: Iterable<Uint8Array>, steps: WriteSteps): Generator<void> {
  const fd = guard("create", path, () => openSync(path, "wx", 0o600));
  let unsynced = 0;
  let isWhole = false;
  try {
    for (const piece of pieces) {
      for (let rest = piece; rest.length > 0; ) {
        const taken = guard("write", path, () => writeSync(fd, steps.write ? reachWrite(steps.write, rest) : rest));
        rest = rest.subarray(taken);
      }
      unsynced += piece.length;
      if (unsynced >= SYNC_EVERY_BYTES) guard("sync", path, () => fdatasyncSync(fd));
      unsynced %= SYNC_EVERY_BYTES;
      yield;
    }
    guard("sync", path, () => {
      if (steps.sync) reach(steps.sync);
      fsyncSync(fd);
    });
    isWhole = true;
  } finally {
    if (!isWhole) remove(path);
    closeSync(fd);
  }
}

/** Replaces `to` by `from` at once. False when another writer has removed `from`. Sync the directory before telling. */
export function rename(from: string, to: string, step?: Step): boolean {
  return succeeds(["ENOENT"], { verb: "rename", path: from }, () => {
    if (step) reach(step);
    renameSync(from, to);
  });
}

/** Makes creations, renames and removals in the directory last. */
export function syncDirectory(path: string, step?: Step): void {
  const fd = guard("open", path, () => openSync(path, "r"));
  try {
    guard("sync", path, () => {
      if (step) reach(step);
      fsyncSync(fd);
    });
  } finally {
    closeSync(fd);
  }
}

/** Removes a file, if it is there. */
export function remove(path: string): void {
  succeeds(["ENOENT"], { verb: "remove", path }, () => unlinkSync(path));
}

/** The names in a directory; none where it is not there. */
export function namesIn(path: string): string[] {
  return guardUnless(["ENOENT"], { verb: "read", path }, () => readdirSync(path)) ?? [];
}

/** As `namesIn`, of a directory that nobody has checked yet. */
export function namesInTrusted(path: string): string[] {
  guard("read", path, () => checkDirectory(path));
  return namesIn(path);
}

/**
 * Writes a new file so that it is there whole or not at all. False when there is one already, which stays, or when
 * another writer removed the temporary one: then it did this work.
 */
export function createWhole(path: string, pieces: Iterable<Uint8Array>, step?: Step): boolean {
  const temporary = temporaryName(path);
  writeNew(temporary, pieces);
  try {
    return succeeds(["EEXIST", "ENOENT"], { verb: "create", path }, () => {
      if (step) reach(step);
      linkSync(temporary, path);
    });
  } finally {
    remove(temporary);
  }
}

/** Writes a file so that its old or its new content is there after a crash, and nothing in between. */
export function replace(path: string, content: Uint8Array): void {
  const temporary = temporaryName(path);
  writeNew(temporary, [content]);
  rename(temporary, path);
  syncDirectory(dirname(path));
}

/** Runs a file operation; what the system refuses becomes `E_STORE_IO` with the path and the reason. */
export function guard<T>(verb: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    throw refused(verb, path, cause);
  }
}

/** As `guard`, but undefined where the system refuses with one of these codes. */
export function guardUnless<T>(
  codes: readonly string[],
  { verb, path }: { verb: string; path: string },
  operation: () => T,
): T | undefined {
  try {
    return operation();
  } catch (cause) {
    if (codes.includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw refused(verb, path, cause);
  }
}

/** As `guardUnless`, for an operation that returns nothing: whether it was done. */
export function succeeds(
  codes: readonly string[],
  what: { verb: string; path: string },
  operation: () => void,
): boolean {
  return (
    guardUnless(codes, what, () => {
      operation();
      return true;
    }) ?? false
  );
}

/** `Cannot write <path>: the disk is full (ENOSPC).` What has its sentence already keeps it. */
function refused(verb: string, path: string, cause: unknown): QueueError {
  if (cause instanceof QueueError) return cause;
  const { code = "unknown error" } = cause as NodeJS.ErrnoException;
  const reason = REASONS[code] ?? "the system refused";
  return new QueueError("E_STORE_IO", `Cannot ${verb} ${path}: ${reason} (${code}).`, { cause });
}

const REASONS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file size limit is reached",
  EBADF: "it may only be read",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an error",
  ENOENT: "no such file or directory",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  EMFILE: "too many open files",
};
