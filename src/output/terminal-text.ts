/** What a job printed, made safe for a terminal as it comes: the bytes of another program that may mean to steer it. */
import { escapeText } from "./escape.ts";

/**
 * Turns bytes into text that cannot do more than be read. Lines and tabs stay; so do characters that chunks cut in two.
 * A carriage return, alone or before a newline, ends the line: else what follows it could overwrite what came before.
 */
export class TerminalText {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #afterReturn = false;
  #hasEscaped = false;

  /** Whether something came that is not shown as it is. */
  get hasEscaped(): boolean {
    return this.#hasEscaped;
  }

  /** The text of these bytes, less an unfinished character at their end. */
  show(bytes: Uint8Array): string {
    return this.#show(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What is left: the sign for a character that was never finished. */
  end(): string {
    return this.#show(this.#decoder.decode());
  }

  #show(text: string): string {
    if (text === "") return "";
    const rest = this.#afterReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#afterReturn = text.endsWith("\r");
    const lines = rest.replaceAll(/\r\n?/g, "\n");
    const shown = escapeText(lines);
    this.#hasEscaped ||= shown !== lines;
    return shown;
  }
}
