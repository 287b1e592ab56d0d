/**
 * The lock of a data directory: a symbolic link to nowhere whose text is the mark of its holder. Like the directory that
 * proper-lockfile makes it comes to be in one step, at a tenth of the cost, and it tells those who wait at once that a
 * killed process held it.
 *
 * The lock makes writers take turns; it does not make them right. It is anyone's once it has been held for `STALE_MS`,
 * and a frozen holder that wakes up still believes in it, so two holders are possible. The journal's compare-and-append
 * (journal.ts) is what keeps them apart.
 *
 * One that takes it again and again leaves it free for moments only, which others rarely hit. So the first of those who
 * wait leaves its mark beside the lock, and whoever has had some turns lets that one go first.
 */
import { lstatSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { FAILPOINTS, reach } from "../../failpoint.ts";
import { QueueError } from "../../job/errors.ts";
import { remove, succeeds } from "../local/durable.ts";
import { isMarkOfDead, ownMark, self } from "../local/identity.ts";

/** Short in the test build: its tests freeze holders past it. */
const STALE_MS = FAILPOINTS ? 2_000 : 10_000;
/** A waiter outlasts a frozen holder, then gives up. */
const PATIENCE_MS = 2 * STALE_MS;
/** A holder is done in a fraction of a millisecond, most of the time: so often is it asked before anyone sleeps. */
const QUICK_TRIES = 4;
/** Between two looks of one that sleeps: longer and longer, lest a crowd of waiters takes the processor from the holder. */
const SLEEP_MS = { first: 1, growth: 1.5, longest: 25 };
/** So often, a millisecond each, one that is to go first is waited for; then it is frozen, and waited for no more. */
const COURTESY = 20;

/** After so many turns a process looks whether somebody is to go before it: a look costs as much as the lock. */
const LOOK_EVERY_TURNS = 8;

/** How often this process has had a lock since it looked. */
let turns = 0;

/**
 * Takes the lock at `path`, waiting for its holder; in a crowd, for as long as it goes from hand to hand. Only
 * synchronous work may be done while it is held. Throws `E_STORE_LOCKED` when one holder keeps it too long.
 */
export async function acquire(path: string, now: () => number): Promise<Disposable> {
  if (turns >= LOOK_EVERY_TURNS) await letPass(path);
  const lock = await tryQuickly(path, now);
  if (lock) return lock;
  using place = new PlaceInLine(path);
  let holding = holdingOf(path);
  let since = now();
  for (let sleepMs = SLEEP_MS.first; ; sleepMs = Math.min(sleepMs * SLEEP_MS.growth, SLEEP_MS.longest)) {
    breakIfAbandoned(path, now());
    const lock = await tryQuickly(path, now);
    if (lock) return lock;
    const current = holdingOf(path);
    if (current !== holding) [holding, since] = [current, now()];
    if (now() - since > PATIENCE_MS) {
      throw new QueueError("E_STORE_LOCKED", `${path} has been held by another for ${PATIENCE_MS / 1000} s.`, {
        hint: "Is another queuectl suspended? Look for it, then try again.",
      });
    }
    await Bun.sleep(place.isFirst ? SLEEP_MS.first : sleepMs * jitter());
  }
}

/** The mark of the first of those who wait, as long as nobody else has left one. */
class PlaceInLine implements Disposable {
  readonly #path: string;
  #isFirst = false;

  constructor(path: string) {
    this.#path = lineOf(path);
  }

  /** Whether this process is the first now. */
  get isFirst(): boolean {
    this.#isFirst ||= succeeds(["EEXIST"], { verb: "lock", path: this.#path }, () =>
      symlinkSync(ownMark(), this.#path),
    );
    return this.#isFirst;
  }

  [Symbol.dispose](): void {
    if (this.#isFirst) removeOwn(this.#path);
  }
}

/** Waits until the first of those who wait has the lock. */
async function letPass(path: string): Promise<void> {
  const line = lineOf(path);
  turns = 0;
  for (let waits = 0; ; waits++) {
    const mark = markAt(line);
    if (mark === undefined || mark === ownMark()) return;
    if (waits === COURTESY || isMarkOfDead(mark)) {
      remove(line);
      return;
    }
    await Bun.sleep(1);
  }
}

function lineOf(path: string): string {
  return `${path}.next`;
}

function markAt(path: string): string | undefined {
  // Asked first, for nearly always there is none, and to be told so by an error takes ten times as long.
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined;
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

async function tryQuickly(path: string, now: () => number): Promise<Disposable | undefined> {
  for (let tries = 1; tries <= QUICK_TRIES; tries++) {
    const lock = tryAcquire(path, now);
    if (lock) return lock;
    await new Promise(setImmediate);
  }
  return undefined;
}

/** Takes the lock if it is free; undefined if it is not. */
export function tryAcquire(path: string, now: () => number): Disposable | undefined {
  if (!succeeds(["EEXIST"], { verb: "lock", path }, () => symlinkSync(ownMark(), path))) return undefined;
  const since = now();
  reach("locked");
  return { [Symbol.dispose]: () => release(path, now() - since) };
}

/** Only our own: one that was held so long that it may have been taken over stays with whoever took it. */
function release(path: string, heldMs: number): void {
  reach("unlock");
  turns += 1;
  if (heldMs >= 0 && heldMs < STALE_MS) remove(path);
  else removeOwn(path);
}

function removeOwn(path: string): void {
  try {
    if (readlinkSync(path) === ownMark()) unlinkSync(path);
  } catch {
    // Taken over and released. What was appended since it was taken over is void; the journal has seen to that.
  }
}

/** Tells one holding of a lock from the next, also by the same process. */
function holdingOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.birthtimeMs;
}

/**
 * Two waiters may do this at the same time, and the slower one break the lock that the faster one took since. Then that
 * one's commit stands alone against another's, and the journal decides.
 */
function breakIfAbandoned(path: string, now: number): void {
  try {
    const mark = readlinkSync(path);
    if (!isMarkOfDead(mark) && now - lstatSync(path).mtimeMs <= STALE_MS) return;
    // Read again: a process that has let go of it and then ended is dead, too, and the lock is another's by now.
    if (readlinkSync(path) === mark) unlinkSync(path);
  } catch {
    // Released or taken by the next one meanwhile: either way the next try tells.
  }
}

/** 0.5 to 1.5, different from process to process, so that waiters do not come back in step. */
function jitter(): number {
  return 0.5 + (self().pid % 11) / 10;
}
