/**
 * The store in a PostgreSQL database, for many machines. What may happen is decided by `job/lifecycle.ts`; what is written
 * is guarded by the lease and by the primary key of `jobs`, which holds everything that has an id, the DLQ too.
 */
import { type Config, type ConfigKey, type ConfigSources, DEFAULTS, resolveConfig, retryPolicy } from "../../config.ts";
import type { Alteration, Rule } from "../../job/alteration.ts";
import type { Glance } from "../../job/foremost.ts";
import type { CompletedJob, DeadLetter, Entry, Job, JobState, PendingJob, ProcessingJob } from "../../job/job.ts";
import { type AttemptEnd, mayRetry } from "../../job/lifecycle.ts";
import type { QueueRule, QueueRuleChange, QueueStatus } from "../../job/queue.ts";
import type { JobSpec } from "../../job/spec.ts";
import { jobsOf } from "../admission.ts";
import type { AttemptLog, OpenAttemptLog, OpenLog } from "../attempt-log.ts";
import type { Item, Restored } from "../item.ts";
import { LogDirectory } from "../local/log-directory.ts";
import type { Announced, Announcement, Lost, Present } from "../present.ts";
import type { Address, Claimant, Counts, Enqueuing, Pruned, PruneOptions, Store, Turn, Wakes } from "../store.ts";
import { alter } from "./alteration.ts";
import { enqueue } from "./arrival.ts";
import type { PostgresChangedEntries } from "./changed-entries.ts";
import type { Database } from "./database.ts";
import { attemptLogs } from "./output.ts";
import { PostgresSchedules } from "./postgres-schedules.ts";
import { Presence } from "./presence.ts";
import { changeQueue, readQueues } from "./queues.ts";
import { readArchive, readCounts, readDeadLetters, readEntries, readEntry, readGlance, readJobs } from "./reading.ts";
import { Retention } from "./retention.ts";
import { present, Watch } from "./roster.ts";
import { ServerClock } from "./server-clock.ts";
import { readSettings, writeSetting } from "./settings.ts";
import { dump, restore } from "./transfer.ts";
import { Turns } from "./turn.ts";
import { WakeUps } from "./wakes.ts";

export interface PostgresStoreOptions {
  /** Tells this queue from every other. */
  readonly queueId: string;
  readonly location: string;
  readonly address: Address;
  /** Of this machine. */
  readonly logs: string;
  /** How far the database's clock, which counts, is ahead of `now`; undefined where `now` itself counts. */
  readonly aheadMs: number | undefined;
  readonly now: () => number;
  readonly random: () => number;
  readonly elapsed: () => number;
  readonly warn: (sentence: string) => void;
  readonly overrides: Partial<Config>;
}

/** A worker that cannot reach the database says so soon, and tries on. */
const WORKERS_PATIENCE_MS = 1000;

export class PostgresStore implements Store {
  readonly schedules: PostgresSchedules;
  readonly location: string;
  readonly address: Address;
  readonly mark: Readonly<Record<string, string>>;
  readonly #database: Database;
  readonly #options: PostgresStoreOptions;
  readonly #logs: LogDirectory;
  readonly #turns: Turns;
  readonly #watch: Watch;
  readonly #wakeUps: WakeUps;
  readonly #retention: Retention;
  readonly #clock: ServerClock;
  #presence: Presence | undefined;

