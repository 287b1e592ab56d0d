/**
 * How a supervisor or a worker is asked to leave, in two stages: `gently` (finish what runs, take no more), then `now`
 * (end what runs, hand it back). A stage is reached once and never left. The signals:
 *
 *   INT, TERM, HUP   the first asks gently, the next insists
 *   QUIT             insists at once
 *   USR2             asks gently, however often it comes
 *
 * USR2 is what this program sends itself: two `worker-stop` at a time, or a service manager that signals supervisor and
 * workers alike, must not add up to an order to end the jobs.
 */
import { readFileSync } from "node:fs";
import { QueueError } from "../job/errors.ts";
import type { Announcement } from "../store/present.ts";

/** Calls the listener with the reason of the abort, at once where it was before. */
export function onAbort(signal: AbortSignal, listener: (by: string) => void): void {
  if (signal.aborted) listener(signal.reason as string);
  else signal.addEventListener("abort", () => listener(signal.reason as string), { once: true });
}

/** Lets others see that one is leaving. */
export async function tellOthers(announcement: Announcement): Promise<void> {
  try {
    await announcement.stopping();
  } catch (error) {
    // Others just do not see it; the leaving itself matters more.
    if (!(error instanceof QueueError)) throw error;
  }
}

export const WORKER_STOP = "worker-stop";

/**
 * Whoever ran this under `nohup` wants it to outlive the terminal. Asked when this file is loaded, before anyone announces
 * himself: run from source, proper-lockfile then brings along signal-exit, whose listeners hide what was set before.
 */
const HANGUP_IS_IGNORED = process.platform === "linux" && isIgnored(1, readFileSync("/proc/self/status", "utf8"));

export class StopRequest implements Disposable {
  readonly #gently = new AbortController();
  readonly #now = new AbortController();
  readonly #listeners: readonly (readonly [NodeJS.Signals, () => void])[];

  /** Listens to the signals of this process until disposed. */
  constructor() {
    const next = (signal: string): void => (this.gently.aborted ? this.insist(signal) : this.ask(signal));
    this.#listeners = [
      ["SIGINT", () => next("SIGINT")],
      ["SIGTERM", () => next("SIGTERM")],
      ["SIGHUP", () => (HANGUP_IS_IGNORED ? undefined : next("SIGHUP"))],
      ["SIGQUIT", () => this.insist("SIGQUIT")],
      ["SIGUSR2", () => this.ask(WORKER_STOP)],
    ];
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  /** Aborted from the first request on; its reason is who made it. */
  get gently(): AbortSignal {
    return this.#gently.signal;
  }

  /** Aborted when what runs is to be ended; its reason is who insisted. */
  get now(): AbortSignal {
    return this.#now.signal;
  }

  /** The stage that may come next. */
  get next(): AbortSignal {
    return this.gently.aborted ? this.now : this.gently;
  }

  ask(by: string): void {
    this.#gently.abort(by);
  }

  /** `now` before `gently`, so that whoever hears of the one can tell that it came with the other. */
  insist(by: string): void {
    this.#now.abort(by);
    this.ask(by);
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }
}

/** A supervisor holds the other end for its life, so its death, however sudden, is an end of file here. */
export function whenInputEnds(tell: () => void): Disposable {
  const reader = Bun.stdin.stream().getReader();
  let watching = true;
  const watch = async (): Promise<void> => {
    while (!(await reader.read()).done);
    if (watching) tell();
  };
  watch().catch(tell);
  return {
    [Symbol.dispose]() {
      watching = false;
      void reader.cancel();
    },
  };
}

function isIgnored(signal: number, status: string): boolean {
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${ignored}`) >> BigInt(signal - 1)) & 1n) === 1n;
}
