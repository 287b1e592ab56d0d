/**
 * What the snapshots and the journal add up to, in memory: the jobs in the order they were enqueued, the DLQ, and the
 * indexes that keep every call as cheap with a million jobs as with ten. It changes only by `apply`, which replays records
 * and knows no rules.
 */
import { type Glance, latestFailures, longestRunning } from "../../job/foremost.ts";
import type { CompletedJob, DeadLetter, Entry, FailedJob, Job, PendingJob, ProcessingJob } from "../../job/job.ts";
import type { UnfinishedJob } from "../../job/key.ts";
import { type QueueStatus, queueOf } from "../../job/queue.ts";
import { KeyHolders } from "../key-holders.ts";
import type { Counts } from "../store.ts";
import { archivingOf } from "./archive-range.ts";
import type { JournalRecord } from "./commit.ts";
import { CompletedJobs } from "./completed-jobs.ts";
import { type Asking, Lanes, type Ticket, type Version } from "./lanes.ts";
import { NOTHING_STANDING, queueStatuses, type Standing, standingAfter, withClaim } from "./standing.ts";
import { Waiters } from "./waiters.ts";

/** Which of the two files a record is to be applied to; one of them may be past it already. */
export interface Sides {
  readonly queue: boolean;
  readonly dlq: boolean;
}

const BOTH: Sides = { queue: true, dlq: true };

export class QueueState {
  readonly #jobs = new Map<string, Version>();
  readonly #dead = new Map<string, DeadLetter>();
  readonly #processing = new Map<string, ProcessingJob>();
  readonly #completed = new CompletedJobs();
  readonly #failed = new Map<string, FailedJob>();
  readonly #counts = { pending: 0, processing: 0, completed: 0, failed: 0 };
  readonly #lanes = new Lanes((ticket) => this.#jobs.get(ticket.job.id) === ticket);
  readonly #waiters = new Waiters();
  readonly #keys = new KeyHolders();
  #standing: Standing;
  readonly #watchers = new Set<(record: JournalRecord) => void>();
  #places = 0;
  #dlqChanges = 0;

  constructor(jobs: readonly Job[], dead: readonly DeadLetter[], standing: Standing = NOTHING_STANDING) {
    this.#standing = standing;
    for (const job of jobs) this.#put(job);
    for (const letter of dead) this.#dead.set(letter.id, letter);
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(id)?.job;
  }

  deadLetter(id: string): DeadLetter | undefined {
    return this.#dead.get(id);
  }

  /** Whatever has this id. */
  entry(id: string): Entry | undefined {
    return this.job(id) ?? this.deadLetter(id);
  }

  /** The jobs that wait for that of this id, in no order. */
  waitersOf(id: string): PendingJob[] {
    return this.#waiters.of(id).map((waiter) => this.job(waiter) as PendingJob);
  }

  /** The unfinished job that has this key. */
  keyHolder(key: string): UnfinishedJob | undefined {
    const id = this.#keys.of(key);
    return id === undefined ? undefined : (this.job(id) as UnfinishedJob);
  }

