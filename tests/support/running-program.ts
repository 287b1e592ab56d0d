/** A program in a session of its own, as a terminal starts it, and what it has printed so far. */
import { until } from "./until.ts";

/** How a program ended: `exitCode` is a number, or the name of the signal that ended it. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | string;
}

export class RunningProgram {
  stdout = "";
  stderr = "";
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #read: Promise<unknown>;
  #hasSaidAll = false;

  constructor(command: string[], options: { cwd: string; env: Record<string, string> }) {
    this.#child = Bun.spawn(command, { ...options, detached: true, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    this.#read = Promise.all([
      drain(this.#child.stdout, (text) => {
        this.stdout += text;
      }),
      drain(this.#child.stderr, (text) => {
        this.stderr += text;
      }),
    ]).then(() => {
      this.#hasSaidAll = true;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The workers that it has said it started. */
  get workerPids(): number[] {
    return [...this.stdout.matchAll(/^Worker \d+ started with PID: (\d+)$/gm)].map(([, pid]) => Number(pid));
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until it has printed these words, `times` times. */
  async says(words: string, times = 1): Promise<void> {
    await until(() => {
      if (this.#occurrences(words) >= times) return true;
      if (this.#hasSaidAll) throw new Error(`It ended without "${words}":\n${this.stdout}${this.stderr}`);
      return false;
    }, `"${words}" to be printed`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** ^C, as a terminal does it: to every process of the foreground group. */
  interrupt(): void {
    process.kill(-this.pid, "SIGINT");
  }

  async end(): Promise<Ended> {
    // Its output may be held open by processes that it left behind: they count as part of it.
    await this.#read;
    await this.#child.exited;
    const exitCode = this.#child.signalCode ?? this.#child.exitCode ?? "nothing";
    return { stdout: this.stdout, stderr: this.stderr, exitCode };
  }

  #occurrences(words: string): number {
    return `${this.stdout}\n${this.stderr}`.split(words).length - 1;
  }
}

async function drain(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}
