/**
 * The seam between the queue and what keeps it. `tests/store/contract.ts` is the meaning of this interface: every
 * implementation passes the same suite. The rules of a job's life are in `job/lifecycle.ts`; a store makes them atomic
 * and durable, and adds none.
 *
 * Every call may throw `QueueError` with `E_STORE_LOCKED`, `E_STORE_CORRUPT`, `E_STORE_VERSION` or `E_STORE_IO`; then
 * nothing was changed. Only of a database that fell silent just then, and stayed so, nobody can say whether it did what it
 * was asked: a caller that asks again finds out, for leases and ids are not given out twice.
 */
import type { Config, ConfigKey, ConfigSources } from "../config.ts";
import type { Alteration, Rule } from "../job/alteration.ts";
import type { JobEvent, LeaseLost } from "../job/event.ts";
import type { Glance } from "../job/foremost.ts";
import type { CompletedJob, DeadLetter, Entry, Job, JobState, Lease, PendingJob, ProcessingJob } from "../job/job.ts";
import type { AttemptEnd } from "../job/lifecycle.ts";
import type { QueueRule, QueueRuleChange, QueueStatus } from "../job/queue.ts";
import type { JobSpec } from "../job/spec.ts";
import type { AttemptLog, OpenAttemptLog, OpenLog } from "./attempt-log.ts";
import type { ChangedEntries } from "./changed-entries.ts";
import type { Item, Restored } from "./item.ts";
import type { Announced, Announcement, Lost, Present } from "./present.ts";
import type { ScheduleBook } from "./schedule-book.ts";

export interface EnqueueOptions {
  /**
   * What becomes of a spec whose id is taken, be it by an earlier spec of the same call; or whose key is, if it does not say
   * that itself.
   */
  readonly existing?: "refuse" | "skip";
}

export interface Enqueuing extends EnqueueOptions {
  /** Called when it is done, for each spec that was left out, with the id of the job that is there instead. */
  readonly onSkip?: (id: string) => void;
}

/** Who asks for jobs, and how many at most. */
export interface Claimant {
  readonly workerId: string;
  readonly limit: number;
  /** The queues whose jobs it takes; absent means all. */
  readonly queues?: readonly string[];
  /** The id of the one job that it takes, when the rule of its queue lets it; absent means any. */
  readonly only?: string;
  /**
   * The leases it has, those that it is just ending included. A claim of its own that is not among them, because it was
   * told of an error instead, is given to it once more.
   */
  readonly holds?: ReadonlySet<Lease>;
}

/** What one `settle` did. */
export interface Turn {
  /** One an end, in order: what became of each job. */
  readonly ended: readonly (JobEvent | LeaseLost)[];
  /** The jobs claimed, now this worker's to run. */
  readonly claimed: readonly ProcessingJob[];
  /**
   * When the next of the jobs that are left is due, in epoch ms; some time that has passed, if one is due already; absent
   * when none is. Jobs of queues that are paused, full or not asked for are not among them.
   */
  readonly nextDueAt?: number;
  /** When a schedule gives its next job; absent where there is none, and for who claims nothing. */
  readonly nextScheduleAt?: number;
}

export interface Counts {
  readonly pending: number;
  readonly processing: number;
  /** Those in the archive included. */
  readonly completed: number;
  readonly archived: number;
  readonly failed: number;
  readonly dead: number;
}

export interface PruneOptions {
  /** How many completed jobs stay in the queue. */
  readonly keep?: number;
  readonly dryRun?: boolean;
}

/** What was pruned, or would be; the bytes are those of the logs. */
export interface Pruned {
  readonly archived: number;
  readonly logs: number;
  readonly bytes: number;
}

/** Which changes are worth a wake-up: those that may give a worker something to do, or all of them. */
export type Wakes = "work" | "anything";

/** Wakes somebody after changes, until disposed. */
export interface Watching extends Disposable {
  /** True while nothing tells of changes, so that one has to look for them. */
  readonly isBlind?: boolean;
}

/** How another process of this program gets to the same store. */
export interface Address {
  /** On its command line. */
  readonly options: readonly string[];
  /** In its environment. No secret is among them: jobs have them, too. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface Store {
  /** Where it is, for people: a directory or an address. */
  readonly location: string;

  readonly address: Address;

  /** What the processes of its jobs have in their environment besides their lease, and those of another store have not. */
  readonly mark: Readonly<Record<string, string>>;

  readonly schedules: ScheduleBook;

  /** Throws where the store cannot be used, as far as that shows quickly: a large one need not be read for it. */
  probe(): Promise<void>;

  /**
   * Adds jobs, all or none, and returns them in order once they are durable. A spec without an id gets one.
   * Throws `E_JOB_EXISTS` when an id is in the queue or in the DLQ, or stands twice in `specs`; its `index` is that of the
   * first such spec. With `existing: "skip"` such specs are left out instead, and only the jobs that were added returned.
   * The same for a spec whose key an unfinished job has, or an earlier spec; but `if_exists` may say, too, that it takes the place
   * of that one if it is pending: then that one has failed, and those that waited for it wait for the new one.
   */
  enqueue(specs: readonly JobSpec[], options?: Enqueuing): Promise<PendingJob[]>;

