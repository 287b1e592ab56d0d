/** A program on a terminal of its own: keys go in, and what is on the screen can be looked at. */
import { until } from "./until.ts";
import { VirtualScreen } from "./virtual-screen.ts";

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Record<string, string>;
  readonly columns: number;
  readonly rows: number;
}

export class ProgramOnTerminal implements AsyncDisposable {
  readonly screen: VirtualScreen;
  readonly #child: Bun.Subprocess;
  readonly #hungUp: Promise<void>;
  /** Everything that was sent to the terminal. */
  sent = "";

  constructor(command: string[], { cwd, env, columns, rows }: TerminalOptions) {
    this.screen = new VirtualScreen({ columns, rows });
    const data = (_: unknown, bytes: Uint8Array): void => {
      this.sent += Buffer.from(bytes).toString("latin1");
      this.screen.feed(bytes);
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hungUp = promise;
    this.#child = Bun.spawn(command, { cwd, env, terminal: { cols: columns, rows, data, exit: () => resolve() } });
  }

  get pid(): number {
    return this.#child.pid;
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#child.terminal?.resize(columns, rows);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the screen shows this, and returns all of it. */
  async shows(what: string | RegExp): Promise<string> {
    const isThere = (): boolean =>
      typeof what === "string" ? this.screen.text.includes(what) : what.test(this.screen.text);
    await until(isThere, `${what} on the screen`).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.screen.text}`);
    });
    return this.screen.text;
  }

  /** How it ended: a number, or the name of the signal. All that it sent has come by then. */
  async end(): Promise<number | string> {
    await Promise.all([this.#child.exited, this.#hungUp]);
    return this.#child.signalCode ?? this.#child.exitCode ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#child.terminal?.close();
  }
}
