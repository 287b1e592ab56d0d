/**
 * The pending jobs of each queue in the order in which they are claimed, and how many of it wait and run: what keeps a
 * claim as cheap with a million jobs as with ten.
 *
 * The two heaps of a lane hold a ticket for each time a job became pending. A ticket whose job has moved on since is
 * dropped when it comes up, so nothing ever has to be searched for in them.
 */
import type { Job, PendingJob } from "../../job/job.ts";
import { type ClaimOf, opensAt, type QueueStatus, queueOf, roomIn } from "../../job/queue.ts";
import { Heap } from "./heap.ts";
import type { Standing } from "./standing.ts";

/** One thing that became of a job. */
export interface Version {
  readonly job: Job;
  /** Its place among all jobs, which a retry keeps. */
  readonly place: number;
}

/** A version to be claimed, as long as it is the job's current one. */
export interface Ticket extends Version {
  readonly job: PendingJob;
}

/** Who asks for jobs, and on which terms. */
export interface Asking {
  readonly now: number;
  readonly limit: number;
  /** What holds for queues, and what was begun of them. */
  readonly standing: Pick<Standing, "queues" | "begun">;
  /** The queues that are asked for; all where none is named. */
  readonly served?: readonly string[] | undefined;
  /** The one job that is asked for; any where none is named. */
  readonly only?: string | undefined;
}

/** What is about to change with the very commit that claims. */
export interface Leaving {
  /** About to be pending, and to be claimed as if they were. */
  readonly freed: readonly Ticket[];
  /** The queues of all jobs that are running and about to stop. */
  readonly queues: readonly string[];
}

interface Lane {
  readonly ready: Heap<Ticket>;
  readonly delayed: Heap<Ticket>;
  readonly count: { pending: number; waiting: number; processing: number };
}

