/** What the chosen job printed, as `top` shows it: read anew while it runs, and followed as long as its end is in sight. */

import { TerminalText } from "../../output/terminal-text.ts";
import type { Canvas } from "../../output/top/canvas.ts";
import { foldedLines, type LogPage, logRoom } from "../../output/top/log-page.ts";
import type { Store } from "../../store/store.ts";
import { entryOf } from "../log-reader.ts";
import { logStream } from "../log-stream.ts";

const MOST_LINES = 1000;
/** Of these, should they be very long. */
const MOST_CHARACTERS = 1024 * 1024;
const STREAMS = ["stdout", "stderr"] as const;

export class LogView {
  readonly #id: string;
  #title = "";
  #lines: readonly string[] = [];
  #isRead = false;
  /** Undefined for the end. */
  #first: number | undefined;

  /** Throws `E_JOB_NOT_FOUND`. */
  static async open(store: Store, id: string): Promise<LogView> {
    const view = new LogView(id);
    await store.get(id);
    await view.look(store);
    return view;
  }

  private constructor(id: string) {
    this.#id = id;
  }

  /** Reads it again if more may have been printed. */
  async look(store: Store): Promise<void> {
    const entry = await entryOf(store, this.#id);
    const isRunning = entry !== undefined && "state" in entry && entry.state === "processing";
    if (!entry || (this.#isRead && !isRunning)) return;
    const told: string[] = [];
    const tell = (sentence: string): void => void told.push(sentence);
    const logs = await store.logs(this.#id);
    const request = { wanted: undefined, follow: false, raw: false, logs, tail: MOST_LINES, tell };
    const log = logStream(store, entry, { ...request, select: (chunks) => chunks });
    const texts = { stdout: new TerminalText(), stderr: new TerminalText() };
    const printed = { stdout: "", stderr: "" };
    for await (const { bytes, stream = "stdout" } of log.chunks) {
      printed[stream] = (printed[stream] + texts[stream].show(bytes)).slice(-MOST_CHARACTERS);
    }
    const lines = STREAMS.map((stream) => printed[stream] + texts[stream].end()).filter((all) => all !== "");
    const attempt = log.attempt === null ? "has not run yet" : `attempt ${log.attempt}`;
    this.#title = `${this.#id}   ${attempt}${isRunning ? ", running" : ""}${log.places.map(({ path }) => `   ${path}`).join("")}`;
    this.#lines = [...told, ...lines.flatMap((all) => all.replace(/\n$/, "").split("\n"))];
    // The last words of an attempt may come with its end.
    this.#isRead = !isRunning;
  }

  press(key: string, canvas: Canvas): void {
    const room = logRoom(canvas);
    const last = this.#last(canvas);
    const steps: Readonly<Record<string, number>> = {
      ...{ up: -1, k: -1, down: 1, j: 1, enter: 1, "page up": -room, b: -room, "page down": room, " ": room },
      ...{ start: -Infinity, g: -Infinity, end: Infinity, G: Infinity },
    };
    const first = Math.max(0, (this.#first ?? last) + (steps[key] ?? 0));
    this.#first = first >= last ? undefined : first;
  }

  page(canvas: Canvas): LogPage {
    const last = this.#last(canvas);
    return { title: this.#title, lines: this.#lines, first: Math.min(last, this.#first ?? last) };
  }

  /** The first line of the last page. */
  #last(canvas: Canvas): number {
    return Math.max(0, foldedLines(this.#lines, canvas.columns).length - logRoom(canvas));
  }
}
