/**
 * The store in a data directory. What may happen is decided by `job/lifecycle.ts`, that it happens once and lasts by
 * `ledger.ts`; this file puts the two together for each call of the interface.
 */
import { watch } from "node:fs";
import { basename } from "node:path";
import { type Config, type ConfigKey, DEFAULTS, resolveConfig, retryPolicy } from "../../config.ts";
import { QueueError } from "../../job/errors.ts";
import type { CompletedJob, DeadLetter, Entry, Job, JobState, PendingJob, ProcessingJob } from "../../job/job.ts";
import type { AttemptEnd } from "../../job/lifecycle.ts";
import type { JobSpec } from "../../job/spec.ts";
import type {
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
} from "../store.ts";
import { admit, readmit } from "./admission.ts";
import { readArchive } from "./archive.ts";
import { ConfigFile } from "./config-file.ts";
import { createDirectory, guard, openToAppend } from "./durable.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { Ledger, type LedgerOptions } from "./ledger.ts";
import { logPath, logsOf, supervisorLogPath } from "./log-files.ts";
import { announce, forget, roster } from "./presence.ts";
import { freshBefore, freshWhileWatched, type SignCheck } from "./sign-of-life.ts";
import { Retention } from "./retention.ts";
import type { QueueState } from "./state.ts";
import { checkDirectory } from "./trust.ts";
import { decideTurn, isNothingToTake } from "./turn.ts";

export interface FilesStoreOptions extends Omit<LedgerOptions, "nobodyWorks"> {
  readonly random: () => number;
  /** In ms, from any moment on; unlike `now` it goes forward, and evenly. */
  readonly elapsed: () => number;
  /** Settings that stand over the stored ones. */
  readonly overrides: Partial<Config>;
}

export class FilesStore implements Store {
  readonly #layout: Layout;
  readonly #options: FilesStoreOptions;
  readonly #ledger: Ledger;
  readonly #config: ConfigFile;
  readonly #retention: Retention;
  readonly #isFresh: SignCheck;
  #isWorker = false;
  #logsAreTrusted = false;

  /** Opens a directory, which need not exist: the first change makes it. */
  constructor(root: string, options: FilesStoreOptions) {
    this.#layout = layoutOf(root);
    this.#options = options;
    this.#ledger = new Ledger(this.#layout, { ...options, nobodyWorks: () => this.#nobodyWorks() });
    this.#config = new ConfigFile(this.#layout.config);
    this.#retention = new Retention(this.#layout, this.#ledger, { ...options, config: () => this.#settings() });
    this.#isFresh = freshWhileWatched(options.elapsed);
  }

  get location(): string {
    return this.#layout.root;
  }

