/**
 * Whose word a file is. What stands in the data directory is run as this user's commands, so a file or a directory of it
 * is used only if nobody but this user and root can have put it there: it is the thing itself and not a symbolic link,
 * it belongs to one of the two, and neither its group nor others may write it. Files are asked by the descriptor through
 * which they are then read or written, so that nothing can be exchanged between the look and the use.
 *
 * What the system refuses is thrown as it is: callers word it (`guard` in durable.ts).
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { QueueError } from "../../job/errors.ts";
import { shellWord } from "../../job/shell-word.ts";

const OTHERS_MAY_WRITE = 0o022;
/** This process's own, which never changes. Undefined where there are no user ids. */
const USER = process.geteuid?.();
const READ_ONLY = ["EACCES", "EPERM", "EROFS"];
const THEIR_COMMANDS = "They could have commands run in your name.";

/** Opens a file that this user may trust; one that is made is for this user alone. Throws `E_STORE_IO` for any other. */
export function openTrusted(path: string, flags: number): number {
  const fd = openItself(path, flags);
  try {
    checkOrigin(fstatSync(fd), path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Opens such a file to append to it, or only to read it where that is all this user may do; never makes it. */
export function openToExtend(path: string): number {
  try {
    return openTrusted(path, constants.O_RDWR | constants.O_APPEND);
  } catch (error) {
    if (!READ_ONLY.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return openTrusted(path, constants.O_RDONLY);
  }
}

/** The text of such a file. */
export function readTrusted(path: string): string {
  return fromTrusted(path, (fd) => readFileSync(fd, "utf8"));
}

/** What `read` makes of such a file. */
export function fromTrusted<T>(path: string, read: (fd: number) => T): T {
  const fd = openTrusted(path, constants.O_RDONLY);
  try {
    return read(fd);
  } finally {
    closeSync(fd);
  }
}

/** Checks a directory of the store, where there is one. `name` is what messages call it. */
export function checkDirectory(path: string, name = path): void {
  const stat = checkEntry(path, name);
  if (stat && !stat.isDirectory()) throw new QueueError("E_STORE_IO", `${name} is not a directory.`);
}

/** Checks a file or directory, where there is one, without opening it. */
export function checkEntry(path: string, name = path): Stats | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if (stat.isSymbolicLink()) throw symbolicLink(path, name);
  checkOrigin(stat, path, name);
  return stat;
}

/** Refuses what another user owns or may write. */
export function checkOrigin(
  { uid, mode }: Pick<Stats, "uid" | "mode">,
  path: string,
  name = path,
  user = USER ?? uid,
): void {
  if (uid !== user && uid !== 0) {
    throw new QueueError("E_STORE_IO", `${name} belongs to another user (uid ${uid}).`, {
      hint: `${THEIR_COMMANDS} Work as that user, or name a directory of your own: --data-dir <dir>`,
    });
  }
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    // Where a directory was made too open, so was what is in it.
    const remedy = (mode & constants.S_IFMT) === constants.S_IFDIR ? "chmod -R go-w" : "chmod go-w";
    throw new QueueError("E_STORE_IO", `${name} may be written by other users.`, {
      hint: `${THEIR_COMMANDS} Take that right away: ${remedy} ${shellWord(path)}`,
    });
  }
}

function openItself(path: string, flags: number): number {
  try {
    return openSync(path, flags | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    // Also said of a loop of links further up in the path, which is for the system to word.
    const isLink = (error as NodeJS.ErrnoException).code === "ELOOP" && lstatSync(path).isSymbolicLink();
    throw isLink ? symbolicLink(path) : error;
  }
}

function symbolicLink(path: string, name = path): QueueError {
  return new QueueError("E_STORE_IO", `${name} is a symbolic link to ${readlinkSync(path)}.`, {
    hint: "Links out of a data directory are not followed. Put what it leads to in its place, or name the directory that holds it: --data-dir <dir>",
  });
}
