/** What is read twice: a file as it is; a pipe by way of a temporary file, which has no name as soon as it is there. */
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QueueError } from "../job/errors.ts";
import { JobInput } from "./job-input.ts";

export class ImportSource implements Disposable {
  readonly #input: JobInput;
  readonly bytes: number;

  /** `path` is that of a file, or `-` for standard input. Throws `E_USAGE`. */
  static async open(path: string): Promise<ImportSource> {
    const given = new JobInput(path);
    if (given.size !== undefined) return new ImportSource(given, given.size);
    using pipe = given;
    // Awaited here: what is returned at once is closed at once.
    return await spool(pipe);
  }

  constructor(input: JobInput, bytes: number) {
    this.#input = input;
    this.bytes = bytes;
  }

  /** From the beginning, each time. The pieces are overwritten by the next. */
  pieces(): AsyncGenerator<Uint8Array> {
    return this.#input.pieces(0);
  }

  [Symbol.dispose](): void {
    this.#input[Symbol.dispose]();
  }
}

async function spool(pipe: JobInput): Promise<ImportSource> {
  const path = join(tmpdir(), `queuectl-import-${crypto.randomUUID()}`);
  const fd = guard(path, () => openSync(path, "wx", 0o600));
  try {
    const input = new JobInput(path);
    // Whatever becomes of this process, nothing is left of it.
    unlinkSync(path);
    let bytes = 0;
    for await (const piece of pipe.pieces()) {
      for (let rest = piece; rest.length > 0; ) rest = rest.subarray(guard(path, () => writeSync(fd, rest)));
      bytes += piece.length;
    }
    return new ImportSource(input, bytes);
  } finally {
    closeSync(fd);
  }
}

function guard<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    throw new QueueError("E_OUTPUT", `Could not write ${path}: ${(cause as Error).message}.`, {
      cause,
      hint: "Standard input is kept there while it is checked. TMPDIR names another place.",
    });
  }
}
