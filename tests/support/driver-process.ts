/** Runs `store-driver.ts` as a process of its own, with a failpoint if one is wanted, and collects what it was told. */
import { join } from "node:path";
import { failingBundle, processState } from "./failing-program.ts";
import type { Acknowledged } from "./store-driver.ts";
import { until } from "./until.ts";

export interface DriverEnd {
  readonly acknowledged: readonly Acknowledged[];
  readonly exitCode: number | null;
  readonly signal: string | number | null;
  readonly stderr: string;
}

const DRIVER = await failingBundle(join(import.meta.dir, "store-driver.ts"));

export class DriverProcess implements Disposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;

  /** `failpoint` as in `append:2:kill`. */
  constructor(directory: string, operations: readonly string[], failpoint = "") {
    this.#child = Bun.spawn([process.execPath, DRIVER, directory, ...operations], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, QUEUECTL_FAILPOINT: failpoint },
    });
  }

  static async run(directory: string, operations: readonly string[], failpoint = ""): Promise<DriverEnd> {
    using driver = new DriverProcess(directory, operations, failpoint);
    return await driver.end();
  }

  async end(): Promise<DriverEnd> {
    const [stdout, stderr] = await Promise.all([this.#child.stdout.text(), this.#child.stderr.text()]);
    await this.#child.exited;
    return {
      acknowledged: stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Acknowledged),
      exitCode: this.#child.exitCode,
      signal: this.#child.signalCode,
      stderr,
    };
  }

  /** Resolves once it has frozen itself. */
  async frozen(): Promise<void> {
    await until(() => this.#state() === "T", "the driver to freeze at its failpoint");
  }

  thaw(): void {
    this.signal("SIGCONT");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Leaves no process behind, frozen or not, when a test fails half way. */
  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  #state(): string | undefined {
    if (this.#child.exitCode !== null) throw new Error("the driver ended without reaching its failpoint");
    return processState(this.#child.pid);
  }
}
