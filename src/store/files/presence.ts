/**
 * Who is alive. Each worker and supervisor keeps `workers/<id>.json` with its process identity, and beside it a sign of
 * life for as long as it lives. On the same boot and pid namespace that process itself is the proof: it runs or it does
 * not, and there is no lease that could run out under a slow job. Elsewhere (another host or container on the same
 * directory) the sign is.
 */
import type { ProcessingJob } from "../../job/job.ts";
import { createWhole, remove, replace } from "../local/durable.ts";
import { isRunning, self } from "../local/identity.ts";
import type { Announced, Announcement, Lost } from "../present.ts";
import { heedRequests, removeRequests, requestEnd } from "./end-request.ts";
import { type PresenceFile, presencePath, presencesIn, roster } from "./roster.ts";
import { giveSign, removeSign, type SignCheck } from "./sign-of-life.ts";

/** Announces this process under the first of `worker-12`, `worker-12-2`, … that nobody has and `isInUse` does not know. */
export async function announce(
  directory: string,
  as: Announced & { readonly now: number; readonly isInUse: (id: string) => boolean },
): Promise<Announcement> {
  for (let suffix = 1; ; suffix++) {
    const id = `${as.kind}-${process.pid}${suffix === 1 ? "" : `-${suffix}`}`;
    if (as.isInUse(id)) continue;
    const path = presencePath(directory, id);
    const file: PresenceFile = {
      id,
      kind: as.kind,
      ...(as.supervisor === undefined ? {} : { supervisor: as.supervisor }),
      ...(as.queues === undefined ? {} : { queues: as.queues }),
      ...self(),
      started_at: as.now,
    };
    // Given before it can be seen, so that no other host ever sees it without a sign of life.
    const sign = await giveSign(path);
    if (createWhole(path, [encode(file)])) {
      const requests = as.onAsked && heedRequests(directory, id, as.onAsked);
      return announcement(path, file, { sign, requests });
    }
    await sign[Symbol.asyncDispose]();
  }
}

/** The jobs of dead workers, by worker; whoever is dead and has none is forgotten. */
export function findLost(directory: string, isFresh: SignCheck, processing: () => Iterable<ProcessingJob>): Lost[] {
  const suspects = new Map(Array.from(processing(), ({ id, lease }) => [id, lease]));
  const { alive, dead } = roster(directory, isFresh);
  const living = new Set(alive.map(({ id }) => id));
  const jobs = new Map<string, ProcessingJob[]>();
  // Looked at once more, for a worker settles its jobs before it withdraws: it may have done both in between.
  for (const job of processing()) {
    if (suspects.get(job.id) !== job.lease || living.has(job.worker_id)) continue;
    jobs.set(job.worker_id, [...(jobs.get(job.worker_id) ?? []), job]);
  }
  for (const id of dead) if (!jobs.has(id)) forget(directory, id);
  removeRequests(directory, (id) => !living.has(id));
  return Array.from(jobs, ([workerId, lost]) => ({ workerId, jobs: lost }));
}

/** Has the worker of this attempt look at what is asked of it. False where it lives and cannot be asked from here. */
export function askToEnd(directory: string, { worker_id, lease }: ProcessingJob, isFresh: SignCheck): boolean {
  const worker = presencesIn(directory).find(({ id }) => id === worker_id);
  if (worker === undefined) return true;
  const runs = isRunning(worker);
  if (runs === undefined) return !isFresh(presencePath(directory, worker.id));
  return !runs || requestEnd(directory, worker, lease);
}

/** Removes what a dead one left. */
function forget(directory: string, id: string): void {
  const path = presencePath(directory, id);
  remove(path);
  removeSign(path);
}

function announcement(
  path: string,
  file: PresenceFile,
  { sign, requests }: { sign: AsyncDisposable; requests: Disposable | undefined },
): Announcement {
  return {
    id: file.id,
    stopping: async () => replace(path, encode({ ...file, stopping: true })),
    // Whoever can look for its process needs no sign of life from it.
    isFenced: () => false,
    async [Symbol.asyncDispose]() {
      remove(path);
      requests?.[Symbol.dispose]();
      await sign[Symbol.asyncDispose]();
    },
  };
}

function encode(file: PresenceFile): Uint8Array {
  return Buffer.from(`${JSON.stringify(file)}\n`);
}
