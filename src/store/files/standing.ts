/** What `queue.json` says in its head beside its jobs: where the archived jobs are, and what holds for queues. */
import type { QueueRules } from "../../job/queue.ts";
import { type ArchiveRange, isArchiveRange } from "./archive.ts";

export interface Standing {
  readonly archive: readonly ArchiveRange[];
  readonly queues: QueueRules;
}

export const NOTHING_STANDING: Standing = { archive: [], queues: {} };

/** As it is written; what is empty is left out. */
export function standingHead({ archive, queues }: Standing): Partial<Standing> {
  return {
    ...(archive.length > 0 ? { archive } : {}),
    ...(Object.keys(queues).length > 0 ? { queues } : {}),
  };
}

/** What a head says of it, as far as that can be. */
export function standingIn({ archive, queues }: Partial<Standing>): Standing {
  return {
    archive: Array.isArray(archive) ? archive.filter(isArchiveRange) : [],
    queues: typeof queues === "object" && queues !== null ? queues : {},
  };
}