  async enqueue(specs: readonly JobSpec[], { existing = "refuse" }: EnqueueOptions = {}): Promise<PendingJob[]> {
    const { now, random } = this.#options;
    const { max_retries } = await this.config();
    return this.#ledger.add((holderOf) =>
      admit(specs, { existing, maxRetries: max_retries, now: now(), random, holderOf }),
    );
  }

  async probe(): Promise<void> {
    this.#ledger.probe();
    this.#settings();
  }

  async settle(ends: readonly AttemptEnd[], claimant?: Claimant): Promise<Turn> {
    const { now, random } = this.#options;
    if (ends.length === 0) {
      // An idle worker looks often and finds nothing: that must cost no lock.
      const state = this.#ledger.state();
      if (!claimant || isNothingToTake(state, claimant, now())) {
        if (this.#isWorker) this.#retention.turned(state, { idle: true });
        return turn(state, now(), { ended: [], claimed: [] });
      }
    }
    // A success needs no settings, and looking at them costs as much as the rest of it.
    const mayRetry = ends.some(({ outcome }) => outcome.kind !== "exited" || outcome.code !== 0);
    const policy = retryPolicy(mayRetry ? await this.config() : DEFAULTS, random);
    const done = await this.#ledger.commit(
      (state, seq) => decideTurn(state, { ends, claimant, seq, now: now(), policy }),
      SOON,
    );
    if (this.#isWorker) this.#retention.turned(this.#ledger.known(), { idle: false });
    return turn(this.#ledger.known(), now(), done);
  }

  async requeue(ids: readonly string[]): Promise<PendingJob[]> {
    const decide = (state: QueueState) => readmit(ids, state, this.#options.now());
    // Refused, if at all, before a directory is made for it.
    decide(this.#ledger.state());
    return this.#ledger.commit(decide, DURABLY);
  }

  async get(id: string): Promise<Entry> {
    const state = this.#ledger.state();
    const entry = state.entry(id);
    if (entry) return entry;
    const hint = "Completed jobs leave the queue after a while: queuectl list --archived";
    throw new QueueError("E_JOB_NOT_FOUND", `Job ${id} not found.`, state.archive.length > 0 ? { hint } : {});
  }

  async list(state?: JobState): Promise<Job[]> {
    return Array.from(this.#ledger.state().jobs()).filter((job) => state === undefined || job.state === state);
  }

  async *archived(): AsyncIterable<readonly CompletedJob[]> {
    yield* readArchive(this.#layout.archive, this.#ledger.state().archive);
  }

  async prune(options: PruneOptions = {}): Promise<Pruned> {
    return this.#retention.prune(options);
  }

  async deadLetters(): Promise<DeadLetter[]> {
    return Array.from(this.#ledger.state().deadLetters());
  }

  async counts(): Promise<Counts> {
    return this.#ledger.state().counts();
  }

  async config(): Promise<Config> {
    return this.#settings();
  }

  async setConfig(key: ConfigKey, value: number): Promise<void> {
    await this.#ledger.locked(() => this.#config.set(key, value));
  }

  async announce(as: { kind: Present["kind"]; supervisor?: string }): Promise<Announcement> {
    await this.#ledger.create();
    // Only workers hold jobs, and a supervisor need not know them.
    const holders = new Set(as.kind === "worker" ? this.#workersWithJobs() : []);
    const announcement = await announce(this.#layout.workers, {
      ...as,
      now: this.#options.now(),
      isInUse: (id) => holders.has(id),
    });
    this.#ledger.author = announcement.id;
    if (as.kind === "worker") {
      this.#isWorker = true;
      this.#ledger.restWhenIdle();
    }
    return announcement;
  }

  async present(): Promise<Present[]> {
    return roster(this.#layout.workers, freshBefore(this.#options.now())).alive;
  }

  async lost(): Promise<Lost[]> {
    const suspects = new Set(this.#ledger.state().processing());
    const { alive, dead } = roster(this.#layout.workers, this.#isFresh);
    const living = new Set(alive.map(({ id }) => id));
    const jobs = new Map<string, ProcessingJob[]>();
    // Looked at once more, for a worker settles its jobs before it withdraws: it may have done both in between.
    for (const job of this.#ledger.state().processing()) {
      if (!suspects.has(job) || living.has(job.worker_id)) continue;
      jobs.set(job.worker_id, [...(jobs.get(job.worker_id) ?? []), job]);
    }
    for (const id of dead) if (!jobs.has(id)) forget(this.#layout.workers, id);
    return Array.from(jobs, ([workerId, lost]) => ({ workerId, jobs: lost }));
  }

  changes(wake: () => void): Disposable {
    try {
      createDirectory(this.#layout.root);
      const watcher = watch(this.#layout.root, (_event, name) => {
        if (name === null || name.startsWith("journal.") || name === basename(this.#layout.config)) wake();
      });
      watcher.on("error", () => {});
      return { [Symbol.dispose]: () => watcher.close() };
    } catch (error) {
      this.#options.warn(`Changes are not watched but polled for: ${(error as Error).message}.`);
      return { [Symbol.dispose]: () => {} };
    }
  }

  async openLog(job: ProcessingJob): Promise<OpenLog> {
    return this.#openLogAt(logPath(this.#layout.logs, job));
  }

  async openSupervisorLog(): Promise<OpenLog> {
    return this.#openLogAt(supervisorLogPath(this.#layout.logs));
  }

  async logs(id: string): Promise<AttemptLog[]> {
    return logsOf(this.#layout.logs, id);
  }

  async close(): Promise<void> {
    if (this.#isWorker) this.#retention.turned(this.#ledger.known(), { idle: true });
    await this.#retention.settled();
    await this.#ledger.close();
  }

  *#workersWithJobs(): Iterable<string> {
    for (const { worker_id } of this.#ledger.state().processing()) yield worker_id;
  }

  #settings(): Config {
    return resolveConfig(this.#config.read(), this.#options.overrides);
  }

  /** The directory is asked once: from then on nobody else can change whose it is (trust.ts). */
  #openLogAt(path: string): OpenLog {
    if (!this.#logsAreTrusted) guard("open", path, () => checkDirectory(this.#layout.logs));
    this.#logsAreTrusted = true;
    return { path, fd: openToAppend(path) };
  }

  #nobodyWorks(): boolean {
    return roster(this.#layout.workers, freshBefore(this.#options.now())).alive.every(({ kind }) => kind !== "worker");
  }
}

/** What a person is told is done, is on the disk; what a worker did follows within a second. */
const DURABLY = { durable: true };
const SOON = { durable: false };

function turn(state: QueueState, now: number, done: Pick<Turn, "ended" | "claimed">): Turn {
  const nextDueAt = state.nextDueAt(now);
  return nextDueAt === undefined ? done : { ...done, nextDueAt };
}
