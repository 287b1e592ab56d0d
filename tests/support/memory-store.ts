/**
 * The store in its shortest form: maps in this process, and the rules of `job/lifecycle.ts` made atomic by having one
 * thread. It is the readable half of the contract, and what the differential test compares other stores with.
 */
import { openSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type Config, type ConfigKey, resolveConfig, retryPolicy } from "../../src/config.ts";
import { type Alteration, alterationsOf, type Rule } from "../../src/job/alteration.ts";
import { QueueError } from "../../src/job/errors.ts";
import type { JobEvent, LeaseLost } from "../../src/job/event.ts";
import {
  type CompletedJob,
  type DeadLetter,
  type Entry,
  isDeadLetter,
  type Job,
  type JobState,
  type Lease,
  type PendingJob,
  type ProcessingJob,
} from "../../src/job/job.ts";
import { type AttemptEnd, claim, enqueue, finish } from "../../src/job/lifecycle.ts";
import { portableArchived, portableDeadLetter, portableJob } from "../../src/job/portable.ts";
import type { JobSpec } from "../../src/job/spec.ts";
import type { Item, Restored } from "../../src/store/item.ts";
import type {
  Announced,
  Announcement,
  AttemptLog,
  Claimant,
  Counts,
  EnqueueOptions,
  Lost,
  OpenLog,
  Present,
  Pruned,
  PruneOptions,
  Store,
  Turn,
} from "../../src/store/store.ts";
import { ArchivedAlready, refuseUnlessEmpty, settingItems, Tallies } from "../../src/store/transfer.ts";

export interface MemoryStoreOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly overrides?: Partial<Config>;
  /** Where the output of attempts goes. */
  readonly logDirectory: string;
}

/** What handles on the same store share. A map keeps the order in which its keys came: that of enqueueing, and of death. */
class Memory {
  readonly jobs = new Map<string, Job>();
  readonly dead = new Map<string, DeadLetter>();
  readonly archive: CompletedJob[] = [];
  readonly stored: Partial<Record<ConfigKey, number>> = {};
  readonly announced = new Map<string, Present>();
  readonly killed = new Set<string>();
  readonly logs = new Map<string, AttemptLog[]>();
  readonly wakes = new Set<() => void>();
  readonly asked = new Set<(lease: Lease) => void>();
  /** Counts claims (leases) and generated ids: no two of them are equal. */
  sequence = 0;
}

export class MemoryStore implements Store {
  readonly location = "memory";
  readonly address = { options: [], variables: {} };
  readonly mark = {};
  readonly #options: MemoryStoreOptions;
  readonly #memory: Memory;

  /** `sameAs` makes this a second handle on the memory of another store. */
  constructor(options: MemoryStoreOptions, sameAs?: MemoryStore) {
    this.#options = options;
    this.#memory = sameAs ? sameAs.#memory : new Memory();
  }

  async probe(): Promise<void> {}

