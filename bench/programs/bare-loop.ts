/** Runs `true` again and again, with nothing that a queue does. */
import { loop } from "./loop.ts";

await loop(() => Bun.spawn(["/bin/sh", "-c", "true"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited);
