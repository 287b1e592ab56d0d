/**
 * What commands say, apart from how it is said: a command hands over a `View`, the human or the JSON form renders it.
 * Results and the log of `worker-start` go to stdout, everything else to stderr.
 */
import type { Config, ConfigKey, ConfigValue, Origin } from "../config.ts";
import type { Alteration } from "../job/alteration.ts";
import type { QueueError } from "../job/errors.ts";
import type { WorkerEvent } from "../job/event.ts";
import type { DeadLetter, Entry, Job, JobState, PendingJob } from "../job/job.ts";
import type { QueueRule, QueueStatus } from "../job/queue.ts";
import type { Reason } from "../job/reason.ts";
import type { FieldName } from "../job/record-field.ts";
import type { JobResult } from "../job/result.ts";
import type { RunStats } from "../job/run-stats.ts";
import type { Schedule } from "../job/schedule.ts";
import type { Verdict } from "../selftest/torture.ts";
import type { AttemptLog, Stream } from "../store/attempt-log.ts";
import type { Examination, Mending } from "../store/doctor.ts";
import type { Restored, Tally } from "../store/item.ts";
import type { Migration } from "../store/migrator.ts";
import type { Present } from "../store/present.ts";
import type { Counts, Pruned } from "../store/store.ts";

/** A setting, or the store, and where its value comes from. */
export type TracedSetting = Origin & { readonly key: ConfigKey | "store"; readonly value: ConfigValue };

/** The result of a command, as data. The JSON shape of each kind is documented in `json.ts`. */
export type View =
  /** With `idAlone`, a pipe gets nothing but the id, as it is: for `id=$(queuectl enqueue -- make)`. */
  | { readonly view: "enqueued"; readonly job: PendingJob; readonly idAlone?: boolean }
  /** Nothing was enqueued, because a job or dead letter has this id. */
  /** The id is that of the job that is there instead. */
  | { readonly view: "skipped"; readonly id: string; readonly idAlone?: boolean }
  | {
      readonly view: "bulk-enqueued";
      readonly enqueued: number;
      readonly skipped: number;
      /** Nothing was: it is what would be. */
      readonly dryRun?: boolean;
    }
  | ({ readonly view: "jobs"; readonly jobs: readonly Job[]; readonly state: JobState | undefined } & Listing & {
        /** There may be others that are not meant. */
        readonly isPartial?: boolean;
      })
  | { readonly view: "dead-letters"; readonly dead: readonly DeadLetter[]; readonly now: number }
  | { readonly view: "status"; readonly counts: Counts; readonly workers: readonly Present[] }
  /** What was done to jobs and dead letters by hand, or would be. */
  | {
      readonly view: "altered";
      readonly done: readonly { readonly event: Alteration["event"]; readonly job: Entry }[];
      readonly dryRun: boolean;
    }
  | { readonly view: "queues"; readonly queues: readonly QueueStatus[] }
  /** What holds for a queue by now. */
  | { readonly view: "queue-changed"; readonly name: string; readonly rule: QueueRule }
  | { readonly view: "schedules"; readonly schedules: readonly Schedule[]; readonly now: number }
  | { readonly view: "schedule-added"; readonly schedule: Schedule; readonly now: number }
  | { readonly view: "schedule-removed"; readonly name: string }
  | { readonly view: "config"; readonly config: Config }
  | { readonly view: "setting"; readonly key: ConfigKey; readonly value: ConfigValue }
  | { readonly view: "setting-changed"; readonly key: ConfigKey; readonly value: ConfigValue; readonly unset?: boolean }
  /** An address without its password, or `files`. */
  | { readonly view: "store"; readonly store: string }
  | { readonly view: "store-changed"; readonly store: string; readonly unset?: boolean }
  | { readonly view: "origins"; readonly settings: readonly TracedSetting[] }
  | { readonly view: "entry"; readonly entry: Entry; readonly logs: readonly AttemptLog[]; readonly now: number }
  | ({ readonly view: "outcome" } & BatchOutcome)
  /** What the job printed has been shown already, but to programs. */
  | { readonly view: "executed"; readonly result: JobResult; readonly exitCode: number }
  | { readonly view: "stats"; readonly stats: RunStats }
  | { readonly view: "why"; readonly entry: Entry; readonly reason: Reason; readonly now: number }
  | {
      readonly view: "detached";
      readonly supervisor: Present;
      /** How many workers were asked for. */
      readonly count: number;
      readonly workers: readonly Present[];
      readonly log: string;
    }
  | { readonly view: "stopped"; readonly stopped: readonly Present[]; readonly unreachable: readonly Present[] }
  | { readonly view: "examination"; readonly location: string; readonly examination: Examination }
  | { readonly view: "mending"; readonly location: string; readonly mending: Mending | undefined }
  | { readonly view: "pruned"; readonly pruned: Pruned; readonly dryRun: boolean }
  | { readonly view: "exported"; readonly exported: Tally; readonly path: string; readonly sum: string }
  /** Of an import that was not made: what would come, less what is there already if it is to be merged. */
  | { readonly view: "import-checked"; readonly checked: Tally; readonly merge: boolean; readonly sum: string }
  | { readonly view: "imported"; readonly imported: Restored; readonly sum: string }
  | {
      readonly view: "migration";
      readonly location: string;
      /** What was applied, or would be. */
      readonly migrations: readonly Migration[];
      readonly dryRun: boolean;
    }
  | {
      readonly view: "verdict";
      readonly verdict: Verdict;
      readonly ms: number;
      /** Where everything lies, when a promise was broken. */
      readonly evidence: string | undefined;
    }
  /** To be read by a shell. */
  | { readonly view: "completion"; readonly shell: string; readonly script: string }
  | { readonly view: "version"; readonly version: string; readonly commit: string | undefined; readonly bun: string };

