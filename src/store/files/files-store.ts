/**
 * The store in a data directory. What may happen is decided by `job/lifecycle.ts`, that it happens once and lasts by
 * `ledger.ts`; this file puts the two together for each call of the interface. What an `enqueue` does not need is loaded by
 * the call that does.
 */
import { type Config, type ConfigKey, type ConfigSources, hookPolicy, retryPolicy } from "../../config.ts";
import type { Alteration, Rule } from "../../job/alteration.ts";
import type { Glance } from "../../job/foremost.ts";
import type { CompletedJob, DeadLetter, Entry, Job, JobState, PendingJob, ProcessingJob } from "../../job/job.ts";
import type { AttemptEnd } from "../../job/lifecycle.ts";
import type { QueueRule, QueueRuleChange, QueueStatus } from "../../job/queue.ts";
import type { JobSpec } from "../../job/spec.ts";
import { jobNotFound, jobsOf } from "../admission.ts";
import type { AttemptLog, OpenAttemptLog, OpenLog } from "../attempt-log.ts";
import type { Item, Restored } from "../item.ts";
import { LogDirectory } from "../local/log-directory.ts";
import type { Announced, Announcement, Lost, Present } from "../present.ts";
import { type Residents, residentsById } from "../residents.ts";
import type { Address, Claimant, Counts, Enqueuing, Pruned, PruneOptions, Store, Turn, Watching } from "../store.ts";
import { decideAdmission, decideRule } from "./arrival.ts";
import type { FilesChangedEntries } from "./changed-entries.ts";
import { watchChanges } from "./changes.ts";
import { ConfigFile } from "./config-file.ts";
import { FilesSchedules } from "./files-schedules.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { Ledger, type LedgerOptions } from "./ledger.ts";
import { Presences } from "./presences.ts";
import type { Retention } from "./retention.ts";
import { Settings } from "./settings.ts";
import { decideTurn, isNothingToTake, turn } from "./turn.ts";

export interface FilesStoreOptions extends Omit<LedgerOptions, "nobodyWorks"> {
  readonly random: () => number;
  /** In ms, from any moment on; unlike `now` it goes forward, and evenly. */
  readonly elapsed: () => number;
  /** Settings that stand over the stored ones. */
  readonly overrides: Partial<Config>;
}

export class FilesStore implements Store {
  readonly location: string;
  readonly address: Address;
  readonly mark: Readonly<Record<string, string>>;
  readonly schedules: FilesSchedules;
  readonly #layout: Layout;
  readonly #options: FilesStoreOptions;
  readonly #ledger: Ledger;
  readonly #config: ConfigFile;
  readonly #settings: Settings;
  readonly #presences: Presences;
  readonly #logs: LogDirectory;
  /** Of a worker. */
  #retention: Retention | undefined;

