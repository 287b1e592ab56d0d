/**
 * What keeps a store in order beside its changes. It keeps three promises about time: what was written is on the disk
 * within a second, a journal that has outgrown its snapshots ends in a checkpoint, and a small queue on which nobody works
 * is at rest, complete in its snapshots. None of them is a condition of a change: a full disk only leaves the journal
 * longer than it might be.
 */
import { QueueError } from "../../job/errors.ts";
import { rename, writeNew } from "../local/durable.ts";
import { temporaryName } from "../local/temporary-name.ts";
import { renewSnapshots } from "./checkpoint.ts";
import { type CommitContent, idsPutIn } from "./commit.ts";
import { encodeIndex, IdIndex } from "./id-index.ts";
import type { Journal } from "./journal.ts";
import { LateCheckpoint } from "./late-checkpoint.ts";
import type { Layout } from "./layout.ts";
import { tryAcquire } from "./lock.ts";
import { setAside } from "./quarantine.ts";
import type { Replica } from "./replica.ts";
import type { QueueState } from "./state.ts";

/** Everything up to a moment, with a journal to append to. */
export interface Current {
  readonly replica: Replica;
  readonly journal: Journal;
}

interface Surroundings {
  readonly now: () => number;
  readonly warn: (sentence: string) => void;
  readonly nobodyWorks: () => boolean;
  readonly author: () => string;
  readonly state: () => QueueState;
  /** What is in memory, as the last call left it. */
  readonly replica: () => Replica | undefined;
  /** Everything up to this moment; to be called with the lock held. */
  readonly current: () => Current;
  withLock<T>(work: () => T): Promise<T>;
}

const SYNC_WITHIN_MS = 1000;
const REST_AFTER_MS = 250;
const INDEX_WITHIN_BYTES = 128 * 1024;

export class Upkeep {
  readonly #layout: Layout;
  readonly #around: Surroundings;
  #syncTimer: Timer | undefined;
  #restTimer: Timer | undefined;
  #restsWhenIdle = false;
  #isQuiet = false;
  #hasWritten = false;
  #late: Promise<void> | undefined;

  constructor(layout: Layout, around: Surroundings) {
    this.#layout = layout;
    this.#around = around;
  }

