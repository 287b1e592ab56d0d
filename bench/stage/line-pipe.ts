/** A named pipe that tells this process when another has written a line into it. */
import { type FileHandle, open } from "node:fs/promises";
import type { Place } from "./place.ts";
import { timeOf } from "./run.ts";

export class LinePipe implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #buffer = Buffer.alloc(64);

  static async open(place: Place): Promise<LinePipe> {
    const path = place.fresh("pipe");
    timeOf(["mkfifo", path]);
    // For writing, too, so that opening waits for nobody and reading never finds an end.
    return new LinePipe(path, await open(path, "r+"));
  }

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Resolves at the next line. One line at a time: what else has been written by then counts as part of it. */
  async nextLine(): Promise<void> {
    await this.#file.read(this.#buffer, 0, this.#buffer.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
