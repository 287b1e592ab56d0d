import type { Config } from "../../../src/config.ts";
import { type ErrorCode, QueueError } from "../../../src/job/errors.ts";
import type { DeadLetter, ProcessingJob } from "../../../src/job/job.ts";
import type { AttemptEnd } from "../../../src/job/lifecycle.ts";
import type { Outcome } from "../../../src/job/outcome.ts";
import type { JobSpec } from "../../../src/job/spec.ts";
import type { Claimant, Store } from "../../../src/store/store.ts";

export interface OpenOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly overrides?: Partial<Config>;
}

/** What the suite needs of a kind of store beyond the interface. */
export interface StoreHarness {
  /** A store on fresh, empty data, apart from that of every earlier call. */
  open(options: OpenOptions): Promise<Store>;
  /** One more handle on the data of `store`, as another process would have; `store` may be closed by now. */
  reopen(store: Store, options: OpenOptions): Promise<Store>;
  /** Makes the announced worker `workerId` look as if it had been killed. */
  kill(store: Store, workerId: string): Promise<void>;
  /** The directory that log files must stay in, whatever the id of their job. */
  logDirectory(store: Store): string;
  /** Removes what was made, after the last test. */
  dispose(): Promise<void>;
}

/** Sentences about a store, each with the check that shows it. */
export type Contract = Readonly<Record<string, (bench: Bench) => Promise<void>>>;

export const T0 = 1_700_000_000_000;
export const SUCCESS: Outcome = { kind: "exited", code: 0 };
export const FAILURE: Outcome = { kind: "exited", code: 1, lastLine: "no such host" };

/** A fresh store with a clock and a die that only the test moves; it closes every handle at the end. */
export class Bench implements AsyncDisposable {
  readonly harness: StoreHarness;
  readonly store: Store;
  now = T0;
  roll = 0.5;
  readonly #open = new Set<Store>();
  readonly #options = { now: () => this.now, random: () => this.roll };

  static async open(harness: StoreHarness): Promise<Bench> {
    const bench: Bench = new Bench(harness, await harness.open({ now: () => bench.now, random: () => bench.roll }));
    return bench;
  }

  private constructor(harness: StoreHarness, store: Store) {
    this.harness = harness;
    this.store = store;
    this.#open.add(store);
  }

  /** A second handle on the same data. */
  async another(overrides?: Partial<Config>): Promise<Store> {
    const options = { ...this.#options, ...(overrides === undefined ? {} : { overrides }) };
    const store = await this.harness.reopen(this.store, options);
    this.#open.add(store);
    return store;
  }

  async close(store: Store): Promise<void> {
    this.#open.delete(store);
    await store.close();
  }

  /** Enqueues jobs with these ids and claims them all, one by one. */
  async running<const Ids extends string[]>(...ids: Ids): Promise<{ [K in keyof Ids]: ProcessingJob }> {
    await this.store.enqueue(specs(...ids));
    const jobs: ProcessingJob[] = [];
    for (const _ of ids) jobs.push(await claimedOne(this.store));
    return jobs as { [K in keyof Ids]: ProcessingJob };
  }

  /** Sends jobs with these ids through one failed attempt into the DLQ. */
  async dead(...ids: string[]): Promise<DeadLetter[]> {
    await this.store.enqueue(ids.map((id) => ({ id, command: "false", max_retries: 0 })));
    const jobs = await claimed(this.store, { limit: ids.length });
    const { ended } = await this.store.settle(jobs.map((job) => end(job, FAILURE)));
    return ended.flatMap((change) => (change.event === "dead-lettered" ? [change.job] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#open) await store.close();
  }
}

export function specs(...ids: string[]): JobSpec[] {
  return ids.map((id) => ({ id, command: `echo ${id}` }));
}

export function end(job: ProcessingJob, outcome: Outcome): AttemptEnd {
  return { id: job.id, lease: job.lease, outcome };
}

export function ids(entries: readonly { readonly id: string }[]): string[] {
  return entries.map((entry) => entry.id);
}

/** Up to `limit` due jobs, now held by `workerId`. */
export async function claimed(
  store: Store,
  { limit = 1000, workerId = "worker-1", ...holds }: Partial<Claimant> = {},
): Promise<ProcessingJob[]> {
  const { claimed } = await store.settle([], { workerId, limit, ...holds });
  return [...claimed];
}

/** The next due job, now held by `workerId`; throws when none is due. */
export async function claimedOne(store: Store, workerId = "worker-1"): Promise<ProcessingJob> {
  const [job] = await claimed(store, { limit: 1, workerId });
  if (!job) throw new Error("No job was due.");
  return job;
}

/** The code that `call` was refused with; throws when it was not. */
export async function refusal(call: Promise<unknown>): Promise<ErrorCode> {
  return (await refused(call)).code;
}

/** The error that `call` was refused with; throws when it was not. */
export async function refused(call: Promise<unknown>): Promise<QueueError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof QueueError) return error;
    throw error;
  }
  throw new Error("The call was not refused.");
}

/** Everything a reader can see of the jobs, to show that nothing changed. */
export async function everything(store: Store) {
  const [jobs, dead, counts, queues, config] = await Promise.all([
    store.list(),
    store.deadLetters(),
    store.counts(),
    store.queues(),
    store.config(),
  ]);
  return { jobs, dead, counts, queues: queues.toSorted((a, b) => (a.name < b.name ? -1 : 1)), config };
}
