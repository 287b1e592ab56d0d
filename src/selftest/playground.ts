/** The folder of one selftest: made for it, removed after it, unless it is to be looked at; and the wish to stop early. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../job/errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export class Playground implements Disposable {
  readonly directory: string;
  readonly #stop = new AbortController();
  readonly #onSignal = (): void => this.#stop.abort();
  #isKept = false;

  /** In a folder that is there. Throws `E_STORE_IO`. */
  constructor(folder: string) {
    this.directory = create(folder);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Aborts at the first signal that asks this process to end. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  keep(): void {
    this.#isKept = true;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    if (!this.#isKept) rmSync(this.directory, { recursive: true, force: true });
  }
}

function create(folder: string): string {
  try {
    return mkdtempSync(join(realpathSync(folder), "queuectl-selftest-"));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new QueueError("E_STORE_IO", `Cannot make a folder in ${folder} (${code}).`, { cause });
  }
}
