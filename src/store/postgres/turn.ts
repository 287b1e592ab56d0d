/**
 * The hot path: ends attempts and claims the next jobs in one round trip. What becomes of an attempt is decided here, by
 * `job/lifecycle.ts`, on the job as it was claimed: nothing changes a job while it is processing, so the lease is its
 * version, and the server writes the decision only where that is still the job's own.
 */

import type { SQL } from "bun";
import { type Config, DEFAULTS } from "../../config.ts";
import type { JobEvent, LeaseLost } from "../../job/event.ts";
import type { Entry, Lease, ProcessingJob } from "../../job/job.ts";
import { type AttemptEnd, finish, type RetryPolicy } from "../../job/lifecycle.ts";
import type { OpenAttemptLog, Stream } from "../attempt-log.ts";
import { self } from "../local/identity.ts";
import { logPattern, logsOfAttempt } from "../local/log-files.ts";
import type { Claimant, Turn } from "../store.ts";
import { array } from "./array.ts";
import type { Database } from "./database.ts";
import { ownSettings } from "./hooks.ts";
import { readPrinted } from "./output.ts";
import { readEntries } from "./reading.ts";
import { changeOf, entryOf, type JobRow, processingOf } from "./row.ts";

interface TurnRequest {
  readonly claimant: Claimant | undefined;
  readonly now: number;
  readonly policy: RetryPolicy;
}

interface Decision {
  readonly end: AttemptEnd;
  readonly change: JobEvent | LeaseLost;
}

/** A decision to be written. */
interface Sent extends Decision {
  readonly change: JobEvent;
}

interface Answer {
  readonly ended: readonly Lease[];
  readonly forgotten: readonly JobRow[];
  readonly claimed: readonly JobRow[];
  readonly next_due: number | null;
  readonly next_schedule: number | null;
  /** As it is stored, if it is. */
  readonly split_logs: unknown;
}

/** Where the output of an attempt is: a path for both streams, or one for each. */
interface Logged {
  readonly attempt: number;
  readonly host: string;
  readonly paths: { readonly [Of in Stream | "both"]?: string };
}

export class Turns {
  readonly #database: Database;
  /** The settings that the server needs for hooks, as far as it does not have them itself. */
  readonly #own: object;
  /** What this process says itself of `split_logs`, and what was stored at the last turn. */
  readonly #splitsAlways: boolean | undefined;
  #splits = DEFAULTS.split_logs;
  /** What was claimed here, by lease. */
  readonly #held = new Map<Lease, ProcessingJob>();
  readonly #logs = new Map<Lease, Logged>();
  /** What was sent and may have been written although no answer came: it is sent again as it is. */
  readonly #unanswered = new Map<Lease, JobEvent>();

  constructor(database: Database, overrides: Partial<Config>) {
    this.#database = database;
    this.#own = ownSettings(overrides);
    this.#splitsAlways = overrides.split_logs;
  }

  /** Whether what was claimed last is to have a log for each stream. */
  get splitsLogs(): boolean {
    return this.#splitsAlways ?? this.#splits;
  }

  /** The output of this attempt goes there. */
  opened({ lease, attempts }: ProcessingJob, { path, stderr }: OpenAttemptLog): void {
    const paths = stderr ? { stdout: path, stderr: stderr.path } : { both: path };
    this.#logs.set(lease, { attempt: attempts, host: self().host, paths });
  }

  /** That of this one went into a directory of a host, of which, if it is another one, nothing more can be known. */
  leftBehind(job: ProcessingJob, { host, directory }: { host: string; directory: string }): void {
    const found = (): Logged["paths"] =>
      Object.fromEntries(logsOfAttempt(directory, job).map((log) => [log.stream ?? "both", log.path]));
    const paths = host === self().host ? found() : { both: logPattern(directory, job) };
    this.#logs.set(job.lease, { attempt: job.attempts, host, paths });
  }

