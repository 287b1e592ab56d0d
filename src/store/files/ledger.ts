/**
 * The one way to read and to change the state of a data directory. Reading takes no lock. A change takes the lock,
 * catches up, decides on what it then knows, and appends; when the lock turns out to have been lost in between, it
 * decides again.
 */
import { createDirectory, createSubdirectory } from "../local/durable.ts";
import type { HolderOf } from "../residents.ts";
import { createStore } from "./checkpoint.ts";
import type { CommitContent, JournalRecord } from "./commit.ts";
import type { IndexedStore } from "./indexed-store.ts";
import { checkDataDirectory, type Layout } from "./layout.ts";
import { acquire } from "./lock.ts";
import { ORIGINAL } from "./original-format.ts";
import { setAside, warningOf } from "./quarantine.ts";
import { isLarge, Replica } from "./replica.ts";
import { SmallStore } from "./small-store.ts";
import { generationAt } from "./snapshot.ts";
import { QueueState } from "./state.ts";
import { addUnread, type UnreadStore } from "./unread-store.ts";
import { type Current, Upkeep } from "./upkeep.ts";

export interface LedgerOptions {
  readonly now: () => number;
  /** Whether no worker lives: then whoever changes something leaves the store at rest. */
  readonly nobodyWorks: () => boolean;
  /** Told in a sentence what a person should know although the work goes on. */
  readonly warn: (sentence: string) => void;
}

/** What a change comes to: the records to append, and what to tell the caller once they count. */
export interface Decision<T> {
  readonly records: readonly JournalRecord[];
  readonly result: T;
}

type Decide<T> = (state: QueueState, seq: number) => Decision<T>;
type DecideOnIds<T> = (holderOf: HolderOf) => Decision<T>;

/** More change a store too much to be called at rest; their snapshots are written when there is time for it. */
const MAX_RECORDS_AT_REST = 1000;

export class Ledger {
  /** Named in every commit. */
  author = `queuectl-${process.pid}`;
  readonly #layout: Layout;
  readonly #options: LedgerOptions;
  readonly #upkeep: Upkeep;
  #replica: Replica | undefined;
  /** A large one, as long as it has not been read. */
  #indexed: IndexedStore | undefined;
  #isPrepared = false;
  #warned = false;

