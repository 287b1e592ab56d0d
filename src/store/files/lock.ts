/**
 * The lock of a data directory and the locks that show that a worker lives: the only user of proper-lockfile.
 *
 * The lock makes writers take turns; it does not make them right. proper-lockfile takes a lock over once its holder has
 * not refreshed it for `STALE_MS`, and a frozen holder that wakes up still believes in it, so two holders are possible.
 * The journal's compare-and-append (journal.ts) is what keeps them apart.
 *
 * The lock that proper-lockfile makes is here a symbolic link whose text is the mark of its holder: made in one
 * step like the directory it would make by itself, and it tells waiters at once that a killed process held it, so that
 * they need not wait until it is stale.
 */
import nodeFs, { lstatSync, readlinkSync, realpathSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import lockfile from "proper-lockfile";
import { QueueError } from "../../job/errors.ts";
import { refused } from "./durable.ts";
import { FAILPOINTS, reach } from "./failpoint.ts";
import { isMarkOfDead, ownMark, self } from "./identity.ts";

/** After so long without a sign a lock is anyone's. Short in the test build: its tests freeze holders past it. */
const STALE_MS = FAILPOINTS ? 2_000 : 10_000;
/** A waiter outlasts a frozen holder, then gives up. */
const PATIENCE_MS = 2 * STALE_MS;
/** A holder is done in a fraction of a millisecond, most of the time: so often is it asked before anyone sleeps. */
const QUICK_TRIES = 4;
/** Between two looks of one that sleeps: longer and longer, lest a crowd of waiters takes the processor from the holder. */
const SLEEP_MS = { first: 1, growth: 1.5, longest: 25 };

/** What proper-lockfile calls to take a lock. */
const takingFs = {
  mkdirSync: (path: string): void => symlinkSync(ownMark(), path),
  /** Called for a stale lock only, whoever held it. */
  rmdirSync: unlinkSync,
  statSync: lstatSync,
  /** It probes how exact the file system's times are, for refreshing; a lock of ours is never held that long. */
  utimesSync: (): void => {},
  realpathSync,
};

/** What it calls to release one: only our own. One that was taken over stays with whoever took it. */
const releasingFs = {
  ...takingFs,
  rmdirSync(path: string): void {
    if (readlinkSync(path) === ownMark()) unlinkSync(path);
  },
};

/** proper-lockfile refreshes a lock by timers, which cannot run while ours is held; what it then finds is no news. */
const options = { realpath: false, stale: STALE_MS, onCompromised: () => {} };

/**
 * Takes the lock on `path` (which need not exist), waiting for its holder; in a crowd, for as long as it goes from hand
 * to hand. Only synchronous work may be done while it is held. Throws `E_STORE_LOCKED` when one holder keeps it too long.
 */
export async function acquire(path: string, now: () => number): Promise<Disposable> {
  for (let tries = 1; tries <= QUICK_TRIES; tries++) {
    const lock = tryAcquire(path);
    if (lock) return lock;
    await new Promise(setImmediate);
  }
  let holding = holdingOf(path);
  let since = now();
  for (let sleepMs = SLEEP_MS.first; ; sleepMs = Math.min(sleepMs * SLEEP_MS.growth, SLEEP_MS.longest)) {
    breakIfHolderIsDead(`${path}.lock`);
    const lock = tryAcquire(path);
    if (lock) return lock;
    const current = holdingOf(path);
    if (current !== holding) [holding, since] = [current, now()];
    if (now() - since > PATIENCE_MS) {
      throw new QueueError("E_STORE_LOCKED", `${path}.lock has been held by another for ${PATIENCE_MS / 1000} s.`, {
        hint: "Is another queuectl suspended? Look for it, then try again.",
      });
    }
    await Bun.sleep(sleepMs * jitter());
  }
}

/** Takes the lock if it is free; undefined if it is not. */
export function tryAcquire(path: string): Disposable | undefined {
  try {
    lockfile.lockSync(path, { ...options, fs: takingFs });
  } catch (cause) {
    if (isContention(cause, path)) return undefined;
    throw refused("lock", path, cause);
  }
  reach("locked");
  return { [Symbol.dispose]: () => release(path) };
}

/** Holds a lock on `path` for as long as this process lives or until disposed, refreshed by timers. */
export async function holdForLife(path: string): Promise<AsyncDisposable> {
  const release = await lockfile.lock(path, { ...options, fs: nodeFs });
  return {
    async [Symbol.asyncDispose]() {
      // It may have been declared stale while this process was suspended: then it is gone already.
      await release().catch(() => {});
    },
  };
}

/** Whether someone, anywhere, has refreshed the lock on `path` lately. */
export function isHeld(path: string): boolean {
  return lockfile.checkSync(path, { ...options, fs: nodeFs });
}

function release(path: string): void {
  reach("unlock");
  try {
    lockfile.unlockSync(path, { realpath: false, fs: releasingFs });
  } catch {
    // Taken over while this process was frozen. What it appended since is void; the journal has seen to that.
  }
}

/** Someone holds it, or broke or took it while we looked: as opposed to a directory that cannot be written. */
function isContention(cause: unknown, path: string): boolean {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ELOCKED") return true;
  return code === "ENOENT" && statSync(dirname(path), { throwIfNoEntry: false }) !== undefined;
}

/** Tells one holding of a lock from the next, also by the same process. A holder that refreshes it is still the same. */
function holdingOf(path: string): number | undefined {
  return lstatSync(`${path}.lock`, { throwIfNoEntry: false })?.birthtimeMs;
}

/**
 * Two waiters may do this at the same time, and the slower one break the lock that the faster one took since. Then that
 * one's commit stands alone against another's, and the journal decides.
 */
function breakIfHolderIsDead(lockPath: string): void {
  try {
    if (isMarkOfDead(readlinkSync(lockPath))) unlinkSync(lockPath);
  } catch {
    // Released or taken by the next one meanwhile: either way the next try tells.
  }
}

/** 0.5 to 1.5, different from process to process, so that waiters do not come back in step. */
function jitter(): number {
  return 0.5 + (self().pid % 11) / 10;
}
