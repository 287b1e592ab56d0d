/**
 * The store in its shortest form: maps in this process, and the rules of `job/lifecycle.ts` made atomic by having one
 * thread. It is the readable half of the contract, and what the differential test compares other stores with.
 */
import { openSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  type Config,
  type ConfigKey,
  type ConfigSources,
  hookPolicy,
  resolveConfig,
  retryPolicy,
} from "../../src/config.ts";
import { type Alteration, alterationsOf, lostBy, type Rule } from "../../src/job/alteration.ts";
import { type Arrival, consequences, refuseCircles, withDependencies } from "../../src/job/dependency.ts";
import { QueueError } from "../../src/job/errors.ts";
import type { JobEvent, LeaseLost } from "../../src/job/event.ts";
import type { Glance } from "../../src/job/foremost.ts";
import { latestFailures, longestRunning } from "../../src/job/foremost.ts";
import { hooksOf } from "../../src/job/hook.ts";
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
import { isUnfinished, replace, type UnfinishedJob } from "../../src/job/key.ts";
import { type AttemptEnd, claim, enqueue, finish } from "../../src/job/lifecycle.ts";
import { portableArchived, portableDeadLetter, portableJob } from "../../src/job/portable.ts";
import {
  type ClaimOf,
  changedRule,
  opensAt,
  type QueueRule,
  type QueueRuleChange,
  type QueueStatus,
  queueOf,
  roomIn,
} from "../../src/job/queue.ts";
import { withBeginning } from "../../src/job/rate.ts";
import { fire, type Schedule } from "../../src/job/schedule.ts";
import type { JobSpec } from "../../src/job/spec.ts";
import type { AttemptLog, OpenAttemptLog, OpenLog, Stream } from "../../src/store/attempt-log.ts";
import type { ChangedEntries } from "../../src/store/changed-entries.ts";
import type { Item, Restored } from "../../src/store/item.ts";
import type { Announced, Announcement, Lost, Present } from "../../src/store/present.ts";
import { byName, type ScheduleBook, scheduleExists, scheduleNotFound } from "../../src/store/schedule-book.ts";
import type {
  Claimant,
  Counts,
  EnqueueOptions,
  Enqueuing,
  Pruned,
  PruneOptions,
  Store,
  Turn,
} from "../../src/store/store.ts";
import {
  ArchivedAlready,
  queueItems,
  refuseSecondHolder,
  refuseUnlessEmpty,
  scheduleItems,
  settingItems,
  Tallies,
} from "../../src/store/transfer.ts";

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
  readonly stored: { -readonly [Key in ConfigKey]?: Config[Key] } = {};
  readonly rules: Record<string, QueueRule> = {};
  readonly begun = new Map<string, number[]>();
  readonly schedules = new Map<string, Schedule>();
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
  readonly schedules: ScheduleBook = {
    list: async () => byName(this.#memory.schedules.values()),
    add: async (schedule, { existing = "refuse" } = {}) => {
      const { schedules } = this.#memory;
      if (existing === "refuse" && schedules.has(schedule.name)) throw scheduleExists(schedule.name);
      this.#changed(schedules.set(schedule.name, schedule));
    },
    remove: async (name) => {
      if (!this.#changed(this.#memory.schedules.delete(name))) throw scheduleNotFound(name);
    },
  };

  /** `sameAs` makes this a second handle on the memory of another store. */
  constructor(options: MemoryStoreOptions, sameAs?: MemoryStore) {
    this.#options = options;
    this.#memory = sameAs ? sameAs.#memory : new Memory();
  }

  async probe(): Promise<void> {}

  async enqueue(specs: readonly JobSpec[], { existing = "refuse", onSkip }: Enqueuing = {}): Promise<PendingJob[]> {
    const { max_retries } = await this.config();
    const jobs = new Map<string, Arrival>();
    const taken = new Set<string>();
    const replaced = new Map<string, PendingJob>();
    const skipped: string[] = [];
    for (const [index, spec] of specs.entries()) {
      const id = spec.id ?? this.#freshId();
      const isTaken = taken.has(id) || this.#find(id) !== undefined;
      const coming = Array.from(jobs.values(), ({ job }) => job);
      const holder = [...coming, ...this.#memory.jobs.values()].find(
        (job) => spec.key !== undefined && job.key === spec.key && isUnfinished(job) && !replaced.has(job.id),
      );
      const policy = isTaken ? existing : (spec.if_exists ?? (existing === "skip" ? "skip" : "fail"));
      const isReplaced = !isTaken && holder?.state === "pending" && policy === "replace";
      if ((isTaken || holder) && !isReplaced) {
        if (policy !== "skip") throw new QueueError("E_JOB_EXISTS", `Job ${id} exists already.`, { index });
        skipped.push(isTaken ? id : (holder?.id ?? ""));
        continue;
      }
      if (isReplaced && !jobs.delete(holder.id)) replaced.set(holder.id, holder);
      taken.add(id);
      jobs.set(id, { job: enqueue({ ...spec, id }, max_retries, this.#options.now()), index });
    }
    const added = this.#replace([...replaced.values()], [...jobs.values()]);
    for (const job of added) this.#memory.jobs.set(job.id, job);
    for (const id of skipped) onSkip?.(id);
    return this.#changed(added);
  }

  async settle(ends: readonly AttemptEnd[], claimant?: Claimant): Promise<Turn> {
    const now = this.#options.now();
    if (claimant) this.#fire();
    const config = await this.config();
    const policy = retryPolicy(config, this.#options.random);
    const ended = ends.map((end) => this.#record(finish(this.#find(end.id), end, { now, policy })));
    const failed = this.#tellWaiters(ended, now);
    this.#fireHooks([...ended.flatMap((change) => ("job" in change ? [change.job] : [])), ...failed], config);
    const claimed = claimant ? this.#claim(claimant, now) : [];
    const pending = this.#pending().filter((job) => job.id === (claimant?.only ?? job.id));
    const named = [...new Set(pending.map(queueOf))];
    const dueTimes = named.flatMap((queue) => {
      const opens = opensAt(queue, this.#memory.rules, this.#claimOf(queue, claimant?.queues));
      const due = pending.filter((job) => queueOf(job) === queue).map((job) => job.run_at);
      return opens === undefined ? [] : [Math.max(opens, Math.min(...due))];
    });
    const times = [...this.#memory.schedules.values()].map(({ next_at }) => next_at);
    return this.#changed({
      ended,
      claimed,
      ...(dueTimes.length > 0 ? { nextDueAt: Math.min(...dueTimes) } : {}),
      ...(times.length > 0 ? { nextScheduleAt: Math.min(...times) } : {}),
    });
  }

  async alter(ids: readonly string[], rule: Rule): Promise<Alteration[]> {
    const now = this.#options.now();
    const done = alterationsOf(ids, rule, {
      now,
      entryOf: (id) => this.#find(id),
      keyHolder: (key) =>
        [...this.#memory.jobs.values()].find((job): job is UnfinishedJob => job.key === key && isUnfinished(job)),
    });
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
    const failed = done.flatMap(({ event, job }) => (event === "failed" ? [job] : []));
    this.#fireHooks([...failed, ...this.#tellWaitersOf(lostBy(done, now), now)], await this.config());
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

  async entries(ids: readonly string[]): Promise<Entry[]> {
    return ids.map((id) => this.#find(id)).filter((entry) => entry !== undefined);
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

  async glance(limit: number): Promise<Glance> {
    const jobs = [...this.#memory.jobs.values()];
    const now = this.#options.now();
    const free = this.#pending();
    const due = free.filter(({ run_at }) => run_at <= now).sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
    const later = free.filter(({ run_at }) => run_at > now).sort((a, b) => a.run_at - b.run_at);
    return {
      processing: longestRunning(
        jobs.filter((job) => job.state === "processing"),
        limit,
      ),
      next: [...due, ...later].slice(0, limit),
      failures: latestFailures([...jobs.filter((job) => job.state === "failed"), ...this.#memory.dead.values()], limit),
    };
  }

  async queues(): Promise<QueueStatus[]> {
    const { jobs, rules } = this.#memory;
    const unfinished = [...jobs.values()].filter(({ state }) => state === "pending" || state === "processing");
    const names = new Set([...Object.keys(rules), ...unfinished.map(queueOf)]);
    return [...names].map((name) => {
      const count = (state: string): number =>
        unfinished.filter((job) => job.state === state && queueOf(job) === name).length;
      const waiting = unfinished.filter((job) => queueOf(job) === name && isWaiting(job)).length;
      const begun = rules[name]?.rate && { begun: this.#memory.begun.get(name) ?? [] };
      return { name, pending: count("pending"), waiting, processing: count("processing"), ...rules[name], ...begun };
    });
  }

  async setQueue(name: string, change: QueueRuleChange): Promise<QueueRule> {
    const { rules } = this.#memory;
    const rule = changedRule(rules[name], change);
    rules[name] = rule;
    if (rule.rate === undefined) this.#memory.begun.delete(name);
    if (Object.keys(rule).length === 0) delete rules[name];
    return this.#changed(rule);
  }

  #fire(): void {
    const { schedules, jobs } = this.#memory;
    const now = this.#options.now();
    const { max_retries: maxRetries } = resolveConfig(this.#memory.stored, this.#options.overrides ?? {});
    for (const before of schedules.values()) {
      if (before.next_at > now) continue;
      const { schedule, jobs: fired } = fire(before, { now, maxRetries, holderOf: (id) => this.#find(id) });
      for (const job of fired) jobs.set(job.id, job);
      schedules.set(schedule.name, schedule);
    }
  }

  async config(): Promise<Config> {
    return resolveConfig(this.#memory.stored, this.#options.overrides ?? {});
  }

  async configSources(): Promise<ConfigSources> {
    return { stored: this.#memory.stored, overrides: this.#options.overrides ?? {}, where: this.location };
  }

  async setConfig<Key extends ConfigKey>(key: Key, value: Config[Key] | undefined): Promise<void> {
    if (value === undefined) delete this.#memory.stored[key];
    else this.#memory.stored[key] = value;
    this.#changed(undefined);
  }

  async dump(take: (items: readonly Item[]) => Promise<boolean>): Promise<void> {
    const { stored, rules, jobs, dead, archive } = this.#memory;
    await take([
      ...settingItems(stored),
      ...queueItems(rules),
      ...scheduleItems(this.#memory.schedules.values()),
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

  async announce({ kind, supervisor, queues, onAsked = () => {} }: Announced): Promise<Announcement> {
    const { announced } = this.#memory;
    const name = `${kind}-${process.pid}`;
    let id = name;
    for (let n = 2; announced.has(id) || this.#jobsOf(id).length > 0; n++) id = `${name}-${n}`;
    const startedAt = this.#options.now();
    const present: Present = {
      ...{ id, kind, pid: process.pid, host: hostname(), reachable: true, startedAt, stopping: false },
      ...(supervisor === undefined ? {} : { supervisor }),
      ...(queues === undefined ? {} : { queues }),
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
    const workers = new Set(this.#running().map(({ worker_id }) => worker_id));
    return [...workers]
      .filter((workerId) => !announced.has(workerId) || killed.has(workerId))
      .map((workerId) => ({ workerId, jobs: this.#jobsOf(workerId) }));
  }

  mayLose(holding: number): boolean {
    return this.#running().length > holding;
  }

  changes(wake: () => void): Disposable {
    this.#memory.wakes.add(wake);
    return { [Symbol.dispose]: () => this.#memory.wakes.delete(wake) };
  }

  async changed(): Promise<ChangedEntries> {
    const everything = (): Set<Entry> => {
      const { jobs, dead, archive } = this.#memory;
      return new Set([...jobs.values(), ...dead.values(), ...archive]);
    };
    let before = everything();
    return {
      take: async () => {
        const now = everything();
        const entries = [...now.difference(before)];
        before = now;
        return { entries, at: this.#options.now() };
      },
      [Symbol.dispose]: () => {},
    };
  }

  async openLog(job: ProcessingJob): Promise<OpenAttemptLog> {
    const open = async (stream?: Stream): Promise<OpenLog> => {
      const path = join(this.#options.logDirectory, `${crypto.randomUUID()}.log`);
      const log = { attempt: job.attempts, lease: job.lease, ...(stream && { stream }), path };
      this.#memory.logs.set(job.id, [...(await this.logs(job.id)), log]);
      return { path, fd: openSync(path, "a") };
    };
    if (!(await this.config()).split_logs) return open();
    return { ...(await open("stdout")), stderr: await open("stderr") };
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
    const { stored, rules, jobs, dead, archive } = this.#memory;
    if ("queue" in item) {
      const { name, ...rule } = item.queue;
      if (existing === "skip" && rules[name] !== undefined) return false;
      rules[name] = rule;
    } else if ("schedule" in item) {
      const { schedules } = this.#memory;
      if (existing === "skip" && schedules.has(item.schedule.name)) return false;
      schedules.set(item.schedule.name, item.schedule);
    } else if ("setting" in item) {
      const { key, value } = item.setting;
      if (existing === "skip" && stored[key] !== undefined) return false;
      Object.assign(stored, { [key]: value });
    } else if ("archived" in item) {
      if (already.take(item.archived)) return false;
      archive.push(item.archived);
    } else {
      const entry = "job" in item ? item.job : item.dead_letter;
      if (this.#find(entry.id)) return false;
      refuseSecondHolder(entry, (key) => [...jobs.values()].find((job) => isUnfinished(job) && job.key === key)?.id);
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

  #claim({ workerId, limit, queues, only, holds }: Claimant, now: number): ProcessingJob[] {
    const forgotten = holds
      ? this.#jobsOf(workerId)
          .filter(({ lease }) => !holds.has(lease))
          .slice(0, limit)
      : [];
    const due = this.#pending().filter((job) => job.run_at <= now && job.id === (only ?? job.id));
    due.sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
    const claimed: ProcessingJob[] = [];
    for (const pending of due) {
      if (claimed.length >= limit - forgotten.length) break;
      if (this.#room(queueOf(pending), queues) === 0) continue;
      const job = claim(pending, { workerId, lease: ++this.#memory.sequence }, now);
      this.#memory.jobs.set(job.id, job);
      claimed.push(job);
      const queue = queueOf(job);
      const { rate } = this.#memory.rules[queue] ?? {};
      const before = this.#memory.begun.get(queue) ?? [];
      if (rate !== undefined) this.#memory.begun.set(queue, withBeginning(rate, before, now));
    }
    return [...forgotten, ...claimed];
  }

  #room(queue: string, served: readonly string[] | undefined): number {
    return roomIn(queue, this.#memory.rules, this.#claimOf(queue, served));
  }

  #claimOf(queue: string, served: readonly string[] | undefined): ClaimOf {
    const { jobs, begun } = this.#memory;
    const running = [...jobs.values()].filter((job) => isRunning(job) && queueOf(job) === queue).length;
    return { now: this.#options.now(), running, begun: begun.get(queue) ?? [], served };
  }

  #pending(): PendingJob[] {
    return [...this.#memory.jobs.values()].filter((job) => job.state === "pending" && !isWaiting(job));
  }

  #fireHooks(ended: readonly Entry[], config: Config): void {
    const policy = hookPolicy(config);
    if (!policy) return;
    const isTaken = (id: string): boolean => this.#find(id) !== undefined;
    const hooks = hooksOf(ended, { now: this.#options.now(), policy, isTaken });
    for (const hook of hooks) this.#memory.jobs.set(hook.id, hook);
  }

  /** Has new jobs take the place of others, and returns them with what they wait for. */
  #replace(replaced: readonly PendingJob[], arrivals: readonly Arrival[]): PendingJob[] {
    const replacements = arrivals.flatMap(({ job: by }) => {
      const old = replaced.find(({ key }) => key === by.key);
      return old ? [{ old, by }] : [];
    });
    const changes = replace(replacements, (id) => this.#waitersOf(id), this.#options.now());
    const all = new Map([...this.#memory.jobs, ...changes.map(({ after }) => [after.id, after] as const)]);
    const jobs = withDependencies(arrivals, (id) => all.get(id) ?? this.#find(id));
    const pending = [...all.values()].filter((job) => job.state === "pending");
    const waiting = jobs.map((job, n) => ({ job, index: arrivals[n]?.index ?? 0 }));
    if (replacements.length > 0) refuseCircles(waiting, pending);
    for (const { after } of changes) this.#memory.jobs.set(after.id, after);
    return jobs;
  }

  #waitersOf(id: string): PendingJob[] {
    return [...this.#memory.jobs.values()].filter(isWaiting).filter((job) => job.waits_for?.includes(id));
  }

  #tellWaiters(ended: readonly (JobEvent | LeaseLost)[], now: number): Entry[] {
    const entries = ended.flatMap((change) => ("job" in change ? [change.job] : []));
    return this.#tellWaitersOf(entries, now);
  }

  #tellWaitersOf(entries: readonly Entry[], now: number): Entry[] {
    return consequences(entries, (id) => this.#waitersOf(id), now).map(({ after }) => {
      this.#memory.jobs.set(after.id, after);
      return after;
    });
  }

  #jobsOf(workerId: string): ProcessingJob[] {
    return this.#running().filter((job) => job.worker_id === workerId);
  }

  #running(): ProcessingJob[] {
    return [...this.#memory.jobs.values()].filter(isRunning);
  }

  #changed<T>(result: T): T {
    for (const wake of this.#memory.wakes) wake();
    return result;
  }
}

function isCompleted(job: Job): job is CompletedJob {
  return job.state === "completed";
}

function isWaiting(job: Job): job is PendingJob {
  return job.state === "pending" && job.waits_for !== undefined;
}

function isRunning(job: Job): job is ProcessingJob {
  return job.state === "processing";
}
