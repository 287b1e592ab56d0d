/**
 * Wake-ups by NOTIFY. What may give a worker something to do is told in the transaction that does it. That a job was
 * claimed or completed interests few: it is told now and then, by itself, because a transaction that tells waits for
 * every other that does (PostgreSQL takes one lock for all of them until it has been committed).
 */
import type { Wakes } from "../store.ts";
import type { Database } from "./database.ts";

const NOW_AND_THEN_MS = 50;

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
  #isListening = false;
  #soon: Timer | undefined;

  constructor(database: Database) {
    this.#database = database;
    this.#channel = channelOf(database.schema);
  }

  /** Listening goes on once it has begun: whoever listens now and then would miss what is told while it begins. */
  subscribe(subscriber: Subscriber): Disposable {
    this.#subscribers.add(subscriber);
    this.#isListening ||= this.#database.listen(this.#channel, {
      heard: (what) => this.#wake(what),
      begun: () => this.#wake("work"),
    });
    return { [Symbol.dispose]: () => this.#subscribers.delete(subscriber) };
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

  #wake(what: string): void {
    for (const { wake, of } of this.#subscribers) if (of === "anything" || what === "work") wake();
  }
}
