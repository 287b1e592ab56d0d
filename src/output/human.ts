/**
 * For people, and for scripts that read what the original tool printed. The only user of consola: of its colours. Its
 * reporters stay out, because they rewrite a message (backticks and underscores are taken for markup), drop messages
 * that repeat quickly, print to stdout, and print nothing at all under `NODE_ENV=test`.
 */
import type { QueueError } from "../job/errors.ts";
import type { WorkerEvent } from "../job/event.ts";
import type { Job } from "../job/job.ts";
import { type Colours, NO_COLOURS } from "./colours.ts";
import { enqueuedLine, isEnqueued } from "./enqueued-view.ts";
import { escapeControls, escapeText } from "./escape.ts";
import { FAILED } from "./failure-mark.ts";
import type { Screen } from "./human-views.ts";
import type { Listing, LogStream, Output, Progress, View } from "./output.ts";
import { type Sinks, writeAll } from "./sink.ts";
import type { Terminal } from "./terminal.ts";
import { TerminalText } from "./terminal-text.ts";
import { paintEvent, workerLogLines } from "./worker-log.ts";

/** consola is loaded only where colours can be seen: it costs more than all the rest of a start. */
export async function loadColours({ stdoutColour }: Pick<Terminal, "stdoutColour">): Promise<Colours> {
  return stdoutColour ? (await import("consola/utils")).colors : NO_COLOURS;
}

export async function openHumanOutput(sinks: Sinks, terminal: Terminal): Promise<HumanOutput> {
  const colours = await loadColours(terminal);
  return new HumanOutput(sinks, {
    screen: terminal.width === undefined ? undefined : { width: terminal.width, colours },
    messageColours: terminal.stderrColour ? colours : NO_COLOURS,
    watchedWidth: terminal.watchedWidth,
    isStderrTerminal: terminal.isStderrTerminal,
  });
}

interface Look {
  readonly screen: Screen | undefined;
  readonly messageColours: Colours;
  /** Of the terminal that messages go to, if a line may change there while it is being read. */
  readonly watchedWidth?: number | undefined;
  readonly isStderrTerminal?: boolean;
}

export class HumanOutput implements Output {
  readonly #sinks: Sinks;
  readonly #screen: Screen | undefined;
  readonly #colours: Colours;
  readonly #watchedWidth: number | undefined;
  readonly #isStderrTerminal: boolean;
  /** A line that is to be overwritten stands there. */
  #isProgressShown = false;
  #take: ((sentence: string) => void) | undefined;

  constructor(sinks: Sinks, look: Look) {
    this.#sinks = sinks;
    this.#screen = look.screen;
    this.#colours = look.messageColours;
    this.#watchedWidth = look.watchedWidth;
    this.#isStderrTerminal = look.isStderrTerminal ?? false;
  }

  async result(view: View): Promise<void> {
    const [sink, screen] = [this.#sinks.results, this.#screen];
    if (isEnqueued(view)) sink.write(`${enqueuedLine(view, { isPiped: screen === undefined })}\n`);
    else writeAll(sink, (await import("./human-views.ts")).renderView(view, screen));
  }

  async jobs(batches: AsyncIterable<readonly Job[]>, listing: Listing): Promise<void> {
    const [sink, screen] = [this.#sinks.results, this.#screen];
    if (screen === undefined && listing.columns === undefined) {
      return (await import("./json-array.ts")).writeJsonArray(sink, batches, listing);
    }
    const { renderView } = await import("./human-views.ts");
    let isEmpty = true;
    for await (const jobs of batches) {
      if (jobs.length === 0) continue;
      isEmpty = false;
      if (!writeAll(sink, renderView({ view: "jobs", jobs, state: undefined, ...listing }, screen))) return;
    }
    if (isEmpty && screen) sink.write("No archived jobs.\n");
  }

  async stream({ chunks, only, raw }: LogStream): Promise<number> {
    const { results, errors } = this.#sinks;
    const text = this.#screen === undefined || raw ? undefined : new TerminalText();
    const errorText = !this.#isStderrTerminal || raw ? undefined : new TerminalText();
    let total = 0;
    for await (const { bytes, stream } of chunks) {
      total += bytes.length;
      if (stream === "stderr" && only === undefined) {
        errors.write(errorText ? this.#colours.red(errorText.show(bytes)) : bytes);
      } else if (!results.write(text?.show(bytes) ?? bytes)) break;
    }
    if (text) results.write(text.end());
    if (errorText) errors.write(errorText.end());
    if (text?.hasEscaped || errorText?.hasEscaped) {
      this.note("Control characters are shown escaped; --raw passes them on.");
    }
    return total;
  }

  data(text: string): boolean {
    return this.#sinks.results.write(text);
  }

  event(...events: readonly WorkerEvent[]): void {
    const colours = this.#screen?.colours ?? NO_COLOURS;
    const lines = events.flatMap((event) => workerLogLines(event).map((line) => paintEvent(event, line, colours)));
    this.#sinks.log.write(`${lines.join("\n")}\n`);
  }

  progress(state: Progress | undefined): void {
    if (this.#watchedWidth === undefined) return;
    this.#sinks.messages.write(`\r\x1b[K${state ? progressLine(state, this.#watchedWidth) : ""}`);
    this.#isProgressShown = state !== undefined;
  }

  aside(lines: readonly string[]): void {
    for (const line of lines) this.#message(line.startsWith(FAILED) ? this.#colours.red(line) : line);
  }

  note(sentence: string): void {
    if (this.#take) this.#take(sentence);
    else this.#message(this.#colours.dim(escapeControls(sentence)));
  }

  warn(sentence: string): void {
    if (this.#take) this.#take(sentence);
    else this.#message(this.#colours.yellow(`Warning: ${escapeControls(sentence)}`));
  }

  divert(take: (sentence: string) => void): Disposable {
    this.#take = take;
    return {
      [Symbol.dispose]: () => {
        this.#take = undefined;
      },
    };
  }

  error(error: QueueError): void {
    // The original's mark for a job that is not there; its other mistakes are plain sentences.
    const mark = error.code === "E_JOB_NOT_FOUND" ? "❌ " : "";
    this.#message(this.#colours.red(`${mark}${escapeControls(error.message)}`));
    for (const line of error.quoted) this.#message(escapeControls(line));
    if (error.hint !== undefined) this.#message(escapeControls(error.hint));
  }

  bug(error: unknown): void {
    this.#message(escapeText(Bun.inspect(error)));
    this.#message("This is a bug in queuectl. Please report it with the lines above.");
  }

  #message(line: string): void {
    this.#sinks.messages.write(`${this.#isProgressShown ? "\r\x1b[K" : ""}${line}\n`);
    this.#isProgressShown = false;
  }
}

const BAR_WIDTH = 30;

/** A line that wrapped could not be drawn over, so the bar gives way, and then the words. */
function progressLine({ done, of, text }: Progress, columns: number): string {
  const width = Math.min(BAR_WIDTH, columns - text.length - "[] ".length - 1);
  if (of === undefined || width < 1) return text.slice(0, columns - 1);
  // A file may grow while it is read, and an empty one is read at once.
  const filled = Math.round(width * Math.min(1, done / Math.max(1, of)));
  return `[${"#".repeat(filled)}${" ".repeat(width - filled)}] ${text}`;
}
