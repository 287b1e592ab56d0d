/**
 * Who is alive. Each worker and supervisor keeps `workers/<id>.json` with its process identity, and beside it a sign of
 * life for as long as it lives. On the same boot and pid namespace that process itself is the proof: it runs or it does
 * not, and there is no lease that could run out under a slow job. Elsewhere (another host or container on the same
 * directory) the sign is.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessingJob } from "../../job/job.ts";
import { createWhole, namesInTrusted, remove, replace } from "../local/durable.ts";
import { isRunning, type ProcessIdentity, self } from "../local/identity.ts";
import type { Announced, Announcement, Lost, Present } from "../present.ts";
import { heedRequests, removeRequests, requestEnd } from "./end-request.ts";
import { giveSign, removeSign, type SignCheck } from "./sign-of-life.ts";

interface PresenceFile extends ProcessIdentity {
  readonly id: string;
  readonly kind: Present["kind"];
  readonly supervisor?: string;
  readonly queues?: readonly string[];
  readonly started_at: number;
  readonly stopping?: true;
}

/** Announces this process under the first of `worker-12`, `worker-12-2`, … that nobody has and `isInUse` does not know. */
export async function announce(
  directory: string,
  as: Announced & { readonly now: number; readonly isInUse: (id: string) => boolean },
): Promise<Announcement> {
  for (let suffix = 1; ; suffix++) {
    const id = `${as.kind}-${process.pid}${suffix === 1 ? "" : `-${suffix}`}`;
    if (as.isInUse(id)) continue;
    const path = pathOf(directory, id);
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

/** Everyone who announced itself and did not withdraw: who is alive, and the ids of those who died. */
export function roster(directory: string, isFresh: SignCheck): { alive: Present[]; dead: string[] } {
  const files = readAll(directory);
  const alive = files.filter((file) => isRunning(file) ?? isFresh(pathOf(directory, file.id)));
  return {
    alive: alive.map(toPresent),
    dead: files.filter((file) => !alive.includes(file)).map(({ id }) => id),
  };
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
  const worker = readAll(directory).find(({ id }) => id === worker_id);
  if (worker === undefined) return true;
  const runs = isRunning(worker);
  if (runs === undefined) return !isFresh(pathOf(directory, worker.id));
  return !runs || requestEnd(directory, worker, lease);
}

/** Removes what a dead one left. */
function forget(directory: string, id: string): void {
  const path = pathOf(directory, id);
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

function readAll(directory: string): PresenceFile[] {
  return namesInTrusted(directory)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      try {
        const file = JSON.parse(readFileSync(join(directory, name), "utf8")) as PresenceFile;
        // Its id leads back to the file, to remove it: one that led elsewhere would remove what is there.
        return name === `${file.id}.json` ? [file] : [];
      } catch {
        // Withdrawn since, or not a presence at all: nobody who is alive.
        return [];
      }
    });
}

function toPresent(file: PresenceFile): Present {
  return {
    id: file.id,
    kind: file.kind,
    pid: file.pid,
    host: file.host,
    reachable: isRunning(file) !== undefined,
    ...(file.supervisor === undefined ? {} : { supervisor: file.supervisor }),
    ...(file.queues === undefined ? {} : { queues: file.queues }),
    startedAt: file.started_at,
    stopping: file.stopping === true,
  };
}

function pathOf(directory: string, id: string): string {
  return join(directory, `${id}.json`);
}

function encode(file: PresenceFile): Uint8Array {
  return Buffer.from(`${JSON.stringify(file)}\n`);
}
