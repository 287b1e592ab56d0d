/**
 * A sign of life for those who cannot look for a process themselves, on another host or in another container: a lock
 * that its holder refreshes. The only user of proper-lockfile, which is loaded by who gives the sign, not by who reads it.
 */
import nodeFs from "node:fs";

/** Without a fresh sign for so long, nobody is there any more. */
const STALE_MS = 10_000;

/**
 * The library makes a directory, which would be as open as the umask leaves it. Made on top of node:fs and not as a copy,
 * which would load all that is loaded lazily there: 5 ms, at every start of any command.
 */
const FOR_ITS_OWNER: typeof nodeFs = Object.create(nodeFs, {
  mkdir: { value: (path: string, done: nodeFs.NoParamCallback) => nodeFs.mkdir(path, 0o700, done) },
});

/** Gives a sign beside `path` for as long as this process lives or until disposed, refreshed by timers. */
export async function giveSign(path: string): Promise<AsyncDisposable> {
  const { lock } = await import("proper-lockfile");
  const release = await lock(path, { realpath: false, stale: STALE_MS, onCompromised: () => {}, fs: FOR_ITS_OWNER });
  return {
    async [Symbol.asyncDispose]() {
      // It may have been declared stale while this process was suspended: then it is gone already.
      await release().catch(() => {});
    },
  };
}

/** Whether the sign beside a path is fresh. */
export type SignCheck = (path: string) => boolean;

/** By the clock, for who looks once: it takes a sign for stale when the clock has just been set forward. */
export function freshBefore(now: number): SignCheck {
  return (path) => now - (lastSign(path) ?? Number.NEGATIVE_INFINITY) <= STALE_MS;
}

/**
 * By watching, for who looks again and again and takes jobs away: a sign is stale that has not changed for so long. `elapsed`
 * is in ms and cannot be set, so no clock that jumps makes a living worker look dead.
 */
export function freshWhileWatched(elapsed: () => number): SignCheck {
  const seen = new Map<string, { sign: number; since: number }>();
  return (path) => {
    const sign = lastSign(path);
    if (sign === undefined) return false;
    const last = seen.get(path);
    if (last?.sign === sign) return elapsed() - last.since <= STALE_MS;
    seen.set(path, { sign, since: elapsed() });
    return true;
  };
}

function lastSign(path: string): number | undefined {
  return nodeFs.statSync(signOf(path), { throwIfNoEntry: false })?.mtimeMs;
}

/** Removes the sign that a dead one left beside `path`. */
export function removeSign(path: string): void {
  nodeFs.rmSync(signOf(path), { recursive: true, force: true });
}

/** Where proper-lockfile keeps it. */
function signOf(path: string): string {
  return `${path}.lock`;
}
