/**
 * Files that are about to be removed or replaced, held open meanwhile. The system gives back the space of a large file when
 * the last who has it open lets go of it, which takes tens of milliseconds: here on a thread that nobody waits for.
 */
import { close, constants, openSync } from "node:fs";

/** Those that are there and can be opened; disposal lets go of them. */
export function holdOpen(paths: readonly string[]): AsyncDisposable {
  const held = paths.flatMap((path) => open(path) ?? []);
  return { [Symbol.asyncDispose]: async () => void (await Promise.all(held.map(letGo))) };
}

/** Only to be held, so whatever keeps it from being opened is for others to tell. */
function open(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

function letGo(fd: number): Promise<void> {
  return new Promise((resolve) => close(fd, () => resolve()));
}
