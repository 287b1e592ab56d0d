/** Who works on a queue: how one announces himself, how others see him, and what the dead leave. */
import type { Lease, ProcessingJob } from "../job/job.ts";

/** A worker or supervisor that announced itself and is alive. */
export interface Present {
  readonly id: string;
  readonly kind: "worker" | "supervisor";
  readonly pid: number;
  readonly host: string;
  /** False on another host or in another container: it can be seen there, but not signaled from here. */
  readonly reachable: boolean;
  /** The supervisor of this worker, if one started it. */
  readonly supervisor?: string;
  /** The queues whose jobs it takes: none, if it takes one job alone; absent means all. */
  readonly queues?: readonly string[];
  readonly startedAt: number;
  readonly stopping: boolean;
}

/** One's own presence, withdrawn on disposal. */
export interface Announcement extends AsyncDisposable {
  /** `worker-<pid>` or `supervisor-<pid>`, with a suffix where that name is still in use by a dead one's jobs. */
  readonly id: string;
  /** Lets others see that it is leaving. */
  stopping(): Promise<void>;
  /** Whether others may take it for dead by now, as it could not be seen for too long: then it must run nothing. */
  isFenced(): boolean;
}

export interface Announced {
  readonly kind: Present["kind"];
  /** The supervisor of this worker, if one started it. */
  readonly supervisor?: string;
  readonly queues?: readonly string[] | undefined;
  /** Called whenever it becomes fenced: whatever it runs has to end at once. */
  readonly onFenced?: () => void;
  /** Called whenever somebody wants the attempt of this lease ended: it may be another's, or over. */
  readonly onAsked?: (lease: Lease) => void;
  /** Called when the store answers again after it did not: whoever waits for that need wait no longer. */
  readonly onAnswered?: () => void;
}

/** Jobs whose worker is dead. Their survivors must be ended before the jobs are settled as `worker-lost`. */
export interface Lost {
  readonly workerId: string;
  readonly jobs: readonly ProcessingJob[];
}
