/** What the two output streams are, and what their user wants of them. */
import { fstatSync, statSync } from "node:fs";

export interface Terminal {
  /** Columns of stdout; undefined when it is not a terminal. */
  readonly width: number | undefined;
  /** Nothing in the environment asks for no colour. consola decides by stdout alone, so stderr takes it only beside it. */
  readonly stdoutColour: boolean;
  readonly stderrColour: boolean;
  readonly isStderrTerminal: boolean;
  /** stderr is a terminal, and somebody sits there. */
  readonly isWatched: boolean;
}

const DEFAULT_WIDTH = 80;

/** `NO_COLOR` (no-color.org), `TERM=dumb` and `CI` are honoured. */
export async function detectTerminal(env: Readonly<Record<string, string | undefined>>): Promise<Terminal> {
  const stdout = await isTerminal(1);
  const stderr = await isTerminal(2);
  const isPlain = env.TERM === "dumb" || Boolean(env.CI);
  const stdoutColour = stdout && !env.NO_COLOR && !isPlain;
  return {
    // A terminal that was never given a size says 0.
    width: stdout ? process.stdout.columns || DEFAULT_WIDTH : undefined,
    stdoutColour,
    stderrColour: stdoutColour && stderr,
    isStderrTerminal: stderr,
    isWatched: stderr && !isPlain,
  };
}

/** Asks node:tty only about what may be one: loading it costs a third of a start, and pipes and files need none of that. */
async function isTerminal(fd: number): Promise<boolean> {
  try {
    const stat = fstatSync(fd);
    if (!stat.isCharacterDevice() || stat.rdev === statSync("/dev/null").rdev) return false;
  } catch {
    // The descriptor is closed.
    return false;
  }
  return (await import("node:tty")).isatty(fd);
}