  constructor(layout: Layout, options: LedgerOptions) {
    this.#layout = layout;
    this.#options = options;
    this.#upkeep = new Upkeep(layout, {
      now: options.now,
      warn: options.warn,
      nobodyWorks: options.nobodyWorks,
      state: () => this.state(),
      author: () => this.author,
      replica: () => this.#replica,
      current: () => this.#current(),
      withLock: (work) => this.#withLock(work),
    });
    checkDataDirectory(layout.root);
  }

  /** The state as of now. Not to be kept: the next call changes it. */
  state(): QueueState {
    if (!this.#replica) this.#replica = Replica.load(this.#layout);
    else if (this.#replica.catchUp()) this.#upkeep.restSoon();
    this.#warnOfSuspects();
    return this.#replica?.state ?? new QueueState([], []);
  }

  /** The state as the last call left it. */
  known(): QueueState {
    return this.#replica?.state ?? this.state();
  }

  /** Throws where the store cannot be used. A large one is not read for that: only its head is. */
  probe(): void {
    if (isLarge(this.#layout) && generationAt(this.#layout.queue) !== undefined) return;
    this.state();
  }

  /** Makes the directory and the store in it, if they are not there. */
  async create(): Promise<void> {
    if (!this.#replica && isLarge(this.#layout)) this.#makeDirectories();
    else await this.commit(() => ({ records: [], result: undefined }), { durable: false });
  }

  /**
   * Changes the state by what `decide` makes of it, atomically. `seq` is the number of the first record. The change is
   * visible to all at once, and on the disk within a second; with `durable`, before this returns.
   */
  async commit<T>(decide: Decide<T>, { durable }: { durable: boolean }): Promise<T> {
    if (!this.#isPrepared) this.#prepare();
    // Until it has gone well once more: whoever met trouble looks whether everything is still there.
    this.#isPrepared = false;
    for (;;) {
      await this.#upkeep.giveWay();
      const decision = await this.#withLock(() => this.#tryCommit(decide, { durable }));
      if (!decision) continue;
      if (durable && this.#upkeep.isSyncDue) this.#upkeep.sync();
      this.#isPrepared = true;
      return decision.result;
    }
  }

  /**
   * As a durable `commit`, for what only adds jobs. A store that this process has not read is not read for it, but where
   * an id may be taken: `holderOf` then says so when it has been read.
   */
  async add<T>(decide: DecideOnIds<T>): Promise<T> {
    const size = this.#replica ? "read" : isLarge(this.#layout) ? "large" : "small";
    const done = size === "read" ? undefined : await this.#addUnread(decide, size);
    if (done) return done.result;
    const result = await this.commit((state) => decide((id) => state.entry(id)), { durable: true });
    if (size === "large" && !this.#indexed) this.#upkeep.index();
    return result;
  }

  async #addUnread<T>(decide: DecideOnIds<T>, size: "small" | "large"): Promise<Decision<T> | undefined> {
    if (size === "large" && !(await this.#openIndexed())) return undefined;
    this.#makeDirectories();
    using opened = new DisposableStack();
    let store: UnreadStore | undefined = this.#indexed;
    const decision = await this.#withLock(() => {
      if (size === "small") store = opened.use(SmallStore.open(this.#layout, this.#options.nobodyWorks));
      return store && addUnread(store, decide, (decision) => this.#contentOf(decision));
    });
    if (decision) store?.sync();
    return decision;
  }

  async #openIndexed(): Promise<IndexedStore | undefined> {
    const { IndexedStore } = await import("./indexed-store.ts");
    this.#indexed ??= IndexedStore.open(this.#layout);
    return this.#indexed;
  }

  /** Runs `change` with the lock held, for what is not in the journal. */
  async locked(change: () => void): Promise<void> {
    await this.create();
    await this.#withLock(change);
  }

  /** Forces to the disk whatever has been committed, by anyone. */
  sync(): void {
    this.#upkeep.sync();
  }

  /** Has a worker's process bring the queue to rest whenever nothing has happened and nothing runs for a moment. */
  restWhenIdle(): void {
    this.#upkeep.restWhenIdle();
  }

  /** Syncs, and where nobody works on it any more, leaves the store at rest. */
  async close(): Promise<void> {
    await this.#upkeep.finish();
    this.#indexed?.[Symbol.dispose]();
    this.#indexed = undefined;
    this.#forget();
  }

  #makeDirectories(): void {
    // A copy of the data may well come without its empty folders; but data that was taken away is not made anew.
    const make = this.#replica ? createSubdirectory : createDirectory;
    make(this.#layout.workers);
    checkDataDirectory(this.#layout.root);
  }

  #prepare(): void {
    this.#makeDirectories();
    // Before anyone has to wait for it.
    this.#replica ??= Replica.load(this.#layout);
  }

  async #withLock<T>(work: () => T): Promise<T> {
    using _lock = await acquire(this.#layout.lock, this.#options.now);
    return work();
  }

  #tryCommit<T>(decide: Decide<T>, { durable }: { durable: boolean }): Decision<T> | undefined {
    const { replica, journal } = this.#current();
    const decision = decide(replica.state, journal.end.seq);
    if (decision.records.length === 0) return decision;
    setAside(journal, this.#layout.quarantine);
    const content = this.#contentOf(decision);
    const staysSmall = replica.isSmall && decision.records.length <= MAX_RECORDS_AT_REST;
    const rests = durable && staysSmall && this.#options.nobodyWorks();
    const how = rests ? this.#commitAtRest : this.#append;
    return how.call(this, { replica, journal }, content) ? decision : undefined;
  }

  #contentOf({ records }: Decision<unknown>): CommitContent {
    return { time: this.#options.now(), by: this.author, records };
  }

  #append({ replica, journal }: Current, content: CommitContent): boolean {
    if (!journal.append(content)) return false;
    for (const record of content.records) replica.state.apply(record);
    this.#upkeep.appended({ replica, journal });
    return true;
  }

  /** A change to a small queue that nobody works on: the snapshots hold it, too, once it is told. */
  #commitAtRest({ replica, journal }: Current, content: CommitContent): boolean {
    const begins = journal.generation === ORIGINAL.generation || replica.areSnapshotsToCome || replica.isOutgrown();
    const commit = begins ? { ...content, checkpoint: journal.generation + 1 } : content;
    let counts = false;
    try {
      for (const record of content.records) replica.state.apply(record);
      counts = this.#upkeep.renew({ replica, journal }, commit);
      return counts;
    } finally {
      if (!counts) this.#forget();
    }
  }

  /** What is in memory has gone past what counts: the next call loads anew. */
  #forget(): void {
    this.#replica?.[Symbol.dispose]();
    this.#replica = undefined;
  }

  /** Everything up to this moment, with a journal to append to. To be called with the lock held. */
  #current(): Current {
    if (this.#replica) this.#replica.catchUp();
    else this.#replica = Replica.load(this.#layout);
    if (!this.#replica?.journal) {
      createStore(this.#layout);
      this.#replica?.[Symbol.dispose]();
      this.#replica = Replica.load(this.#layout);
    }
    const replica = this.#replica;
    if (!replica?.journal) throw new Error("a store that was just made cannot be loaded");
    return { replica, journal: replica.journal };
  }

  #warnOfSuspects(): void {
    const warning = this.#replica?.journal && warningOf(this.#replica.journal);
    if (!warning || this.#warned) return;
    this.#warned = true;
    this.#options.warn(warning);
  }
}
