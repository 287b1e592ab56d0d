/** The names of files that are being written: they end in the mark of the process that writes them, and a number. */
import { isMarkOfDead, ownMark } from "./identity.ts";

/** A name beside `path` that no other process, living or dead, has ever used. */
export function temporaryName(path: string): string {
  return `${path}.tmp-${ownMark()}-${++temporaries}`;
}

/** Whether a file has such a name, of a process that ran here and is dead. */
export function isTemporaryOfDead(path: string): boolean {
  return isMarkOfDead(TEMPORARY.exec(path)?.[1] ?? "");
}

const TEMPORARY = /\.tmp-(.+)-\d+$/;
let temporaries = 0;