  /** On a schema that is up to date; the database is closed with it. */
  constructor(database: Database, options: PostgresStoreOptions) {
    const { location, address, queueId, logs, warn, elapsed } = options;
    this.location = location;
    this.address = address;
    this.mark = { QUEUECTL_QUEUE: queueId };
    this.#database = database;
    this.#options = options;
    this.#logs = new LogDirectory(logs);
    this.#turns = new Turns(database, options.overrides);
    this.#watch = new Watch(database, elapsed);
    this.#wakeUps = new WakeUps(database);
    this.#clock = new ServerClock(options);
    const [config, now] = [() => this.config(), () => this.#clock.now()];
    const maxRetries = async (): Promise<number> => (await config()).max_retries;
    this.schedules = new PostgresSchedules(database, { now, maxRetries });
    this.#retention = new Retention(database, { logs: this.#logs, config, now, warn });
  }

  async probe(): Promise<void> {
    await this.config();
  }

  async enqueue(specs: readonly JobSpec[], { existing = "refuse", onSkip }: Enqueuing = {}): Promise<PendingJob[]> {
    const { max_retries: maxRetries } = await this.config();
    const terms = { existing, maxRetries, now: this.#now(), random: this.#options.random };
    return jobsOf(await enqueue(this.#database, specs, terms), onSkip);
  }

  async settle(ends: readonly AttemptEnd[], claimant?: Claimant): Promise<Turn> {
    // A success needs no settings, and asking for them costs as much as the rest of it.
    const policy = retryPolicy(mayRetry(ends) ? await this.config() : DEFAULTS, this.#options.random);
    const isFenced = (): boolean => this.#presence?.isFenced() ?? false;
    if (claimant) await this.schedules.fire();
    const { ended, claimed, nextDueAt, nextScheduleAt } = await this.#turns.settle(ends, {
      claimant: claimant && { ...claimant, limit: isFenced() ? 0 : claimant.limit },
      now: this.#now(),
      policy,
    });
    this.schedules.learn(nextScheduleAt);
    const idle = ended.length === 0 && claimed.length === 0;
    if (!idle) this.#wakeUps.tellSoon();
    const completed = ended.filter(({ event }) => event === "completed").length;
    if (this.#presence) this.#retention.turned(completed, { idle });
    return {
      ended,
      // An answer may come too late: its claims count, and are given to this worker once more when it is seen again.
      claimed: isFenced() ? [] : claimed,
      ...(nextDueAt === undefined ? {} : { nextDueAt: this.#clock.here(nextDueAt) }),
      ...(nextScheduleAt === undefined ? {} : { nextScheduleAt: this.#clock.here(nextScheduleAt) }),
    };
  }

  async alter(ids: readonly string[], rule: Rule): Promise<Alteration[]> {
    return alter(this.#database, ids, { rule, now: this.#now(), logs: this.#logs, overrides: this.#options.overrides });
  }

  async askToEnd(job: ProcessingJob): Promise<boolean> {
    await this.#wakeUps.requestEnd(job);
    return true;
  }

  async get(id: string): Promise<Entry> {
    return readEntry(this.#database, id);
  }

  async entries(ids: readonly string[]): Promise<Entry[]> {
    return readEntries(this.#database, ids);
  }

  async list(state?: JobState): Promise<Job[]> {
    return readJobs(this.#database, state);
  }

  archived(): AsyncIterable<readonly CompletedJob[]> {
    return readArchive(this.#database);
  }

  async prune(options: PruneOptions = {}): Promise<Pruned> {
    return this.#retention.prune(options);
  }

  async deadLetters(): Promise<DeadLetter[]> {
    return readDeadLetters(this.#database);
  }

  async counts(): Promise<Counts> {
    return readCounts(this.#database);
  }

  async glance(limit: number): Promise<Glance> {
    return readGlance(this.#database, this.#now(), limit);
  }

  async queues(): Promise<QueueStatus[]> {
    return readQueues(this.#database);
  }

  async setQueue(name: string, change: QueueRuleChange): Promise<QueueRule> {
    return changeQueue(this.#database, name, change);
  }

  async config(): Promise<Config> {
    return resolveConfig(await readSettings(this.#database), this.#options.overrides);
  }

  async configSources(): Promise<ConfigSources> {
    return { stored: await readSettings(this.#database), overrides: this.#options.overrides, where: this.location };
  }

  setConfig<Key extends ConfigKey>(key: Key, value: Config[Key] | undefined): Promise<void> {
    return writeSetting(this.#database, key, value);
  }

  async dump(take: (items: readonly Item[]) => Promise<boolean>): Promise<void> {
    await dump(this.#database, take);
  }

  async restore(...[read, { existing }]: Parameters<Store["restore"]>): Promise<Restored> {
    return restore(this.#database, read, { existing, now: this.#now() });
  }

  async announce(as: Announced): Promise<Announcement> {
    this.#database.patienceMs = WORKERS_PATIENCE_MS;
    if (as.onAsked) this.#wakeUps.heedRequests(as.onAsked);
    const { elapsed, logs } = this.#options;
    const own = { now: () => this.#now(), elapsed, logs, onTime: this.#clock.told.bind(this.#clock) };
    const presence = await Presence.announce(this.#database, own, as);
    if (as.kind === "worker") this.#presence = presence;
    return presence;
  }

  async present(): Promise<Present[]> {
    return present(this.#database);
  }

  async lost(holding?: number): Promise<Lost[]> {
    const orphans = await this.#watch.findOrphans(holding);
    return orphans.map(({ workerId, jobs, logs }) => {
      if (logs) for (const job of jobs) this.#turns.leftBehind(job, logs);
      return { workerId, jobs };
    });
  }

  mayLose(): boolean {
    return true;
  }

  changes(wake: () => void, of: Wakes = "anything"): Disposable {
    return this.#wakeUps.subscribe({ wake, of });
  }

  async changed(): Promise<PostgresChangedEntries> {
    const { PostgresChangedEntries } = await import("./changed-entries.ts");
    return PostgresChangedEntries.begin(this.#database, this.#clock);
  }

  async openLog(job: ProcessingJob): Promise<OpenAttemptLog> {
    const log = this.#logs.open(job, { isSplit: this.#turns.splitsLogs });
    this.#turns.opened(job, log);
    return log;
  }

  async openSupervisorLog(): Promise<OpenLog> {
    return this.#logs.openSupervisorLog();
  }

  async logs(id: string): Promise<AttemptLog[]> {
    return attemptLogs(this.#database, this.#logs, id);
  }

  async close(): Promise<void> {
    await this.#retention.finish();
    await this.#wakeUps.tellNow();
    await this.#database[Symbol.asyncDispose]();
  }

  #now(): number {
    return this.#clock.now();
  }
}
