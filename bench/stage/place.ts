/** The temporary directory of a run, and the processes that are started in it: all of them go away with it. */
import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Effort } from "../benchmark.ts";

const QUEUECTL = join(import.meta.dir, "..", "..", "dist", "queuectl");
const PATIENCE_MS = 3000;

interface Startable {
  readonly pid: number;
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

export class Place implements AsyncDisposable {
  readonly effort: Effort;
  readonly directory: string;
  /** The program that is measured. */
  readonly queuectl: string;
  readonly #made = new Map<string, Promise<string>>();
  readonly #undo = new Set<() => unknown>();
  #count = 0;

  /** Throws when the program has not been built. */
  constructor(effort: Effort) {
    if (!existsSync(QUEUECTL)) throw new Error(`${QUEUECTL} is not there: bun run build`);
    this.effort = effort;
    this.directory = realpathSync(mkdtempSync(join(tmpdir(), "queuectl-bench-")));
    // When and how a program's file was written makes milliseconds of its start, so all that are compared are new copies.
    this.queuectl = join(this.directory, "queuectl");
    copyFileSync(QUEUECTL, this.queuectl);
  }

  /** A path that nothing is at yet. */
  fresh(name: string): string {
    this.#count += 1;
    return join(this.directory, `${name}-${this.#count}`);
  }

  /** What `make` leaves at the path that it is given, made once in a run. */
  once(name: string, make: (path: string) => Promise<void>): Promise<string> {
    const path = join(this.directory, name);
    const made = this.#made.get(name) ?? make(path).then(() => path);
    this.#made.set(name, made);
    return made;
  }

  /** Builds the program of a source file, as `build.ts` builds queuectl, and returns its path. */
  compile(url: string): Promise<string> {
    const source = fileURLToPath(url);
    return this.once(basename(source, ".ts"), async (program) => {
      const outfile = `${program}.built`;
      await Bun.build({
        entrypoints: [source],
        target: "bun",
        format: "esm",
        minify: true,
        bytecode: true,
        compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
      });
      copyFileSync(outfile, program);
    });
  }

  /** Tells a person who waits what is going on. */
  say(sentence: string): void {
    console.error(`  ${sentence}`);
  }

  /** Sees to it that this process is over when the benchmark is, however that ends. */
  adopt<Process extends Startable>(child: Process, endBy: NodeJS.Signals = "SIGTERM"): Process {
    const end = this.atEnd(async () => {
      child.kill(endBy);
      await Promise.race([child.exited, Bun.sleep(PATIENCE_MS)]);
      child.kill("SIGKILL");
    });
    void child.exited.then(() => end.forget());
    return child;
  }

  /** Has something done when the benchmark is over, or on disposal if that is earlier; not at all, once forgotten. */
  atEnd(undo: () => unknown): AsyncDisposable & { forget(): void } {
    const forget = (): void => void this.#undo.delete(undo);
    this.#undo.add(undo);
    const dispose = async (): Promise<void> => {
      if (this.#undo.delete(undo)) await undo();
    };
    return { forget, [Symbol.asyncDispose]: dispose };
  }

  /** Ends what a benchmark has left behind. */
  async clear(): Promise<void> {
    const undone = [...this.#undo].toReversed().map((undo) => undo());
    this.#undo.clear();
    await Promise.all(undone);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
