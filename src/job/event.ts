import type { CompletedJob, DeadLetter, FailedJob, Lease, PendingJob, ProcessingJob } from "./job.ts";

/** What happened to a job. Stores record it, workers emit it, `output/` words it. */
export type JobEvent =
  | { readonly event: "enqueued"; readonly job: PendingJob }
  | { readonly event: "claimed"; readonly job: ProcessingJob }
  | { readonly event: "completed"; readonly job: CompletedJob }
  /** The attempt failed; the next one is due in `delayMs`. */
  | { readonly event: "rescheduled"; readonly job: PendingJob; readonly delayMs: number }
  /** As `rescheduled`, because the worker `from` died under the attempt. */
  | { readonly event: "rescued"; readonly job: PendingJob; readonly delayMs: number; readonly from: string }
  | { readonly event: "dead-lettered"; readonly job: DeadLetter }
  /** It ended without success, for a reason that is none to be retried: `last_error` says which. */
  | { readonly event: "failed"; readonly job: FailedJob }
  | { readonly event: "released"; readonly job: PendingJob }
  | { readonly event: "requeued"; readonly job: PendingJob };

/** The end of an attempt that no longer held its job: nothing changed. */
export interface LeaseLost {
  readonly event: "lease-lost";
  readonly id: string;
  readonly lease: Lease;
}

/** What happens around jobs while workers run: the log of `worker-start`, one line or a few each. */
export type WorkerEvent =
  | { readonly event: "starting"; readonly count: number }
  | { readonly event: "worker-started"; readonly number: number; readonly pid: number }
  /** A worker ended without being asked; its supervisor starts another after `restartInMs`. */
  | {
      readonly event: "worker-died";
      readonly number: number;
      readonly pid: number;
      readonly how: string;
      readonly restartInMs: number;
    }
  /** Asked to leave: claims no more; `running` jobs are still being finished, or with `now` being ended. */
  | { readonly event: "stopping"; readonly by: string; readonly running: number; readonly now: boolean }
  | { readonly event: "job"; readonly workerId: string; readonly change: JobEvent | LeaseLost }
  /** Before a rescue: `count` processes of the dead worker `from` that still ran for this job were ended. */
  | {
      readonly event: "survivors-ended";
      readonly workerId: string;
      readonly from: string;
      readonly id: string;
      readonly count: number;
    }
  /** It could not be seen for so long that others may take it for dead: its `running` jobs are being ended. */
  | { readonly event: "fenced"; readonly workerId: string; readonly running: number }
  /** The store could not be used just now; the worker goes on trying. */
  | {
      readonly event: "store-trouble";
      readonly workerId: string;
      readonly message: string;
      readonly retryInMs: number;
    };
