/**
 * Waits for jobs, whoever runs them. It is woken by changes of the store and looks by itself only now and then. A job that
 * leaves the queue for the archive was completed; one that is put back from the DLQ meanwhile is waited for again.
 */
import { QueueError } from "../job/errors.ts";
import type { Entry } from "../job/job.ts";
import { queueOf } from "../job/queue.ts";
import { isOpen, type JobResult, resultOf } from "../job/result.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "../worker/alarm.ts";
import { pause } from "../worker/pause.ts";

/** Which jobs: those of these ids, those of a batch, or all of one queue or of any that had not ended before. */
export type Selection = (
  | { readonly of: "ids"; readonly ids: readonly string[] }
  | { readonly of: "batch"; readonly batch: string }
  | { readonly of: "all"; readonly queue?: string }
) & {
  /** The job that waits itself, which would wait for ever. */
  readonly except?: string | undefined;
};

/** For where nothing tells of a change. */
const LOOK_AGAIN_MS = 1000;
/** Between two looks at a store that keeps changing: the more there is to look at, the longer. */
const BETWEEN_LOOKS_MS = 20;
const JOBS_A_MS = 100;

export class JobWatch {
  readonly #store: Store;
  readonly #selection: Selection;
  readonly #results = new Map<string, JobResult>();
  /** Neither in the queue nor in the DLQ when they were looked for: archived, or removed. */
  readonly #gone = new Set<string>();
  /** What had ended before: whoever waits for the whole queue does not ask about it. */
  readonly #endedBefore = new Set<string>();

  private constructor(store: Store, selection: Selection) {
    this.#store = store;
    this.#selection = selection;
  }

  /** Throws `E_JOB_NOT_FOUND` for an id that no job has, and for a batch without jobs. */
  static async begin(store: Store, selection: Selection): Promise<JobWatch> {
    const watch = new JobWatch(store, selection);
    if (selection.of === "all") await watch.#rememberEnded();
    await watch.#lookEverywhere();
    if (selection.of === "batch" && watch.#results.size === 0) {
      throw new QueueError("E_JOB_NOT_FOUND", `There is no job of batch ${selection.batch}.`);
    }
    return watch;
  }

  /** In the order in which they were enqueued, or named. */
  get results(): readonly JobResult[] {
    if (this.#selection.of !== "ids") return Array.from(this.#results.values());
    return this.#selection.ids.map((id) => this.#results.get(id)).filter((result) => result !== undefined);
  }

  /**
   * Resolves when all have ended, those included that were added to the selection meanwhile, or when `until` aborts.
   * Calls `onLook` after each look.
   */
  async untilEnded(until: AbortSignal, onLook: () => unknown): Promise<void> {
    const alarm = new Alarm();
    using _changes = this.#store.changes(() => alarm.ring(), "anything");
    const hurry = (): void => alarm.ring();
    until.addEventListener("abort", hurry, { once: true });
    for (;;) {
      // What rang before this look is answered by it.
      alarm.reset();
      await this.#look();
      if (until.aborted || this.#open().length === 0) await this.#lookEverywhere();
      await onLook();
      const open = this.#open().length;
      if (until.aborted || open === 0) return;
      await pause(BETWEEN_LOOKS_MS + open / JOBS_A_MS, until);
      await alarm.sleep(LOOK_AGAIN_MS);
    }
  }

  /** Those that may still be going on. */
  #open(): string[] {
    return Array.from(this.#results.values())
      .filter((result) => isOpen(result) && !this.#gone.has(result.id))
      .map(({ id }) => id);
  }

  /** At those that had not ended. Into the archive, which may be long, it looks only in the end. */
  async #look(): Promise<void> {
    const open = this.#open();
    const found = await this.#store.entries(open);
    for (const id of open) this.#gone.add(id);
    this.#learn(found);
  }

  /** At all of them, wherever they are. */
  async #lookEverywhere(): Promise<void> {
    const { of } = this.#selection;
    const added = of === "ids" ? [] : (await this.#everything()).filter((entry) => this.#isMeant(entry));
    const known = [...this.#results.keys(), ...(of === "ids" ? this.#selection.ids : [])];
    const gone = new Set(known);
    for (const entry of [...added, ...(await this.#store.entries(known))]) {
      this.#learn([entry]);
      gone.delete(entry.id);
    }
    if (gone.size > 0 || of === "batch") {
      for await (const jobs of this.#store.archived()) {
        const meant = jobs.filter((job) => gone.has(job.id) || (of === "batch" && this.#isMeant(job)));
        this.#learn(meant);
        for (const { id } of meant) gone.delete(id);
      }
    }
    for (const id of gone) this.#remove(id);
  }

  /** Jobs first: one that dies between the two is then seen as it was or as it is. */
  async #everything(): Promise<Entry[]> {
    const jobs: Entry[] = await this.#store.list();
    return jobs.concat(await this.#store.deadLetters());
  }

  async #rememberEnded(): Promise<void> {
    for (const result of (await this.#everything()).map(resultOf)) {
      if (!isOpen(result)) this.#endedBefore.add(endOf(result));
    }
  }

  /** Whether it is to be waited for although nobody has named it. */
  #isMeant(entry: Entry): boolean {
    if (entry.id === this.#selection.except) return false;
    if (this.#selection.of === "batch") return entry.batch === this.#selection.batch;
    if (this.#selection.of === "all" && queueOf(entry) !== (this.#selection.queue ?? queueOf(entry))) return false;
    return !this.#endedBefore.has(endOf(resultOf(entry)));
  }

  #learn(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#gone.delete(entry.id);
      this.#results.set(entry.id, resultOf(entry));
    }
  }

  #remove(id: string): void {
    const before = this.#results.get(id);
    if (!before) throw new QueueError("E_JOB_NOT_FOUND", `Job ${id} not found.`);
    // What somebody tidied away after its end has ended as it did.
    if (isOpen(before)) this.#results.set(id, { ...before, state: "removed", error: "removed from the queue" });
  }
}

/** Tells this end of this job from others: an id may be used again. */
function endOf({ id, ended_at }: JobResult): string {
  return `${ended_at} ${id}`;
}
