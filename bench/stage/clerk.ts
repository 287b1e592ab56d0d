/**
 * A process of its own that works on a queue by way of the store, as it is told: what a benchmark needs several of, or
 * what would leave too much in this process's memory. Its other end is `programs/clerk.ts`.
 */
import { fileURLToPath } from "node:url";
import type { Place } from "./place.ts";

/** What can be asked of it. Each is done before the next. */
export interface Duties {
  /** Reads the whole queue. */
  load(): Promise<void>;
  /** Adds `count` jobs that are called `<name>-1` and so on. */
  fill(count: number, name: string): Promise<void>;
  /** Takes and ends all jobs. */
  completeAll(): Promise<void>;
  /** Takes `limit` jobs a turn and ends them in the next, running nothing; resolves with the ms that all turns took. */
  turns(count: number, limit: number): Promise<number>;
  /** Does the same until there have been so many checkpoints, and for some time, adding a job for each that it takes. */
  untilCheckpoints(count: number, options: { limit: number; leastMs: number }): Promise<void>;
  /** Adds jobs one by one until it is told to `stop`; resolves with the ms that each took. */
  enqueueSingly(pauseMs: number): Promise<number[]>;
  /** Adds jobs, `batch` at a time, and waits whenever more than `backlog` are pending. */
  produce(jobs: { count: number; batch: number; backlog: number; name: string }): Promise<void>;
  /** Takes and ends that many jobs; resolves with the ms at which each of `parts` equal parts of them was done. */
  consume(count: number, options: { limit: number; parts: number }): Promise<number[]>;
}

type Order = { readonly [Name in keyof Duties]: { name: Name; args: Parameters<Duties[Name]> } }[keyof Duties];
export type Request = Order | "stop" | "close";
export type Answer = { readonly result: unknown } | { readonly failed: string };

export class Clerk implements AsyncDisposable {
  readonly #process: Bun.Subprocess;
  #answers = Promise.withResolvers<unknown>();

  static start(place: Place, directory: string): Clerk {
    return new Clerk(place, directory);
  }

  private constructor(place: Place, directory: string) {
    const program = fileURLToPath(import.meta.resolve("../programs/clerk.ts"));
    this.#process = place.adopt(
      Bun.spawn([process.execPath, program, directory], {
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
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

  async ask<Name extends keyof Duties>(
    name: Name,
    ...args: Parameters<Duties[Name]>
  ): Promise<Awaited<ReturnType<Duties[Name]>>> {
    this.#answers = Promise.withResolvers();
    this.#process.send({ name, args });
    return (await this.#answers.promise) as Awaited<ReturnType<Duties[Name]>>;
  }

  /** Has what it does come to its end, if that has none of its own. */
  stop(): void {
    this.#process.send("stop" satisfies Request);
  }

  /** It leaves the queue as whoever closes a store does. */
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
