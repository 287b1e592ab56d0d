/** Asks whoever sits at the terminal. */
import { readSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

const YES = /^\s*y(?:es)?\s*$/i;

/** Whether the answer is yes; undefined when there is no terminal to ask on. */
export function ask(question: string): boolean | undefined {
  if (!isatty(0) || !isatty(2)) return undefined;
  writeSync(2, `${question} [y/N] `);
  const answer = Buffer.alloc(100);
  return YES.test(answer.toString("utf8", 0, readSync(0, answer)));
}
