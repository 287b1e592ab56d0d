/**
 * `worker-stop`: asks whoever works on this store to leave, and waits until they have. It finds them by their presence,
 * never by a remembered pid, so it signals only what is known to be alive and theirs.
 */

import type { Present } from "../store/present.ts";
import type { Store } from "../store/store.ts";
import { pause } from "./pause.ts";

export interface StopReport {
  readonly stopped: readonly Present[];
  /** Alive, but on another host, in another container or another user's: they were not asked. */
  readonly unreachable: readonly Present[];
}

const LOOK_EVERY_MS = 20;
const WAITING_AFTER_MS = 300;

/**
 * Asks supervisors, and workers that have none; with `now`, what runs is ended and handed back. `onWaiting` is told once
 * who is still there if they do not leave at once. A job that calls this does not wait for its own worker, which waits
 * for the job.
 */
export async function stopWorkers(
  store: Store,
  options: { now: boolean; onWaiting: (left: Present[]) => void },
): Promise<StopReport> {
  const everyone = await store.present();
  const refused = everyone.filter((one) => one.reachable && isToBeAsked(one, everyone) && !ask(one, options.now));
  const unreachable = everyone.filter((one) => !one.reachable || belongsTo(one, refused));
  const stopped = everyone.filter((one) => !unreachable.includes(one));
  await waitUntilGone(
    store,
    stopped.filter((one) => !isOurs(one, store, everyone)),
    options.onWaiting,
  );
  return { stopped, unreachable };
}

/** A supervisor passes the request on to its workers. */
function isToBeAsked(one: Present, everyone: readonly Present[]): boolean {
  return one.kind === "supervisor" || !everyone.some((other) => other.id === one.supervisor && other.reachable);
}

/** False when it is another user's. Which signal means what: `stop-request.ts`. */
function ask(one: Present, now: boolean): boolean {
  if (one.stopping && !now) return true;
  try {
    return process.kill(one.pid, now ? "SIGQUIT" : "SIGUSR2");
  } catch (error) {
    // ESRCH: it left meanwhile.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function belongsTo(one: Present, supervisors: readonly Present[]): boolean {
  return supervisors.some((other) => other.id === one.id || other.id === one.supervisor);
}

/** The worker that runs the job that this very process is part of, and that worker's supervisor. */
function isOurs(one: Present, store: Store, everyone: readonly Present[]): boolean {
  if (Object.entries(store.mark).some(([name, value]) => process.env[name] !== value)) return false;
  const own = everyone.find(({ id }) => id === process.env.QUEUECTL_WORKER_ID);
  return own !== undefined && (own.id === one.id || own.supervisor === one.id);
}

async function waitUntilGone(
  store: Store,
  asked: readonly Present[],
  onWaiting: (left: Present[]) => void,
): Promise<void> {
  const patience = AbortSignal.timeout(WAITING_AFTER_MS);
  for (let told = false; ; ) {
    const present = await store.present();
    const left = present.filter((one) =>
      asked.some(({ id, startedAt }) => one.id === id && one.startedAt === startedAt),
    );
    if (left.length === 0) return;
    if (patience.aborted && !told) {
      onWaiting(left);
      told = true;
    }
    await pause(LOOK_EVERY_MS);
  }
}
