/** What is said of a file that cannot be what queuectl wrote: the file, the line where it shows, and what to do. */
import { QueueError } from "../../job/errors.ts";

/** A file that cannot be what queuectl wrote. It is left as it is: nothing is overwritten that could not be read. */
export class Corruption extends QueueError {
  readonly path: string;
  readonly line: number | undefined;
  /** What is wrong there, to be said after the place. */
  readonly problem: string;

  constructor(path: string, problem: string, { line, hint, cause }: CorruptionOptions) {
    const place = line === undefined ? path : `${path}, line ${line}`;
    super("E_STORE_CORRUPT", `${place}: ${problem}`, { hint: hint ?? HINT, ...(cause === undefined ? {} : { cause }) });
    this.path = path;
    this.line = line;
    this.problem = problem;
  }
}

interface CorruptionOptions {
  readonly line?: number;
  readonly hint?: string;
  readonly cause?: unknown;
}

const HINT = "Nothing was changed. To see what is damaged and mend it: queuectl doctor";

/** `E_STORE_CORRUPT`. */
export function corrupt(path: string, problem: string, options: CorruptionOptions = {}): Corruption {
  return new Corruption(path, problem, options);
}

/** Parses JSON; a mistake becomes `E_STORE_CORRUPT` with the line that holds it. */
export function parseFile(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (text.trim() === "") throw corrupt(path, "the file is empty.", { line: 1, cause });
    throw corrupt(path, "not valid JSON.", { line: lineOfMistake(text), cause });
  }
}

/**
 * The 1-based line of the first thing that JSON does not allow where it stands (`JSON.parse` here says what is wrong,
 * but not where): reads values for as long as they fit, and counts the lines up to what did not.
 */
function lineOfMistake(text: string): number {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    const sticky = new RegExp(`\\s*(?:${pattern.source})`, "y");
    sticky.lastIndex = at;
    const fits = sticky.test(text);
    if (fits) at = sticky.lastIndex;
    return fits;
  };
  const takeMembers = (close: RegExp, takeMember: () => boolean): boolean => {
    if (take(close)) return true;
    while (takeMember()) {
      if (take(close)) return true;
      if (!take(/,/)) return false;
    }
    return false;
  };
  const takeValue = (): boolean => {
    if (take(/\{/)) return takeMembers(/\}/, () => take(STRING) && take(/:/) && takeValue());
    if (take(/\[/)) return takeMembers(/\]/, takeValue);
    return take(STRING) || take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/);
  };
  takeValue();
  take(/(?=\S)/);
  return text.slice(0, at).split("\n").length;
}

const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/;
