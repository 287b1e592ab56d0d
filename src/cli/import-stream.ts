/**
 * Reads a stream that `export-stream.ts` describes, and believes nothing of it: each line must be what it may be in that
 * place, and the last line must say how much there is and what it sums up to.
 */
import { CONFIG_KEYS, DEFAULTS, parseConfigValue } from "../config.ts";
import { QueueError } from "../job/errors.ts";
import { whyNoDeadLetter, whyNoJob, whyNotArchived } from "../job/portable.ts";
import { isQueueRule } from "../job/queue.ts";
import { isSchedule } from "../job/schedule.ts";
import { shown } from "../job/shown.ts";
import type { Item } from "../store/item.ts";
import { kindOf } from "../store/transfer.ts";
import { FORMAT_VERSION, type StreamEnd, StreamTotals } from "./export-stream.ts";
import { LineReader } from "./line-reader.ts";

const ORDER = ["settings", "jobs", "dead_letters", "archived"];

export class StreamReader {
  readonly totals = new StreamTotals();
  readonly #lines = new LineReader();
  /** Undefined where an id may stand there twice. */
  readonly #ids: Set<string> | undefined;
  #hasBegun = false;
  #kind = 0;
  #end: StreamEnd | undefined;

  constructor({ unique }: { unique: boolean }) {
    this.#ids = unique ? new Set() : undefined;
  }

  /** The items of these bytes, which may be reused afterwards. Throws `E_STREAM`. */
  read(bytes: Uint8Array): Item[] {
    return this.#items(this.#lines.read(bytes));
  }

  /** To be called when all has been read: what the last line says, which is true. Throws `E_STREAM`. */
  end(): StreamEnd {
    try {
      this.#items(this.#lines.end());
    } catch (error) {
      // A line that was cut is hardly ever one that could be read.
      throw this.#hasBegun ? cut(this.#lines.number) : error;
    }
    if (!this.#hasBegun) throw foreign();
    if (!this.#end) throw cut(this.#lines.number);
    return this.#end;
  }

  #items(lines: Iterable<string>): Item[] {
    const items: Item[] = [];
    try {
      for (const line of lines) {
        const item = this.#take(line);
        if (item) items.push(item);
      }
    } catch (error) {
      if (!(error instanceof QueueError) || error.code === "E_STREAM") throw error;
      // It is no JSON text at all, or none that could be a job's.
      throw this.#hasBegun ? this.#refused(error.message.replace(/^Invalid job data: /, "")) : foreign();
    }
    return items;
  }

  #take(line: string): Item | undefined {
    if (this.#end) throw this.#refused("it stands behind the last line of the export.");
    const value = this.#parse(line);
    if (!this.#hasBegun) return this.#begin(line, value);
    if ("end" in value) return this.#finish(value.end);
    const item = this.#check(value);
    this.#inPlace(item);
    this.totals.item(line, item);
    return item;
  }

  #parse(line: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    throw this.#hasBegun ? this.#refused(`it is not the JSON of an export: ${shown(line)}.`) : foreign();
  }

  #begin(line: string, { queuectl_export: version }: Record<string, unknown>): undefined {
    if (typeof version !== "number") throw foreign();
    if (version !== FORMAT_VERSION) {
      throw new QueueError("E_STREAM", `The export has form ${version}; this queuectl knows ${FORMAT_VERSION}.`, {
        hint: "It was made by a newer queuectl. Update this one.",
      });
    }
    this.#hasBegun = true;
    this.totals.line(line);
  }

  #finish(end: unknown): undefined {
    const expected = this.totals.end();
    if (!Bun.deepEquals(end, expected)) {
      const { sum, ...tally } = expected;
      const isCounted = Bun.deepEquals({ ...(end as object), sum }, expected);
      const what = isCounted ? "its checksum does not match" : `it holds ${JSON.stringify(tally)}, not what it says`;
      throw new QueueError(
        "E_STREAM",
        `The export was changed since it was made: ${what} (line ${this.#lines.number}).`,
      );
    }
    this.#end = expected;
  }

  #check(value: Record<string, unknown>): Item {
    const [[kind, content] = [], ...more] = Object.entries(value);
    if (more.length > 0) throw this.#refused("it is more than one thing.");
    const check = kind !== undefined && Object.hasOwn(CHECKS, kind) ? CHECKS[kind] : undefined;
    const why = check ? check(content) : "is of a kind that this version does not know";
    if (why !== undefined) throw this.#refused(`it ${why}.`);
    return value as unknown as Item;
  }

  #inPlace(item: Item): void {
    const kind = ORDER.indexOf(kindOf(item));
    if (kind < this.#kind) throw this.#refused("it is not in its place.");
    this.#kind = kind;
    const entry = "job" in item ? item.job : "dead_letter" in item ? item.dead_letter : undefined;
    if (!entry || !this.#ids) return;
    if (this.#ids.has(entry.id)) {
      throw this.#refused(
        `the id ${shown(entry.id)} stands on an earlier line, too.`,
        "To leave out the later: --merge",
      );
    }
    this.#ids.add(entry.id);
  }

  #refused(why: string, hint?: string): QueueError {
    return new QueueError("E_STREAM", `Line ${this.#lines.number} cannot be imported: ${why}`, hint ? { hint } : {});
  }
}

const CHECKS: Readonly<Record<string, (content: unknown) => string | undefined>> = {
  setting: whyNoSetting,
  queue: whyNoRule,
  schedule: whyNoSchedule,
  job: whyNoJob,
  dead_letter: whyNoDeadLetter,
  archived: whyNotArchived,
};

function whyNoSetting(content: unknown): string | undefined {
  const { key, value } = (content ?? {}) as { key?: unknown; value?: unknown };
  const known = CONFIG_KEYS.find((one) => one === key);
  if (known === undefined || typeof value !== typeof DEFAULTS[known])
    return `is no setting that this version knows: ${shown(content)}`;
  parseConfigValue(known, value);
  return undefined;
}

function whyNoRule(content: unknown): string | undefined {
  return isQueueRule(content) ? undefined : `is no rule of a queue: ${shown(content)}`;
}

/** Throws `E_USAGE` for a schedule of something that no job could be, or of no time. */
function whyNoSchedule(content: unknown): string | undefined {
  return isSchedule(content) ? undefined : `is no schedule: ${shown(content)}`;
}

function foreign(): QueueError {
  return new QueueError(
    "E_STREAM",
    `This is not what queuectl export writes: its first line is not {"queuectl_export":1}.`,
  );
}

function cut(line: number): QueueError {
  return new QueueError("E_STREAM", `The export was cut: it ends at line ${line}, without its last line.`);
}