  /** To be told of every commit that was appended, with the lock held. */
  appended({ replica, journal }: Current): void {
    this.#hasWritten = true;
    this.#syncTimer ??= setTimeout(() => this.#inBackground(() => this.#keepUp()), SYNC_WITHIN_MS).unref();
    this.restSoon();
    if (!this.#late && replica.isOutgrown()) this.#checkpoint({ replica, journal });
  }

  /** Forces to the disk whatever has been committed, by anyone. */
  sync(): void {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    this.#around.replica()?.journal?.sync();
  }

  /** Brings the index of ids up to this moment, lest everybody who adds a job has to read all that happened since. */
  #keepUp(): void {
    this.sync();
    const { isLarge, journal } = this.#around.replica() ?? {};
    if (!isLarge || !journal) return;
    using index = IdIndex.open(this.#layout.ids);
    const { generation, at } = index?.position ?? {};
    if (!index || generation !== journal.generation || at === undefined) return;
    if (journal.position.at - at > INDEX_WITHIN_BYTES)
      index.extend(idsPutIn(journal.text(at, journal.position.at)), journal.position);
  }

  /** Writes the index of ids anew, as of what has been read. */
  index(): void {
    const { state, journal } = this.#around.replica() ?? {};
    if (!state || !journal) return;
    this.#inBackground(() => {
      const temporary = temporaryName(this.#layout.ids);
      const ids = state.ids();
      writeNew(temporary, encodeIndex(ids, ids.length, journal.position));
      rename(temporary, this.#layout.ids);
    });
  }

  /** Whether something was committed that nobody has synced yet. */
  get isSyncDue(): boolean {
    return this.#syncTimer !== undefined;
  }

  /** Lets a checkpoint that is being written come forward: else who changes one thing after the other would starve it. */
  async giveWay(): Promise<void> {
    if (this.#late) await new Promise(setImmediate);
  }

  /** Writes the snapshots with a commit whose records are in the state already. False when the commit did not count. */
  renew({ replica, journal }: Current, commit: CommitContent): boolean {
    const { state, dlqCheck } = replica;
    const check = renewSnapshots(this.#layout, { state, journal, dlqCheck }, commit);
    if (check !== undefined) replica.renewed(check);
    return check !== undefined;
  }

  /** Has a worker's process bring the queue to rest whenever nothing has happened and nothing runs for a moment. */
  restWhenIdle(): void {
    this.#restsWhenIdle = true;
    this.restSoon();
  }

  restSoon(): void {
    if (!this.#restsWhenIdle) return;
    this.#isQuiet = false;
    this.#restTimer ??= setTimeout(() => this.#inBackground(() => this.#restIfQuiet()), REST_AFTER_MS).unref();
  }

  /** One timer for all that happens in its time: to set one anew with every commit costs more than to look once more. */
  #restIfQuiet(): void {
    this.#restTimer = undefined;
    const wasQuiet = this.#isQuiet;
    if (wasQuiet) this.#restIfIdle();
    else this.restSoon();
    this.#isQuiet = !wasQuiet;
  }

  /**
   * Leaves everything durable and, where it is small and nobody works on it any more, at rest. Who comes next shall not
   * have to read all that was added since the snapshots.
   */
  async finish(): Promise<void> {
    clearTimeout(this.#restTimer);
    this.#restsWhenIdle = false;
    if (!this.#hasWritten) return;
    if (this.#syncTimer) this.sync();
    await this.#late;
    if (this.#around.replica()?.isOutgrown()) await this.#around.withLock(() => this.#checkpointIfOutgrown());
    await this.#late;
    if (this.#around.nobodyWorks()) this.#rest();
    await this.#late;
  }

  #checkpointIfOutgrown(): void {
    const current = this.#around.current();
    if (current.replica.isOutgrown()) this.#checkpoint(current);
  }

  #restIfIdle(): void {
    if (this.#around.state().counts().processing === 0) this.#rest();
  }

  #rest(): void {
    if (this.#around.replica()?.journal?.size === 0) return;
    using lock = tryAcquire(this.#layout.lock, this.#around.now);
    // Whoever holds it, or has written since, will leave the store at rest in its turn: the last one does.
    if (!lock || this.#around.replica()?.catchUp()) {
      this.restSoon();
      return;
    }
    const { replica, journal } = this.#around.current();
    if (journal.size === 0 || !replica.isSmall) return;
    setAside(journal, this.#layout.quarantine);
    this.#checkpoint({ replica, journal });
  }

  #checkpoint({ replica, journal }: Current): void {
    try {
      const checkpoint = journal.generation + 1;
      const commit = { time: this.#around.now(), by: this.#around.author(), records: [], checkpoint };
      if (!replica.isLarge) this.renew({ replica, journal }, commit);
      else
        this.#late ??= this.#finishLate(LateCheckpoint.begin(this.#layout, { state: replica.state, journal }, commit));
    } catch (error) {
      if (!(error instanceof QueueError && error.code === "E_STORE_IO")) throw error;
      this.#warnOfNoCheckpoint(error);
    }
  }

  async #finishLate(late: LateCheckpoint | undefined): Promise<void> {
    try {
      await late?.write();
      await using _replaced = late?.holdReplaced();
      await this.#around.withLock(() => {
        const { replica, journal } = this.#around.current();
        late?.install(journal.generation);
        replica.renewed();
      });
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      this.#warnOfNoCheckpoint(error);
    } finally {
      this.#late = undefined;
    }
  }

  #warnOfNoCheckpoint({ message }: QueueError): void {
    this.#around.warn(`No checkpoint could be made. ${message}`);
  }

  /** A timer has no caller to throw at; the next call that has one will meet the same trouble. */
  #inBackground(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      this.#around.warn(error.message);
    }
  }
}
