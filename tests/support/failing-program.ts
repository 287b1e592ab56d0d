/** The program with its failpoints in: what dies or freezes at a step of its work, told by `QUEUECTL_FAILPOINT`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A bundle with the failpoints in it, so that each of several hundred processes starts in a moment. */
export async function failingBundle(entry: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "bun",
    define: { BUILD_FAILPOINTS: "true" },
    outdir: join(import.meta.dir, "../../dist/tests"),
  });
  return outputs[0]?.path ?? "";
}

/** `T` while it is frozen; undefined once it is gone. */
export function processState(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  } catch {
    return undefined;
  }
}
