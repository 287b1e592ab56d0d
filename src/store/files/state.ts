/**
 * What the snapshots and the journal add up to, in memory: the jobs in the order they were enqueued, the DLQ, and the
 * indexes that keep a claim as cheap with a million jobs as with ten. It changes only by `apply`, which replays records
 * and knows no rules.
 *
 * The two heaps hold a ticket for each time a job became pending. A ticket whose job has moved on since is dropped when
 * it comes up, so nothing ever has to be searched for in them.
 */
import type { CompletedJob, DeadLetter, Entry, Job, PendingJob, ProcessingJob } from "../../job/job.ts";
import type { Counts } from "../store.ts";
import { type ArchiveRange, archivingOf, withRange } from "./archive.ts";
import type { JournalRecord } from "./commit.ts";
import { Heap } from "./heap.ts";

/** Which of the two files a record is to be applied to; one of them may be past it already. */
export interface Sides {
  readonly queue: boolean;
  readonly dlq: boolean;
}

/** One thing that became of a job. */
interface Version {
  readonly job: Job;
  /** Its place among all jobs, which a retry keeps. */
  readonly place: number;
}

/** A version to be claimed, as long as it is the job's current one. */
interface Ticket extends Version {
  readonly job: PendingJob;
}

const BOTH: Sides = { queue: true, dlq: true };

export class QueueState {
  readonly #jobs = new Map<string, Version>();
  readonly #dead = new Map<string, DeadLetter>();
  readonly #processing = new Map<string, ProcessingJob>();
  /** In the order in which they were completed, unless a job has come from elsewhere that was completed earlier. */
  readonly #completed = new Map<string, CompletedJob>();
  #completedLast = 0;
  #areCompletedInOrder = true;
  readonly #counts = { pending: 0, processing: 0, completed: 0, failed: 0 };
  readonly #ready = new Heap<Ticket>(byTurn);
  readonly #delayed = new Heap<Ticket>((a, b) => a.job.run_at - b.job.run_at || a.place - b.place);
  #archive: readonly ArchiveRange[];
  #places = 0;
  #dlqChanges = 0;

  constructor(jobs: readonly Job[], dead: readonly DeadLetter[], archive: readonly ArchiveRange[] = []) {
    this.#archive = archive;
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

  *jobs(): Iterable<Job> {
    for (const { job } of this.#jobs.values()) yield job;
  }

  /** All that are taken. */
  ids(): string[] {
    return [...this.#jobs.keys(), ...this.#dead.keys()];
  }

  deadLetters(): Iterable<DeadLetter> {
    return this.#dead.values();
  }

  get archive(): readonly ArchiveRange[] {
    return this.#archive;
  }

  /** How many completed jobs there are in the queue. */
  get completedCount(): number {
    return this.#completed.size;
  }

  /** Those of them that were completed first. */
  completedFirst(limit: number): CompletedJob[] {
    if (!this.#areCompletedInOrder) this.#sortCompleted();
    return Array.from(this.#completed.values().take(limit));
  }

  /** Goes up whenever a dead letter comes or goes. */
  get dlqChanges(): number {
    return this.#dlqChanges;
  }

  processing(): Iterable<ProcessingJob> {
    return this.#processing.values();
  }

  counts(): Counts {
    const archived = this.#archive.reduce((sum, { count }) => sum + count, 0);
    return { ...this.#counts, completed: this.#counts.completed + archived, archived, dead: this.#dead.size };
  }

  /**
   * The due jobs that come first, by priority and then by place; they stay pending until a record says otherwise.
   * `freed` are jobs in the queue that are about to become pending, and count as if they were.
   */
  due(now: number, limit: number, freed: readonly PendingJob[] = []): PendingJob[] {
    this.#ripen(now);
    const taken: Ticket[] = [];
    while (taken.length < limit) {
      const ticket = this.#ready.pop();
      if (!ticket) break;
      if (!this.#isCurrent(ticket)) continue;
      // The clock may have been set back since it came due.
      if (ticket.job.run_at <= now) taken.push(ticket);
      else this.#delayed.push(ticket);
    }
    for (const ticket of taken) this.#ready.push(ticket);
    const joining = freed
      .filter((job) => job.run_at <= now)
      .map((job) => ({ job, place: this.#jobs.get(job.id)?.place ?? this.#places }));
    return [...taken, ...joining]
      .sort(byTurn)
      .slice(0, limit)
      .map((ticket) => ticket.job);
  }

  /** When the earliest pending job is due: now or before, if one is due already. */
  nextDueAt(now: number): number | undefined {
    this.#ripen(now);
    for (const heap of [this.#ready, this.#delayed]) {
      for (let ticket = heap.peek(); ticket; ticket = heap.peek()) {
        if (this.#isCurrent(ticket)) return ticket.job.run_at;
        heap.pop();
      }
    }
    return undefined;
  }

  /** Replays one record. False when it does not fit: then the journal and the snapshots do not belong together. */
  apply(record: JournalRecord, sides: Sides = BOTH): boolean {
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
    if (to === "archive") {
      if (sides.queue) this.#moveToArchive(record);
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

  #moveToArchive(record: JournalRecord): void {
    const { range, ids } = archivingOf(record);
    for (const id of ids) this.#drop(id);
    this.#archive = withRange(this.#archive, range);
  }

  #put(job: Job): void {
    const before = this.#jobs.get(job.id);
    const version = { job, place: before?.place ?? this.#places++ };
    if (before) this.#counts[before.job.state] -= 1;
    this.#counts[job.state] += 1;
    this.#jobs.set(job.id, version);
    if (job.state === "processing") this.#processing.set(job.id, job);
    else this.#processing.delete(job.id);
    if (job.state === "completed") this.#putCompleted(job);
    else if (before?.job.state === "completed") this.#completed.delete(job.id);
    if (isTicket(version)) this.#heapOf(version).push(version);
  }

  #putCompleted(job: CompletedJob): void {
    this.#completed.set(job.id, job);
    this.#areCompletedInOrder &&= job.updated_at >= this.#completedLast;
    this.#completedLast = Math.max(this.#completedLast, job.updated_at);
  }

  #sortCompleted(): void {
    const completed = Array.from(this.#completed.values()).sort((a, b) => a.updated_at - b.updated_at);
    this.#completed.clear();
    for (const job of completed) this.#completed.set(job.id, job);
    this.#areCompletedInOrder = true;
  }

  /** What was due when it became pending is due: it need not be sorted by time first. */
  #heapOf({ job }: Ticket): Heap<Ticket> {
    return job.run_at <= job.updated_at ? this.#ready : this.#delayed;
  }

  #drop(id: string): void {
    const version = this.#jobs.get(id);
    if (!version) return;
    this.#counts[version.job.state] -= 1;
    this.#jobs.delete(id);
    this.#processing.delete(id);
    this.#completed.delete(id);
  }

  /** Moves what has come due from the heap by time to the heap by order. */
  #ripen(now: number): void {
    for (let ticket = this.#delayed.peek(); ticket && ticket.job.run_at <= now; ticket = this.#delayed.peek()) {
      this.#delayed.pop();
      if (this.#isCurrent(ticket)) this.#ready.push(ticket);
    }
  }

  #isCurrent(ticket: Ticket): boolean {
    return this.#jobs.get(ticket.job.id) === ticket;
  }
}

function isTicket(version: Version): version is Ticket {
  return version.job.state === "pending";
}

/** Who comes first among those that are due. */
function byTurn(a: Ticket, b: Ticket): number {
  return (b.job.priority ?? 0) - (a.job.priority ?? 0) || a.place - b.place;
}