  /**
   * Ends attempts, then claims due jobs (those that the ends set free, too), in one commit. An end whose lease is not the
   * job's current one changes nothing and comes back as `lease-lost`. Jobs are claimed by priority, then in the order
   * they were enqueued, as far as the rules of their queues allow: those that end in this call run no more. For who claims,
   * schedules whose time has come give their jobs first, each instant once, however many ask. Hooks of the jobs that have
   * ended (job/hook.ts) come in the same commit. Written at once, durable within a second: what a power cut takes is run again.
   */
  settle(ends: readonly AttemptEnd[], claimant?: Claimant): Promise<Turn>;

  /**
   * Does to the entries of these ids what the rule says, all or none, durably, and returns what was done; each id counts once.
   * Throws what the rule refuses. What a removed one printed goes, too, as far as it is on this machine or in the store.
   */
  alter(ids: readonly string[], rule: Rule): Promise<Alteration[]>;

  /**
   * Asks the worker of this attempt to end it, which may get lost: ask until the lease is the job's no more. Does nothing where
   * the worker is dead (see `lost`); false where it lives and cannot be asked from here.
   */
  askToEnd(job: ProcessingJob): Promise<boolean>;

  /** The job or dead letter of this id. Throws `E_JOB_NOT_FOUND`. */
  get(id: string): Promise<Entry>;

  /** The jobs and dead letters that have these ids, in any order; of an id that nothing has there is none. */
  entries(ids: readonly string[]): Promise<Entry[]>;

  /** Jobs in the order they were enqueued; all states when none is named. */
  list(state?: JobState): Promise<Job[]>;

  /** The jobs in the archive, a batch at a time, in the order in which they went there. */
  archived(): AsyncIterable<readonly CompletedJob[]>;

  /**
   * Moves completed jobs into the archive, all but those that were completed last, and removes the logs of jobs that are in
   * the queue no more. An archived job counts as completed and is no job any more: its id is free. What is left out of
   * `keep` is as the settings say; with `dryRun` nothing is changed. Durable.
   */
  prune(options?: PruneOptions): Promise<Pruned>;

  /** The DLQ, oldest first. */
  deadLetters(): Promise<DeadLetter[]>;

  counts(): Promise<Counts>;

  /** Of each kind so many at most, as of one moment. */
  glance(limit: number): Promise<Glance>;

  /** Every queue that has a rule, or a job that waits or runs. */
  queues(): Promise<QueueStatus[]>;

  /** Changes what holds for a queue, durably, from the next claim on, and returns it. `EVERY_QUEUE` stands for all of them. */
  setQueue(name: string, change: QueueRuleChange): Promise<QueueRule>;

  /** The settings in force: what is stored, under this process's overrides. Follows changes by others. */
  config(): Promise<Config>;

  /** What they are made of. */
  configSources(): Promise<ConfigSources>;

  /** Stores one setting, durably, or, when it is undefined, goes back to the default. The value is valid already. */
  setConfig<Key extends ConfigKey>(key: Key, value: Config[Key] | undefined): Promise<void>;

  /**
   * Gives everything away as of one moment, a batch at a time: the stored settings, the jobs in order, the DLQ, oldest first,
   * and the archive. Two stores that hold the same give the same. Ends early when `take` answers false.
   */
  dump(take: (items: readonly Item[]) => Promise<boolean>): Promise<void>;

  /**
   * Adds what another store gave away, in the same order, with states, attempts and times as they are; a processing job
   * gets a lease that nobody has. Durable. Throws `E_STORE_NOT_EMPTY` when there is a job, a dead letter or an archived job,
   * unless `existing` is "skip": then what has an id that is taken is left out, and so is a setting that is stored, and an
   * archived job of which there is an equal one. Throws `E_JOB_EXISTS` for an unfinished job whose key another one has. `read`, which may be called again, may throw: then a store that can
   * has added nothing; another has added a part, which a second call with "skip" completes.
   */
  restore(read: () => AsyncIterable<readonly Item[]>, options: Required<EnqueueOptions>): Promise<Restored>;

  /** Announces this process as a worker or supervisor until it withdraws or dies. */
  announce(as: Announced): Promise<Announcement>;

  /** Everyone alive. */
  present(): Promise<Present[]>;

  /**
   * Processing jobs whose worker is dead, by worker; also forgets dead ones that hold no job. A worker, which asks all the
   * time, says how many jobs it has itself: then a look may be spared where it would find nothing.
   */
  lost(holding?: number): Promise<Lost[]>;

  /** Whether the last look saw jobs besides these that could be lost, or cannot tell: else the next may come later. */
  mayLose(holding: number): boolean;

  /** Calls `wake` after anything (`of` interest, or all) may have changed, by this process too, until disposed. */
  changes(wake: () => void, of?: Wakes): Watching;

  /** Remembers from here on which entries change, for who tells what happens to them. */
  changed(): Promise<ChangedEntries>;

  /** Opens the file for the output of this attempt, which the last `settle` has claimed, or one for each stream (`split_logs`). */
  openLog(job: ProcessingJob): Promise<OpenAttemptLog>;

  /** As `openLog`, for a supervisor that is about to be started in the background. */
  openSupervisorLog(): Promise<OpenLog>;

  /** The files that hold the output of this job's attempts, oldest first, and of one that was split stdout before stderr. */
  logs(id: string): Promise<AttemptLog[]>;

  /** Leaves everything durable and, where it is small and nobody works on it, at rest. */
  close(): Promise<void>;
}
