/**
 * A process of its own that does what this one asks of it, one thing after the other: what a benchmark needs several of,
 * or what would leave too much in this process's memory. Its other end is `programs/serve.ts`.
 */
import type { Place } from "./place.ts";

/** Each takes and gives what JSON can say. */
type Duty = (...args: never[]) => Promise<unknown>;
export type DutiesOf<Duties> = { readonly [Name in keyof Duties]: Duty };

type Order = { readonly name: string; readonly args: readonly unknown[] };
export type Request = Order | "stop" | "close";
export type Answer = { readonly result: unknown } | { readonly failed: string };

export class Servant<Duties extends DutiesOf<Duties>> implements AsyncDisposable {
  readonly #process: Bun.Subprocess;
  #answers = Promise.withResolvers<unknown>();

  constructor(
    place: Place,
    command: readonly string[],
    options: { env?: Readonly<Record<string, string | undefined>> } = {},
  ) {
    this.#process = place.adopt(
      Bun.spawn([...command], {
        cwd: place.directory,
        env: { ...process.env, ...options.env },
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
        serialization: "json",
        ipc: (answer: Answer) => this.#hear(answer),
      }),
    );
    void this.#process.exited.then((code) => {
      this.#hear({ failed: `A process that works on the queue ended with exit code ${code}.` });
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  async ask<Name extends keyof Duties & string>(
    name: Name,
    ...args: Parameters<Duties[Name]>
  ): Promise<Awaited<ReturnType<Duties[Name]>>> {
    this.#answers = Promise.withResolvers();
    this.#process.send({ name, args } satisfies Request);
    return (await this.#answers.promise) as Awaited<ReturnType<Duties[Name]>>;
  }

  /** Has what it does come to its end, if that has none of its own. */
  stop(): void {
    this.#process.send("stop" satisfies Request);
  }

  /** It leaves the queue as whoever closes one does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) this.#process.send("close" satisfies Request);
    await this.#process.exited;
  }

  #hear(answer: Answer): void {
    if ("failed" in answer) {
      // Nobody may be waiting for it.
      this.#answers.promise.catch(() => {});
      this.#answers.reject(new Error(answer.failed));
    } else this.#answers.resolve(answer.result);
  }
}
