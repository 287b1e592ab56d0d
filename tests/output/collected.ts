import type { Sink, Sinks } from "../../src/output/sink.ts";

/** Sinks that keep what was written, as text. */
export function collect(): Sinks & { stdout(): string; stderr(): string } {
  const out = new Kept();
  const err = new Kept();
  return { results: out, errors: err, log: out, messages: err, stdout: () => out.text(), stderr: () => err.text() };
}

class Kept implements Sink {
  readonly #pieces: Uint8Array[] = [];

  write(data: string | Uint8Array): boolean {
    this.#pieces.push(typeof data === "string" ? Buffer.from(data) : data);
    return true;
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString();
  }
}
