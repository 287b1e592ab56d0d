/**
 * The terminal as a whole: its alternate screen, and its keys as they are pressed. Whatever ends this process, short of
 * SIGKILL, the terminal is then as it was: a bug is told where it can be read, a signal ends it as it would have, and what
 * stops it (^Z) gives the screen back until it goes on.
 */
import type { ReadStream } from "node:tty";
import { QueueError } from "../job/errors.ts";
import type { Colours } from "./colours.ts";
import { escapeControls } from "./escape.ts";
import { loadColours } from "./human.ts";
import { processSinks, type Sink } from "./sink.ts";
import { detectTerminal } from "./terminal.ts";
import type { Canvas } from "./top/canvas.ts";

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const ENDING = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const;
const BUGS = ["uncaughtException", "unhandledRejection"] as const;
const FALLBACK = { columns: 80, rows: 24 };

/** The keys that send more than a character. */
const NAMED_KEYS: Readonly<Record<string, string>> = {
  "\x1b[A": "up",
  "\x1bOA": "up",
  "\x1b[B": "down",
  "\x1bOB": "down",
  "\x1b[5~": "page up",
  "\x1b[6~": "page down",
  "\x1b[H": "start",
  "\x1b[1~": "start",
  "\x1b[F": "end",
  "\x1b[4~": "end",
  "\r": "enter",
  "\x1b": "escape",
  "\x03": "^C",
  "\x1a": "^Z",
};
const KEY = /\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|[\s\S]/gu;

export interface Listener {
  /** A character, or one of the names above. */
  key(key: string): void;
  /** The screen has another size, or is empty again: everything has to be drawn. */
  resized(): void;
}

/** Throws `E_USAGE` where there is no screen to be had; `instead` says what to do then. */
export async function checkFullScreen(
  env: Readonly<Record<string, string | undefined>>,
  { instead }: { instead: string },
): Promise<void> {
  const { isatty } = await import("node:tty");
  const refused = (sentence: string): QueueError => new QueueError("E_USAGE", sentence, { hint: instead });
  if (!isatty(0) || !isatty(1)) throw refused("A terminal is needed, to read keys from and to draw on.");
  if (env.TERM === undefined || env.TERM === "dumb") {
    throw refused(`A terminal that can be drawn on is needed, and TERM is ${escapeControls(env.TERM ?? "not set")}.`);
  }
}

export class FullScreen implements Disposable {
  readonly #colours: Colours;
  readonly #listener: Listener;
  readonly #sink: Sink = processSinks().log;
  readonly #input = process.stdin as ReadStream;
  readonly #listening = new DisposableStack();
  #shown: readonly string[] = [];
  #isOn = false;

  /** Takes the screen until disposed. To be asked for once `checkFullScreen` is content. */
  static async open(env: Readonly<Record<string, string | undefined>>, listener: Listener): Promise<FullScreen> {
    return new FullScreen(await loadColours(await detectTerminal(env)), listener);
  }

  private constructor(colours: Colours, listener: Listener) {
    this.#colours = colours;
    this.#listener = listener;
    const leave = (): void => this.#leave();
    // Before others are told, who may print: what is printed on the alternate screen is gone with it.
    for (const bug of BUGS) this.#on(bug, leave, { first: true });
    this.#on("exit", leave);
    for (const signal of ENDING) this.#on(signal, () => this.#endBy(signal));
    this.#on("SIGTSTP", () => this.#stop());
    this.#on("SIGCONT", () => this.#enter());
    this.#on("SIGWINCH", () => this.#redrawAll());
    this.#input.on("data", this.#typed);
    this.#enter();
  }

  get canvas(): Canvas {
    const { columns, rows } = process.stdout;
    return { columns: columns || FALLBACK.columns, rows: rows || FALLBACK.rows, colours: this.#colours };
  }

  /** Shows these lines from the top on, none of them wider than the screen. Only those are written that have changed. */
  draw(lines: readonly string[]): void {
    if (!this.#isOn) return;
    let changes = "";
    for (const [row, line] of lines.entries()) {
      if (line !== this.#shown[row]) changes += `\x1b[${row + 1};1H${line}\x1b[K`;
    }
    if (lines.length < this.#shown.length) changes += `\x1b[${lines.length + 1};1H\x1b[J`;
    this.#shown = lines;
    if (changes !== "") this.#sink.write(changes);
  }

  [Symbol.dispose](): void {
    this.#listening.dispose();
    this.#input.off("data", this.#typed);
    this.#leave();
    this.#input.pause();
  }

  readonly #typed = (bytes: Buffer): void => {
    for (const [sent] of bytes.toString("utf8").matchAll(KEY)) {
      const key = NAMED_KEYS[sent] ?? sent;
      if (key === "^Z") this.#stop();
      else this.#listener.key(key);
    }
  };

  #on(event: string, listener: () => void, { first = false }: { first?: boolean } = {}): void {
    if (first) process.prependListener(event, listener);
    else process.on(event, listener);
    this.#listening.defer(() => process.off(event, listener));
  }

  #enter(): void {
    if (!this.#isOn) {
      this.#isOn = true;
      this.#input.setRawMode(true);
      this.#input.resume();
    }
    this.#sink.write(ENTER);
    this.#redrawAll();
  }

  #redrawAll(): void {
    // A terminal that has become smaller may have moved what it shows.
    if (this.#isOn) this.#sink.write("\x1b[2J");
    this.#shown = [];
    this.#listener.resized();
  }

  #leave(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#sink.write(LEAVE);
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
  }

  #endBy(signal: NodeJS.Signals): void {
    this[Symbol.dispose]();
    process.kill(process.pid, signal);
  }

  /** Until SIGCONT. */
  #stop(): void {
    this.#leave();
    process.kill(process.pid, "SIGSTOP");
  }
}
