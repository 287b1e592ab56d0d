/** Where the queue of one run is: in a directory that was named, and stays, or in one that is made for it and goes with it. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QueueError } from "../job/errors.ts";

export class RunDirectory implements Disposable {
  readonly path: string;
  readonly #isOwn: boolean;

  /** Throws `E_STORE_IO`. */
  constructor(named: string | undefined) {
    this.#isOwn = named === undefined;
    this.path = named ?? create(tmpdir());
  }

  [Symbol.dispose](): void {
    if (this.#isOwn) rmSync(this.path, { recursive: true, force: true });
  }
}

function create(folder: string): string {
  try {
    return mkdtempSync(join(realpathSync(folder), "queuectl-run-"));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new QueueError("E_STORE_IO", `Cannot make a folder in ${folder} (${code}).`, { cause });
  }
}