  async enqueue(specs: readonly JobSpec[], { existing = "refuse" }: EnqueueOptions = {}): Promise<PendingJob[]> {
    const { max_retries } = await this.config();
    const jobs = new Map<string, PendingJob>();
    for (const [index, spec] of specs.entries()) {
      const id = spec.id ?? this.#freshId();
      const isTaken = jobs.has(id) || this.#find(id) !== undefined;
      if (isTaken && existing === "refuse")
        throw new QueueError("E_JOB_EXISTS", `Job ${id} exists already.`, { index });
      if (!isTaken) jobs.set(id, enqueue({ ...spec, id }, max_retries, this.#options.now()));
    }
    for (const [id, job] of jobs) this.#memory.jobs.set(id, job);
    return this.#changed([...jobs.values()]);
  }

  async settle(ends: readonly AttemptEnd[], claimant?: Claimant): Promise<Turn> {
    const now = this.#options.now();
    const policy = retryPolicy(await this.config(), this.#options.random);
    const ended = ends.map((end) => this.#record(finish(this.#find(end.id), end, { now, policy })));
    const claimed = claimant ? this.#claim(claimant, now) : [];
    const dueTimes = this.#pending().map((job) => job.run_at);
    return this.#changed({ ended, claimed, ...(dueTimes.length > 0 ? { nextDueAt: Math.min(...dueTimes) } : {}) });
  }

  async alter(ids: readonly string[], rule: Rule): Promise<Alteration[]> {
    const done = alterationsOf(ids, rule, { now: this.#options.now(), entryOf: (id) => this.#find(id) });
    const { jobs, dead, logs } = this.#memory;
    for (const { event, job } of done) {
      if (event === "requeued" || event === "removed") {
        jobs.delete(job.id);
        dead.delete(job.id);
      }
      if (event === "removed") logs.delete(job.id);
      else if (isDeadLetter(job)) dead.set(job.id, job);
      else jobs.set(job.id, job);
    }
    return this.#changed(done);
  }

  async askToEnd({ lease }: ProcessingJob): Promise<boolean> {
    for (const asked of this.#memory.asked) asked(lease);
    return true;
  }

  async get(id: string): Promise<Entry> {
    const entry = this.#find(id);
    if (!entry) throw new QueueError("E_JOB_NOT_FOUND", `Job ${id} not found.`);
    return entry;
  }

  async list(state?: JobState): Promise<Job[]> {
    return [...this.#memory.jobs.values()].filter((job) => state === undefined || job.state === state);
  }

  async deadLetters(): Promise<DeadLetter[]> {
    return [...this.#memory.dead.values()];
  }

  async *archived(): AsyncIterable<readonly CompletedJob[]> {
    yield [...this.#memory.archive];
  }

  async prune({ keep, dryRun }: PruneOptions = {}): Promise<Pruned> {
    const { keep_completed } = await this.config();
    const completed = [...this.#memory.jobs.values()].filter(isCompleted).sort((a, b) => a.updated_at - b.updated_at);
    const leaving = completed.slice(0, Math.max(0, completed.length - (keep ?? keep_completed)));
    if (!dryRun) {
      for (const job of leaving) this.#memory.jobs.delete(job.id);
      this.#memory.archive.push(...leaving);
    }
    return { archived: leaving.length, logs: 0, bytes: 0 };
  }

  async counts(): Promise<Counts> {
    const archived = this.#memory.archive.length;
    const dead = this.#memory.dead.size;
    const counts = { pending: 0, processing: 0, completed: archived, archived, failed: 0, dead };
    for (const job of this.#memory.jobs.values()) counts[job.state]++;
    return counts;
  }

  async config(): Promise<Config> {
    return resolveConfig(this.#memory.stored, this.#options.overrides ?? {});
  }

  async setConfig(key: ConfigKey, value: number): Promise<void> {
    this.#memory.stored[key] = value;
    this.#changed(undefined);
  }

  async dump(take: (items: readonly Item[]) => Promise<boolean>): Promise<void> {
    const { stored, jobs, dead, archive } = this.#memory;
    await take([
      ...settingItems(stored),
      ...Array.from(jobs.values(), (job) => ({ job: portableJob(job) })),
      ...Array.from(dead.values(), (letter) => ({ dead_letter: portableDeadLetter(letter) })),
      ...archive.map((job) => ({ archived: portableArchived(job) })),
    ]);
  }

  async restore(read: () => AsyncIterable<readonly Item[]>, { existing }: Required<EnqueueOptions>): Promise<Restored> {
    if (existing === "refuse") refuseUnlessEmpty(this, await this.counts());
    const items = (await Array.fromAsync(read())).flat();
    const already = new ArchivedAlready();
    already.learn(this.#memory.archive);
    const tallies = new Tallies();
    for (const item of items) tallies.count(item, { isAdded: this.#restore(item, { existing, already }) });
    return this.#changed(tallies);
  }

  async announce({ kind, supervisor, onAsked = () => {} }: Announced): Promise<Announcement> {
    const { announced } = this.#memory;
    const name = `${kind}-${process.pid}`;
    let id = name;
    for (let n = 2; announced.has(id) || this.#jobsOf(id).length > 0; n++) id = `${name}-${n}`;
    const startedAt = this.#options.now();
    const present: Present = {
      ...{ id, kind, pid: process.pid, host: hostname(), reachable: true, startedAt, stopping: false },
      ...(supervisor === undefined ? {} : { supervisor }),
    };
    announced.set(id, present);
    this.#memory.asked.add(onAsked);
    this.#changed(undefined);
    return {
      id,
      stopping: async () => {
        this.#changed(announced.set(id, { ...present, stopping: true }));
      },
      isFenced: () => false,
      [Symbol.asyncDispose]: async () => {
        this.#memory.asked.delete(onAsked);
        this.#changed(announced.delete(id));
      },
    };
  }

  /** Makes an announced worker look as if it had been killed. */
  kill(workerId: string): void {
    this.#memory.killed.add(workerId);
  }

  async present(): Promise<Present[]> {
    return [...this.#memory.announced.values()].filter(({ id }) => !this.#memory.killed.has(id));
  }

  async lost(): Promise<Lost[]> {
    const { announced, killed } = this.#memory;
    for (const id of killed) {
      if (this.#jobsOf(id).length === 0 && killed.delete(id)) announced.delete(id);
    }
    const workers = new Set([...this.#memory.jobs.values()].flatMap((job) => (isRunning(job) ? [job.worker_id] : [])));
    return [...workers]
      .filter((workerId) => !announced.has(workerId) || killed.has(workerId))
      .map((workerId) => ({ workerId, jobs: this.#jobsOf(workerId) }));
  }

  changes(wake: () => void): Disposable {
    this.#memory.wakes.add(wake);
    return { [Symbol.dispose]: () => this.#memory.wakes.delete(wake) };
  }

  async openLog(job: ProcessingJob): Promise<OpenLog> {
    const path = join(this.#options.logDirectory, `${crypto.randomUUID()}.log`);
    this.#memory.logs.set(job.id, [...(await this.logs(job.id)), { attempt: job.attempts, path }]);
    return { path, fd: openSync(path, "a") };
  }

  async openSupervisorLog(): Promise<OpenLog> {
    const path = join(this.#options.logDirectory, "supervisor.log");
    return { path, fd: openSync(path, "a") };
  }

  async logs(id: string): Promise<AttemptLog[]> {
    return this.#memory.logs.get(id) ?? [];
  }

  async close(): Promise<void> {}

  /** Whether it was added. */
  #restore(item: Item, { existing, already }: Required<EnqueueOptions> & { already: ArchivedAlready }): boolean {
    const { stored, jobs, dead, archive } = this.#memory;
    if ("setting" in item) {
      const { key, value } = item.setting;
      if (existing === "skip" && stored[key] !== undefined) return false;
      stored[key] = value;
    } else if ("archived" in item) {
      if (already.take(item.archived)) return false;
      archive.push(item.archived);
    } else {
      const entry = "job" in item ? item.job : item.dead_letter;
      if (this.#find(entry.id)) return false;
      if (!("state" in entry)) dead.set(entry.id, entry);
      else jobs.set(entry.id, entry.state === "processing" ? { ...entry, lease: ++this.#memory.sequence } : entry);
    }
    return true;
  }

  #find(id: string): Entry | undefined {
    return this.#memory.jobs.get(id) ?? this.#memory.dead.get(id);
  }

  #freshId(): string {
    let id: string;
    do id = `job-${++this.#memory.sequence}`;
    while (this.#find(id));
    return id;
  }

  #record(change: JobEvent | LeaseLost): JobEvent | LeaseLost {
    if (change.event === "lease-lost") return change;
    if (change.event === "dead-lettered") {
      this.#memory.jobs.delete(change.job.id);
      this.#memory.dead.set(change.job.id, change.job);
    } else {
      this.#memory.jobs.set(change.job.id, change.job);
    }
    return change;
  }

  #claim({ workerId, limit, holds }: Claimant, now: number): ProcessingJob[] {
    const forgotten = holds
      ? this.#jobsOf(workerId)
          .filter(({ lease }) => !holds.has(lease))
          .slice(0, limit)
      : [];
    const due = this.#pending().filter((job) => job.run_at <= now);
    due.sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
    const claimed = due.slice(0, Math.max(0, limit - forgotten.length)).map((pending) => {
      const job = claim(pending, { workerId, lease: ++this.#memory.sequence }, now);
      this.#memory.jobs.set(job.id, job);
      return job;
    });
    return [...forgotten, ...claimed];
  }

  #pending(): PendingJob[] {
    return [...this.#memory.jobs.values()].filter((job) => job.state === "pending");
  }

  #jobsOf(workerId: string): ProcessingJob[] {
    return [...this.#memory.jobs.values()].filter(isRunning).filter((job) => job.worker_id === workerId);
  }

  #changed<T>(result: T): T {
    for (const wake of this.#memory.wakes) wake();
    return result;
  }
}

function isCompleted(job: Job): job is CompletedJob {
  return job.state === "completed";
}

function isRunning(job: Job): job is ProcessingJob {
  return job.state === "processing";
}
