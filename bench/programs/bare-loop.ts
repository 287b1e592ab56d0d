/** Runs `true` again and again as `Bun.spawn` does it by itself, with nothing that a queue does. */
import { loop } from "./loop.ts";

await loop(() => Bun.spawn(["/bin/sh", "-c", "true"]).exited);