const NOTHING_LEAVING: Leaving = { freed: [], queues: [] };

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #isCurrent: (ticket: Ticket) => boolean;

  constructor(isCurrent: (ticket: Ticket) => boolean) {
    this.#isCurrent = isCurrent;
  }

  /** What was due when it became pending is due: it need not be sorted by time first. */
  push(ticket: Ticket): void {
    const { ready, delayed } = this.#laneOf(ticket.job);
    const { run_at, updated_at } = ticket.job;
    (run_at <= updated_at ? ready : delayed).push(ticket);
  }

  /** Counts a job that comes into a state (`by` 1) or leaves it (-1). */
  count(job: Job, by: 1 | -1): void {
    if (job.state !== "pending" && job.state !== "processing") return;
    const { count } = this.#laneOf(job);
    count[job.state] += by;
    if (job.state === "pending" && job.waits_for) count.waiting += by;
  }

  /** How many jobs wait and run, by queue. */
  *counts(): Iterable<QueueStatus> {
    for (const [name, { count }] of this.#lanes) yield { name, ...count };
  }

  /** The due jobs that come first, by priority and then by place; they stay pending until a record says otherwise. */
  due(asking: Asking, leaving: Leaving = NOTHING_LEAVING): PendingJob[] {
    const taken = Array.from(this.#lanes.keys()).flatMap((name) => {
      const room = this.#room(name, asking, leaving);
      const freed = leaving.freed.filter(({ job }) => queueOf(job) === name && job.run_at <= asking.now);
      return [...this.#first(name, asking.now, room), ...freed].sort(byTurn).slice(0, room);
    });
    return taken
      .sort(byTurn)
      .slice(0, Math.max(0, asking.limit))
      .map(({ job }) => job);
  }

  /** Whether this one may be claimed on these terms, once it is due. */
  admits({ job }: Ticket, asking: Omit<Asking, "limit">, leaving: Leaving = NOTHING_LEAVING): boolean {
    return this.#room(queueOf(job), { ...asking, limit: 1 }, leaving) > 0;
  }

  /** When it is due, if it may be claimed on these terms. */
  dueAt({ job }: Ticket, asking: Omit<Asking, "limit">): number | undefined {
    const name = queueOf(job);
    const opens = opensAt(name, asking.standing.queues, this.#claimOf(name, asking, NOTHING_LEAVING));
    return opens === undefined ? undefined : Math.max(job.run_at, opens);
  }

  /** When the earliest job is due that may be claimed on these terms: now or before, if one is due already. */
  nextDueAt(asking: Omit<Asking, "limit">): number | undefined {
    let earliest: number | undefined;
    for (const name of this.#lanes.keys()) {
      const opens = opensAt(name, asking.standing.queues, this.#claimOf(name, asking, NOTHING_LEAVING));
      const due = opens === undefined ? undefined : this.#earliest(name, asking.now);
      if (opens === undefined || due === undefined) continue;
      const at = Math.max(due, opens);
      earliest = Math.min(earliest ?? at, at);
    }
    return earliest;
  }

  /** Those that are due in the order of their turns, then the others by time; whatever the rules. */
  next(now: number, limit: number): PendingJob[] {
    const names = Array.from(this.#lanes.keys());
    const due = names.flatMap((name) => this.#first(name, now, limit)).sort(byTurn);
    const later = names.flatMap((name) => this.#later(name, limit)).sort(byTime);
    return [...due, ...later].slice(0, limit).map(({ job }) => job);
  }

  #room(name: string, asking: Asking, leaving: Leaving): number {
    const room = roomIn(name, asking.standing.queues, this.#claimOf(name, asking, leaving));
    return Math.max(0, Math.min(asking.limit, room));
  }

  #claimOf(name: string, { now, standing, served }: Omit<Asking, "limit">, { queues }: Leaving): ClaimOf {
    const leaving = queues.filter((queue) => queue === name).length;
    const running = (this.#lanes.get(name)?.count.processing ?? 0) - leaving;
    return { now, running, begun: standing.begun[name] ?? [], served };
  }

  #first(name: string, now: number, limit: number): Ticket[] {
    const lane = this.#lanes.get(name);
    if (!lane || limit < 1) return [];
    this.#ripen(lane, now);
    const taken: Ticket[] = [];
    while (taken.length < limit) {
      const ticket = lane.ready.pop();
      if (!ticket) break;
      if (!this.#isCurrent(ticket)) continue;
      // The clock may have been set back since it came due.
      if (ticket.job.run_at <= now) taken.push(ticket);
      else lane.delayed.push(ticket);
    }
    for (const ticket of taken) lane.ready.push(ticket);
    return taken;
  }

  /** Of those that are not due, once the ones that are have been taken out. */
  #later(name: string, limit: number): Ticket[] {
    const { delayed } = this.#lanes.get(name) as Lane;
    const taken: Ticket[] = [];
    while (taken.length < limit) {
      const ticket = delayed.pop();
      if (!ticket) break;
      if (this.#isCurrent(ticket)) taken.push(ticket);
    }
    for (const ticket of taken) delayed.push(ticket);
    return taken;
  }

  #earliest(name: string, now: number): number | undefined {
    const lane = this.#lanes.get(name);
    if (!lane) return undefined;
    this.#ripen(lane, now);
    for (const heap of [lane.ready, lane.delayed]) {
      for (let ticket = heap.peek(); ticket; ticket = heap.peek()) {
        if (this.#isCurrent(ticket)) return ticket.job.run_at;
        heap.pop();
      }
    }
    return undefined;
  }

  /** Moves what has come due from the heap by time to the heap by order. */
  #ripen({ ready, delayed }: Lane, now: number): void {
    for (let ticket = delayed.peek(); ticket && ticket.job.run_at <= now; ticket = delayed.peek()) {
      delayed.pop();
      if (this.#isCurrent(ticket)) ready.push(ticket);
    }
  }

  #laneOf(job: Parameters<typeof queueOf>[0]): Lane {
    const name = queueOf(job);
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = { ready: new Heap(byTurn), delayed: new Heap(byTime), count: { pending: 0, waiting: 0, processing: 0 } };
      this.#lanes.set(name, lane);
    }
    return lane;
  }
}

/** Who comes first among those that are due. */
function byTurn(a: Ticket, b: Ticket): number {
  return (b.job.priority ?? 0) - (a.job.priority ?? 0) || a.place - b.place;
}

function byTime(a: Ticket, b: Ticket): number {
  return a.job.run_at - b.job.run_at || a.place - b.place;
}
