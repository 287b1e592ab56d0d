/** The temporary directory of a run. */
import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Place } from "./benchmark.ts";

const QUEUECTL = join(import.meta.dir, "..", "dist", "queuectl");

/** Throws when the program has not been built. */
export function openPlace(): Place & Disposable {
  if (!existsSync(QUEUECTL)) throw new Error(`${QUEUECTL} is not there: bun run build`);
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "queuectl-bench-")));
  // When and how a program's file was written makes milliseconds of its start, so all that are compared are new copies.
  const queuectl = join(directory, "queuectl");
  copyFileSync(QUEUECTL, queuectl);
  let count = 0;
  return {
    queuectl,
    fresh: (name) => join(directory, `${name}-${++count}`),
    async compile(url) {
      const source = fileURLToPath(url);
      const program = join(directory, basename(source, ".ts"));
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
      return program;
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