/** The end of what one attempt printed. */
export interface AttemptPrinted {
  readonly attempt: number;
  readonly text: string;
  /** What of it went to stderr, where that is known: then the text is what went to stdout. */
  readonly stderr?: string;
}

/** What became of jobs that somebody waited for. */
export interface BatchOutcome {
  readonly results: readonly JobResult[];
  /** Why the waiting ended. */
  readonly how: "all-ended" | "timed-out" | "interrupted" | "gave-up";
  /** How long it took. */
  readonly ms: number;
}

/** How jobs are listed. */
export interface Listing {
  readonly now: number;
  /** Only these fields of each. */
  readonly columns?: readonly FieldName[];
}

/** What a job printed, and to which of its streams, where they were split. */
export interface LogChunk {
  readonly bytes: Uint8Array;
  readonly stream?: Stream | undefined;
}

/** The output of one attempt, as it is read. */
export interface LogStream {
  readonly id: string;
  /** Null when there was no attempt yet. */
  readonly attempt: number | null;
  /** The files that it is in: none when the attempt printed nothing. With the host that one is on, when it cannot be read here. */
  readonly places: readonly LogPlace[];
  /** The only stream that was asked for: it is what is printed. */
  readonly only?: Stream | undefined;
  readonly chunks: AsyncIterable<LogChunk>;
  /** Bytes as they are even onto a terminal, which they may then steer. */
  readonly raw: boolean;
}

export interface LogPlace {
  readonly path: string;
  readonly stream?: Stream | undefined;
  readonly host?: string | undefined;
}

export interface Progress {
  readonly done: number;
  /** Undefined when nobody knows. */
  readonly of: number | undefined;
  /** What is told in words. */
  readonly text: string;
}

export interface Output {
  /** Prints the result of a command. Throws `E_OUTPUT` when stdout takes no more, unless its reader has left. */
  result(view: View): Promise<void>;
  /**
   * Prints what a job printed as it comes: byte for byte, but onto a terminal with control characters escaped unless it
   * is `raw`; what went to stderr of a job goes to stderr, unless nothing else was asked for. Returns how many bytes came.
   * Throws as `result`.
   */
  stream(log: LogStream): Promise<number>;
  /** Prints archived jobs as they come, however many there are. Throws as `result`. */
  jobs(batches: AsyncIterable<readonly Job[]>, listing: Listing): Promise<void>;
  /** Prints data that has a form of its own, as it is. False once nobody reads any more. Throws as `result`. */
  data(text: string): boolean;
  /** What happened while workers run, in one write. Never throws: a full disk under a log must not stop a worker. */
  event(...events: readonly WorkerEvent[]): void;
  /** How far long work has come, for people who watch; undefined when it has ended. */
  progress(state: Progress | undefined): void;
  /** Lines for people who read along, laid out already. In JSON there are none. */
  aside(lines: readonly string[]): void;
  /** Something worth knowing beside the result. */
  note(sentence: string): void;
  /** Something that may need a person's attention. */
  warn(sentence: string): void;
  /** Gives notes and warnings to `take` until disposed: for who draws on the terminal that they would be printed on. */
  divert(take: (sentence: string) => void): Disposable;
  error(error: QueueError): void;
  /** A bug: its stack, for a report. */
  bug(error: unknown): void;
}
