/** A file that is there whole or not at all, for this user alone. What is no file, like a pipe, is written to as it is. */
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, statSync, unlinkSync, writeSync } from "node:fs";
import { QueueError } from "../job/errors.ts";

export class ExportFile implements Disposable {
  readonly #path: string;
  /** Where it is until it is whole; undefined for what is no file. */
  readonly #temporary: string | undefined;
  readonly #fd: number;
  #isWhole = false;

  /** What is there stays until `finish`. Throws `E_OUTPUT`. */
  constructor(path: string) {
    const place = this.#guard(path, () => placeOf(path));
    this.#path = place ?? path;
    this.#temporary = place && `${place}.tmp-${crypto.randomUUID()}`;
    this.#fd = this.#guard(path, () =>
      this.#temporary === undefined ? openSync(this.#path, "w") : openSync(this.#temporary, "wx", 0o600),
    );
  }

  write(text: string): void {
    for (let rest: Uint8Array = Buffer.from(text); rest.length > 0; ) {
      rest = rest.subarray(this.#guard(this.#path, () => writeSync(this.#fd, rest)));
    }
  }

  /** It is on the disk, in place of what was there. */
  finish(): void {
    const { path, temporary } = { path: this.#path, temporary: this.#temporary };
    if (temporary !== undefined) {
      this.#guard(path, () => {
        fsyncSync(this.#fd);
        renameSync(temporary, path);
      });
    }
    this.#isWhole = true;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    if (!this.#isWhole && this.#temporary !== undefined) unlinkSync(this.#temporary);
  }

  #guard<T>(path: string, operation: () => T): T {
    try {
      return operation();
    } catch (cause) {
      throw new QueueError("E_OUTPUT", `Could not write ${path}: ${(cause as Error).message}.`, { cause });
    }
  }
}

/** Where the file is, or will be, behind all links; undefined where there is something that cannot be replaced. */
function placeOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return path;
  const place = realpathSync(path);
  // What `/dev/stdout` leads to may have no path of its own.
  const found = statSync(place, { throwIfNoEntry: false });
  return stat.isFile() && found?.ino === stat.ino && found.dev === stat.dev ? place : undefined;
}
