/**
 * What `drain.ts` measures against: `bare-loop <count> <at a time>` runs `true` so often, with nothing that a queue does.
 * Prints how many milliseconds that took, without the start of this program.
 */
const [count, width] = process.argv.slice(2).map(Number);
if (!count || !width) throw new Error("Usage: bare-loop <count> <at a time>");

const start = performance.now();
let left = count;
await Promise.all(Array.from({ length: width }, runUntilNoneIsLeft));
console.log(performance.now() - start);

async function runUntilNoneIsLeft(): Promise<void> {
  while (left > 0) {
    left -= 1;
    await Bun.spawn(["/bin/sh", "-c", "true"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited;
  }
}