  async settle(ends: readonly AttemptEnd[], request: TurnRequest): Promise<Turn> {
    const decisions = await this.#decide(ends, request);
    const sent = decisions.filter((decision): decision is Sent => decision.change.event !== "lease-lost");
    const doubtful = new Set(sent.filter(({ end }) => this.#unanswered.has(end.lease)));
    for (const { end, change } of sent) this.#unanswered.set(end.lease, change);
    let isAskedAgain = false;
    const answer = await this.#database.ask((sql) => {
      if (isAskedAgain) for (const decision of sent) doubtful.add(decision);
      isAskedAgain = true;
      return this.#ask(sql, sent, request);
    });
    const written = new Set(answer.ended);
    for (const decision of doubtful) {
      if (await this.#wasWritten(decision)) written.add(decision.end.lease);
    }
    for (const { end } of sent) this.#forget(end.lease);
    this.#splits = answer.split_logs === null ? DEFAULTS.split_logs : answer.split_logs === true;
    const claimed = [...answer.forgotten, ...answer.claimed].map(processingOf);
    for (const job of claimed) this.#held.set(job.lease, job);
    return {
      ended: decisions.map(({ end, change }) =>
        change.event === "lease-lost" || written.has(end.lease) ? change : leaseLost(end),
      ),
      claimed,
      ...(answer.next_due === null ? {} : { nextDueAt: answer.next_due }),
      ...(answer.next_schedule === null ? {} : { nextScheduleAt: answer.next_schedule }),
    };
  }

  async #decide(ends: readonly AttemptEnd[], { now, policy }: TurnRequest): Promise<Decision[]> {
    const entries = await this.#entries(ends);
    const seen = new Set<Lease>();
    return ends.map((end) => {
      if (seen.has(end.lease)) return { end, change: leaseLost(end) };
      const change = this.#unanswered.get(end.lease) ?? finish(entries.get(end), end, { now, policy });
      if (change.event !== "lease-lost") seen.add(end.lease);
      return { end, change };
    });
  }

  /** The job of each end: as it was claimed here, else as it is now. */
  async #entries(ends: readonly AttemptEnd[]): Promise<Map<AttemptEnd, Entry | undefined>> {
    const isHeld = ({ id, lease }: AttemptEnd): boolean => this.#held.get(lease)?.id === id;
    const unknown = ends.filter((end) => !isHeld(end)).map(({ id }) => id);
    const loaded = new Map((await readEntries(this.#database, unknown)).map((entry) => [entry.id, entry]));
    return new Map(ends.map((end) => [end, isHeld(end) ? this.#held.get(end.lease) : loaded.get(end.id)]));
  }

  async #ask(sql: SQL, sent: readonly Sent[], { claimant, now }: TurnRequest): Promise<Answer> {
    const ends = sent.map(({ end: { id, lease }, change: { job } }) => ({ id, lease, ...changeOf(job) }));
    const printed = sent.flatMap(({ end }) => this.#printedBy(end));
    const { workerId = "", limit = 0, holds, queues, only = null } = claimant ?? {};
    const leases = holds && `{${[...holds].join(",")}}`;
    const [row] = await sql`
      SELECT settle(${orNull(ends)}::json, ${this.#own}::json, ${orNull(printed)}::json, ${workerId}, ${Math.max(0, limit)},
        ${queues && array(queues)}::text[], ${only}, ${leases}::bigint[], ${now}) AS answer`;
    return row.answer;
  }

  #printedBy({ id, lease }: AttemptEnd): object[] {
    const { attempt, host, paths = {} } = this.#logs.get(lease) ?? {};
    return Object.entries(paths).flatMap(([stream, path]) => {
      // Of a worker that was lost together with its machine it is at least known where it wrote.
      const printed = host === self().host ? readPrinted(path) : { bytes: 0, tail: "" };
      return printed ? [{ id, lease, attempt, host, stream, path, ...printed }] : [];
    });
  }

  /** Whether a decision that was sent before without an answer is what the job is now. */
  async #wasWritten({ end, change }: Sent): Promise<boolean> {
    const [row] = await this.#database.ask(
      (sql) => sql`SELECT * FROM jobs WHERE id = ${end.id} AND lease = ${end.lease}`,
    );
    return row !== undefined && Bun.deepEquals(entryOf(row), change.job);
  }

  #forget(lease: Lease): void {
    this.#held.delete(lease);
    this.#logs.delete(lease);
    this.#unanswered.delete(lease);
  }
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

function leaseLost({ id, lease }: AttemptEnd): LeaseLost {
  return { event: "lease-lost", id, lease };
}
