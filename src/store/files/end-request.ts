/**
 * How a worker is asked, by another process of its machine, to end one of its attempts: an empty file in `workers/`, named
 * after the worker and the lease, and a signal that has it look there. Whoever reads a request removes it; one whose lease is
 * held no more means nothing, and one that got lost is made again by who waits for the end.
 *
 * The signal is URG: it ends nobody who does not listen to it, or not any more, and no terminal sends it. USR1 is Bun's own,
 * and USR2 asks the whole worker to leave.
 */
import { closeSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../../job/errors.ts";
import type { Lease } from "../../job/job.ts";
import { namesInTrusted, openToAppend, remove } from "../local/durable.ts";

const SIGNAL = "SIGURG";
const NAME = /^(.+)\.(\d+)\.end$/;

/** False when the worker is another user's. */
export function requestEnd(directory: string, worker: { id: string; pid: number }, lease: Lease): boolean {
  closeSync(openToAppend(join(directory, `${worker.id}.${lease}.end`)));
  try {
    return process.kill(worker.pid, SIGNAL);
  } catch (error) {
    // ESRCH: it left meanwhile.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Calls `onAsked` with the lease of every request to this worker, until disposed. */
export function heedRequests(directory: string, id: string, onAsked: (lease: Lease) => void): Disposable {
  const look = (): void => {
    try {
      for (const lease of removeRequests(directory, (worker) => worker === id)) onAsked(lease);
    } catch (error) {
      // The directory cannot be used just now. Who waits asks again.
      if (!(error instanceof QueueError)) throw error;
    }
  };
  process.on(SIGNAL, look);
  return {
    [Symbol.dispose]() {
      process.off(SIGNAL, look);
      removeRequests(directory, (worker) => worker === id);
    },
  };
}

/** Removes the requests to these workers, and returns the leases that they are about. */
export function removeRequests(directory: string, isTo: (workerId: string) => boolean): Lease[] {
  return namesInTrusted(directory).flatMap((name) => {
    const [, id, lease] = NAME.exec(name) ?? [];
    if (id === undefined || !isTo(id)) return [];
    remove(join(directory, name));
    return [Number(lease)];
  });
}