  *jobs(): Iterable<Job> {
    for (const { job } of this.#jobs.values()) yield job;
  }

  /**
   * The jobs as they are now, for whoever keeps them: a change replaces a version and leaves the one that it was. A million
   * take 10 ms, by way of `jobs` ten times as long.
   */
  versions(): readonly Version[] {
    return Array.from(this.#jobs.values());
  }

  /** All that are taken. */
  ids(): string[] {
    return [...this.#jobs.keys(), ...this.#dead.keys()];
  }

  deadLetters(): Iterable<DeadLetter> {
    return this.#dead.values();
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** How many completed jobs there are in the queue. */
  get completedCount(): number {
    return this.#completed.size;
  }

  /** Those of them that were completed first. */
  completedFirst(limit: number): CompletedJob[] {
    return this.#completed.first(limit);
  }

  /** Goes up whenever a dead letter comes or goes. */
  get dlqChanges(): number {
    return this.#dlqChanges;
  }

  processing(): Iterable<ProcessingJob> {
    return this.#processing.values();
  }

  glance(now: number, limit: number): Glance {
    return {
      processing: longestRunning(this.#processing.values(), limit),
      next: this.#lanes.next(now, limit),
      failures: latestFailures([...this.#failed.values(), ...this.#dead.values()], limit),
    };
  }

  counts(): Counts {
    const archived = this.#standing.archive.reduce((sum, { count }) => sum + count, 0);
    return { ...this.#counts, completed: this.#counts.completed + archived, archived, dead: this.#dead.size };
  }

  /** Every queue that has a rule, or a job that waits or runs. */
  queues(): QueueStatus[] {
    return queueStatuses(this.#lanes.counts(), this.#standing);
  }

  /**
   * The due jobs that come first on these terms; they stay pending until a record says otherwise. `leaving` are jobs that
   * run and what they are about to become: those that will be pending count as if they were.
   */
  due(asking: Omit<Asking, "standing">, leaving: ReadonlyMap<string, Entry> = new Map()): PendingJob[] {
    const running = Array.from(leaving.keys(), (id) => this.#processing.get(id)).filter((job) => job !== undefined);
    const freed = Array.from(leaving.values())
      .filter((entry): entry is PendingJob => "state" in entry && entry.state === "pending" && !entry.waits_for)
      .map((job): Ticket => ({ job, place: this.#jobs.get(job.id)?.place ?? this.#places }));
    const terms = { ...asking, standing: this.#standing };
    const changing = { freed, queues: running.map(queueOf) };
    if (asking.only === undefined) return this.#lanes.due(terms, changing);
    const ticket = freed.find(({ job }) => job.id === asking.only) ?? this.#ticket(asking.only);
    const isDue = ticket && asking.limit > 0 && ticket.job.run_at <= asking.now;
    return isDue && this.#lanes.admits(ticket, terms, changing) ? [ticket.job] : [];
  }

  /** When the earliest pending job is due that may be claimed on these terms: now or before, if one is due already. */
  nextDueAt(asking: Omit<Asking, "standing" | "limit">): number | undefined {
    const terms = { ...asking, standing: this.#standing };
    if (asking.only === undefined) return this.#lanes.nextDueAt(terms);
    const ticket = this.#ticket(asking.only);
    return ticket && this.#lanes.dueAt(ticket, terms);
  }

  /** When a schedule gives its next job. */
  nextScheduleAt(): number | undefined {
    const times = Object.values(this.#standing.schedules).map(({ next_at }) => next_at);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Calls `replaying` with each record before it is replayed, until disposed. */
  watch(replaying: (record: JournalRecord) => void): Disposable {
    this.#watchers.add(replaying);
    return { [Symbol.dispose]: () => this.#watchers.delete(replaying) };
  }

  /** Replays one record. False when it does not fit: then the journal and the snapshots do not belong together. */
  apply(record: JournalRecord, sides: Sides = BOTH): boolean {
    if (this.#watchers.size > 0) for (const replaying of this.#watchers) replaying(record);
    if (record.to !== undefined) return this.#move(record, sides);
    const before = this.#jobs.get(record.id)?.job;
    if (!sides.queue) return true;
    if (!before) return false;
    const after: Record<string, unknown> = { ...before };
    for (const [field, value] of Object.entries(record.set)) {
      if (value === null) delete after[field];
      else after[field] = value;
    }
    this.#put(after as unknown as Job);
    return true;
  }

  #move(record: JournalRecord, sides: Sides): boolean {
    const { id, to, set } = record;
    if (to === "archive" || to === "rules" || to === "schedules") {
      if (sides.queue && to === "archive") for (const job of archivingOf(record).ids) this.#drop(job);
      if (sides.queue) this.#standing = standingAfter(this.#standing, record);
      return true;
    }
    if (sides.queue) this.#drop(id);
    if (to === "queue" && sides.queue) this.#put(set as unknown as Job);
    if (sides.dlq && (to === "dlq" || this.#dead.has(id))) this.#dlqChanges += 1;
    // One that is there already keeps its place.
    if (to === "dlq" && sides.dlq) this.#dead.set(id, set as unknown as DeadLetter);
    else if (sides.dlq) this.#dead.delete(id);
    return true;
  }

  #put(job: Job): void {
    const before = this.#jobs.get(job.id);
    const version = { job, place: before?.place ?? this.#places++ };
    if (before?.job.state === "pending" && job.state === "processing") this.#standing = withClaim(this.#standing, job);
    if (before) this.#count(before.job, -1);
    this.#count(job, 1);
    this.#jobs.set(job.id, version);
    if (job.state === "processing") this.#processing.set(job.id, job);
    else this.#processing.delete(job.id);
    if (job.state === "failed") this.#failed.set(job.id, job);
    else if (before?.job.state === "failed") this.#failed.delete(job.id);
    if (job.state === "completed") this.#completed.set(job);
    else if (before?.job.state === "completed") this.#completed.delete(job.id);
    if (before?.job.state === "pending") this.#waiters.remove(before.job);
    if (job.state === "pending") this.#waiters.add(job);
    if (before) this.#keys.remove(before.job);
    this.#keys.add(job);
    if (isTicket(version)) this.#lanes.push(version);
  }

  #count(job: Job, by: 1 | -1): void {
    this.#counts[job.state] += by;
    this.#lanes.count(job, by);
  }

  /** Of a job that may be claimed as it is. */
  #ticket(id: string): Ticket | undefined {
    const version = this.#jobs.get(id);
    return version && isTicket(version) ? version : undefined;
  }

  #drop(id: string): void {
    const version = this.#jobs.get(id);
    if (!version) return;
    this.#count(version.job, -1);
    if (version.job.state === "pending") this.#waiters.remove(version.job);
    this.#keys.remove(version.job);
    this.#jobs.delete(id);
    this.#processing.delete(id);
    this.#completed.delete(id);
    this.#failed.delete(id);
  }
}

function isTicket(version: Version): version is Ticket {
  return version.job.state === "pending" && version.job.waits_for === undefined;
}
