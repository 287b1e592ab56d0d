/**
 * What the loops have in common that `throughput.ts` measures against: `<loop> <count> <at a time> <directory>` runs so
 * many jobs, which may keep files in a directory that is made for them. It prints how many milliseconds that took,
 * without the start of this program.
 */
import { mkdirSync } from "node:fs";

/** Calls `run` with the number of each job, from 1 on. */
export async function loop(run: (job: number, directory: string) => Promise<unknown>): Promise<void> {
  const [count, width, directory] = process.argv.slice(2);
  if (!(Number(count) > 0 && Number(width) > 0 && directory)) {
    throw new Error("Usage: <loop> <count> <at a time> <directory>");
  }
  mkdirSync(directory);
  const start = performance.now();
  let begun = 0;
  const runUntilNoneIsLeft = async (): Promise<void> => {
    while (begun < Number(count)) {
      begun += 1;
      await run(begun, directory);
    }
  };
  await Promise.all(Array.from({ length: Number(width) }, runUntilNoneIsLeft));
  console.log(performance.now() - start);
}
