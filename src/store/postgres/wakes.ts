/**
 * Wake-ups by NOTIFY. What may give a worker something to do is told in the transaction that does it. That a job was
 * claimed or completed interests few: it is told now and then, by itself, because a transaction that tells waits for
 * every other that does (PostgreSQL takes one lock for all of them until it has been committed).
 *
 * On the same channel a worker is asked to end an attempt: it is known by its lease.
 */
import type { Lease, ProcessingJob } from "../../job/job.ts";
import type { Wakes } from "../store.ts";
import type { Database } from "./database.ts";

const NOW_AND_THEN_MS = 50;
const END = /^end (\d+)$/;

/** The channel of the queue in this schema. */
export function channelOf(schema: string): string {
  return `queuectl:${schema}`;
}

interface Subscriber {
  readonly wake: () => void;
  readonly of: Wakes;
}

export class WakeUps {
  readonly #database: Database;
  readonly #channel: string;
  readonly #subscribers = new Set<Subscriber>();
  #onAsked: ((lease: Lease) => void) | undefined;
  #isListening = false;
  #soon: Timer | undefined;

  constructor(database: Database) {
    this.#database = database;
    this.#channel = channelOf(database.schema);
  }

  /** Listening goes on once it has begun: whoever listens now and then would miss what is told while it begins. */
  subscribe(subscriber: Subscriber): Disposable {
    this.#subscribers.add(subscriber);
    this.#listen();
    return { [Symbol.dispose]: () => this.#subscribers.delete(subscriber) };
  }

  /** Calls `onAsked` with the lease of every attempt, anybody's, that somebody wants ended. */
  heedRequests(onAsked: (lease: Lease) => void): void {
    this.#onAsked = onAsked;
    this.#listen();
  }

  /** The worker of this attempt is to end it. What it does not hear it reads when it renews its presence. */
  async requestEnd({ worker_id, lease }: ProcessingJob): Promise<void> {
    await this.#database.ask(
      (sql) => sql`
        WITH asked AS (
          UPDATE presence SET asked = asked || ${lease}::bigint WHERE id = ${worker_id} AND ${lease} <> ALL (asked)
        )
        SELECT pg_notify(${this.#channel}, ${`end ${lease}`})`,
    );
  }

  /** Tells everyone that something has changed, within a short while. */
  tellSoon(): void {
    this.#soon ??= setTimeout(() => void this.tellNow(), NOW_AND_THEN_MS).unref();
  }

  /** Tells now what was to be told soon. */
  async tellNow(): Promise<void> {
    if (this.#soon === undefined) return;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    // Nobody relies on it: who is not woken looks by himself.
    await this.#database.ask((sql) => sql`SELECT tell('change')`, { patienceMs: 0 }).catch(() => {});
  }

  #listen(): void {
    this.#isListening ||= this.#database.listen(this.#channel, {
      heard: (what) => this.#heard(what),
      begun: () => this.#wake("work"),
    });
  }

  #heard(what: string): void {
    const [, lease] = END.exec(what) ?? [];
    if (lease === undefined) this.#wake(what);
    else this.#onAsked?.(Number(lease));
  }

  #wake(what: string): void {
    for (const { wake, of } of this.#subscribers) if (of === "anything" || what === "work") wake();
  }
}
