/**
 * `quarantine/`: copies of journal lines that the next commit will declare torn. They are all but always what a crash
 * left; in case one is not, here it is. Nothing is ever removed from there.
 */
import { basename, join } from "node:path";
import { createDirectory, createWhole } from "../local/durable.ts";
import { checksum } from "./commit.ts";
import type { Journal } from "./journal.ts";

/** What is said of such a line, after its name or "it". */
export const TORN = "is torn, as after a crash, and does not count; the next change sets it aside in quarantine/.";

/** Copies the suspects of a journal; to be called with the lock held, before the commit that declares them torn. */
export function setAside(journal: Journal, directory: string): void {
  if (journal.suspects.length === 0) return;
  createDirectory(directory);
  for (const { line, bytes } of journal.suspects) {
    createWhole(join(directory, `${basename(journal.path)}.line-${line}.${checksum(bytes)}`), [bytes]);
  }
}

/** What a reader should tell of them, if there are any. */
export function warningOf(journal: Journal): string | undefined {
  const [suspect] = journal.suspects;
  return suspect && `${journal.path}, line ${suspect.line} ${TORN}`;
}
