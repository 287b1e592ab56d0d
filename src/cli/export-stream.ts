/**
 * A whole queue as text, one JSON a line. Two stores that hold the same make the same bytes:
 *
 *   {"queuectl_export":1}                                the version of this form
 *   {"setting":{"key":"max_retries","value":5}}          those that are stored
 *   {"queue":{"name":"deploy","concurrency":1}}          those that something holds for; counted among the settings
 *   {"schedule":{"name":"nightly",…}}                    likewise
 *   {"job":{"id":"p1","command":"echo hi",…}}            in the order in which they were enqueued
 *   {"dead_letter":{"id":"bad1",…}}                      oldest first
 *   {"archived":{"id":"p0",…}}                           in the order in which they were archived
 *   {"end":{"settings":1,"jobs":1,"dead_letters":1,"archived":1,"sum":"…"}}
 *
 * `sum` is the SHA-256 of all lines before it, with their newlines: `head -n -1 <file> | sha256sum` says the same.
 */
import { safeJson } from "../output/escape.ts";
import type { Item, Tally } from "../store/item.ts";

import { kindOf, noTally } from "../store/transfer.ts";

export const FORMAT_VERSION = 1;

/** How much there is, and the checksum of it. */
export interface StreamEnd extends Tally {
  readonly sum: string;
}

/** What is known of a stream from the lines that have been seen. */
export class StreamTotals {
  readonly tally = noTally();
  #processing = 0;
  readonly #lines = new Bun.CryptoHasher("sha256");
  readonly #entries = new Bun.CryptoHasher("sha256");

  /** Without its newline. */
  line(line: string): void {
    this.#lines.update(`${line}\n`);
  }

  /** As `line`, of one that holds an item. */
  item(line: string, item: Item): void {
    this.line(line);
    if (kindOf(item) !== "settings") this.#entries.update(`${line}\n`);
    if ("job" in item && item.job.state === "processing") this.#processing += 1;
    this.tally[kindOf(item)] += 1;
  }

  /** How many of the jobs are processing. */
  get processing(): number {
    return this.#processing;
  }

  end(): StreamEnd {
    return { ...this.tally, sum: this.#lines.copy().digest("hex") };
  }

  /** The checksum of everything but the settings. */
  get entriesSum(): string {
    return this.#entries.copy().digest("hex");
  }
}

/** Writes a stream, piece by piece. */
export class StreamWriter {
  readonly totals = new StreamTotals();

  header(): string {
    const line = JSON.stringify({ queuectl_export: FORMAT_VERSION });
    this.totals.line(line);
    return `${line}\n`;
  }

  lines(items: readonly Item[]): string {
    let text = "";
    for (const item of items) {
      const line = safeJson(item);
      this.totals.item(line, item);
      text += `${line}\n`;
    }
    return text;
  }

  end(): string {
    return `${JSON.stringify({ end: this.totals.end() })}\n`;
  }
}