  /** Opens a directory, which need not exist: the first change makes it. */
  constructor(root: string, options: FilesStoreOptions) {
    this.#layout = layoutOf(root);
    this.location = this.#layout.root;
    this.mark = { QUEUECTL_DATA_DIR: this.location };
    this.address = { options: ["--data-dir", this.location], variables: this.mark };
    this.#options = options;
    this.#presences = new Presences(this.#layout.workers, { ...options, state: () => this.#ledger.state() });
    this.#ledger = new Ledger(this.#layout, { ...options, nobodyWorks: () => this.#presences.nobodyWorks() });
    this.#config = new ConfigFile(this.#layout.config);
    this.#settings = new Settings(this.#config, options.overrides);
    const { now } = options;
    this.schedules = new FilesSchedules(this.#ledger, { now, maxRetries: () => this.#settings.current().max_retries });
    this.#logs = new LogDirectory(this.#layout.logs);
  }

  async enqueue(specs: readonly JobSpec[], { existing = "refuse", onSkip }: Enqueuing = {}): Promise<PendingJob[]> {
    const { now, random } = this.#options;
    const terms = { existing, random, maxRetries: this.#settings.current().max_retries };
    const decide = (residents: Residents) => decideAdmission(specs, { ...terms, now: now(), residents });
    // Whoever waits for others, or must be the only one with its key, has to know them.
    const isAmongOthers = specs.some(({ after, key }) => after ?? key);
    const add = () => this.#ledger.add((holderOf) => decide(residentsById(holderOf)));
    return jobsOf(await (isAmongOthers ? this.#ledger.commit(decide, DURABLY) : add()), onSkip);
  }

  async probe(): Promise<void> {
    this.#ledger.probe();
    this.#settings.current();
  }

  async settle(ends: readonly AttemptEnd[], claimant?: Claimant): Promise<Turn> {
    const { now, random } = this.#options;
    if (claimant) await this.schedules.fire();
    if (ends.length === 0) {
      // An idle worker looks often and finds nothing: that must cost no lock.
      const state = this.#ledger.state();
      if (!claimant || isNothingToTake(state, claimant, now())) {
        this.#retention?.turned(state, { idle: true });
        return turn(state, { ended: [], claimed: [] }, { now: now(), claimant });
      }
    }
    const config = this.#settings.forTurn({ isNeeded: ends.length > 0 });
    const policies = { policy: retryPolicy(config, random), hooks: hookPolicy(config) };
    const done = await this.#ledger.commit(
      (state, seq) => decideTurn(state, { ends, claimant, seq, now: now(), ...policies }),
      SOON,
    );
    this.#retention?.turned(this.#ledger.known(), { idle: false });
    return turn(this.#ledger.known(), done, { now: now(), claimant });
  }

  async alter(ids: readonly string[], rule: Rule): Promise<Alteration[]> {
    const { alter } = await import("./alteration.ts");
    const parts = { ledger: this.#ledger, logs: this.#logs, now: this.#options.now };
    return alter({ ...parts, hooks: () => hookPolicy(this.#settings.current()) }, ids, rule);
  }

  async askToEnd(job: ProcessingJob): Promise<boolean> {
    return this.#presences.askToEnd(job);
  }

  async get(id: string): Promise<Entry> {
    const state = this.#ledger.state();
    const entry = state.entry(id);
    if (!entry) throw jobNotFound(id, { hasArchive: state.standing.archive.length > 0 });
    return entry;
  }

  async entries(ids: readonly string[]): Promise<Entry[]> {
    const state = this.#ledger.state();
    return ids.map((id) => state.entry(id)).filter((entry) => entry !== undefined);
  }

  async list(state?: JobState): Promise<Job[]> {
    return Array.from(this.#ledger.state().jobs()).filter((job) => state === undefined || job.state === state);
  }

  async *archived(): AsyncIterable<readonly CompletedJob[]> {
    const { readArchive } = await import("./archive.ts");
    yield* readArchive(this.#layout.archive, this.#ledger.state().standing.archive);
  }

  async prune(options: PruneOptions = {}): Promise<Pruned> {
    return (await this.#retain()).prune(options);
  }

  async deadLetters(): Promise<DeadLetter[]> {
    return Array.from(this.#ledger.state().deadLetters());
  }

  async counts(): Promise<Counts> {
    return this.#ledger.state().counts();
  }

  async glance(limit: number): Promise<Glance> {
    return this.#ledger.state().glance(this.#options.now(), limit);
  }

  async queues(): Promise<QueueStatus[]> {
    return this.#ledger.state().queues();
  }

  async setQueue(name: string, change: QueueRuleChange): Promise<QueueRule> {
    return this.#ledger.commit((state) => decideRule(name, state.standing.queues[name], change), DURABLY);
  }

  async config(): Promise<Config> {
    return this.#settings.current();
  }

  async configSources(): Promise<ConfigSources> {
    return { stored: this.#config.read(), overrides: this.#options.overrides, where: this.#layout.config };
  }

  async setConfig<Key extends ConfigKey>(key: Key, value: Config[Key] | undefined): Promise<void> {
    await this.#ledger.locked(() => this.#config.set(key, value));
  }

  /** Has the commands of this directory use the database at this address, or these files again, durably. */
  async setStore(address: string | undefined): Promise<void> {
    await this.#ledger.locked(() => this.#config.setStore(address));
  }

  async dump(take: (items: readonly Item[]) => Promise<boolean>): Promise<void> {
    const { dump } = await import("./transfer.ts");
    await dump({ layout: this.#layout, ledger: this.#ledger, config: this.#config }, take);
  }

  async restore(...[read, options]: Parameters<Store["restore"]>): Promise<Restored> {
    const { restore } = await import("./transfer.ts");
    return restore({ layout: this.#layout, ledger: this.#ledger, config: this.#config }, read, options);
  }

  async announce(as: Announced): Promise<Announcement> {
    await this.#ledger.create();
    const announcement = await this.#presences.announce(as);
    this.#ledger.author = announcement.id;
    if (as.kind === "worker") {
      this.#retention = await this.#retain();
      this.#ledger.restWhenIdle();
    }
    return announcement;
  }

  async present(): Promise<Present[]> {
    return this.#presences.present();
  }

  async lost(holding?: number): Promise<Lost[]> {
    return this.#presences.lost(holding);
  }

  mayLose(holding: number): boolean {
    return this.#ledger.known().counts().processing > holding;
  }

  changes(wake: () => void): Watching {
    return watchChanges(this.#layout, wake, this.#options.warn);
  }

  async changed(): Promise<FilesChangedEntries> {
    const { FilesChangedEntries } = await import("./changed-entries.ts");
    const { archive } = this.#layout;
    return new FilesChangedEntries({ state: () => this.#ledger.state(), archive, now: this.#options.now });
  }

  async openLog(job: ProcessingJob): Promise<OpenAttemptLog> {
    return this.#logs.open(job, { isSplit: this.#settings.forAttempt().split_logs });
  }

  async openSupervisorLog(): Promise<OpenLog> {
    return this.#logs.openSupervisorLog();
  }

  async logs(id: string): Promise<AttemptLog[]> {
    return this.#logs.of(id);
  }

  async close(): Promise<void> {
    this.#retention?.turned(this.#ledger.known(), { idle: true });
    await this.#retention?.settled();
    await this.#ledger.close();
  }

  async #retain(): Promise<Retention> {
    const { Retention } = await import("./retention.ts");
    const config = () => this.#settings.current();
    return new Retention(this.#layout, this.#ledger, { logs: this.#logs, ...this.#options, config });
  }
}

/** What a person is told is done, is on the disk; what a worker did follows within a second. */
const DURABLY = { durable: true };
const SOON = { durable: false };
