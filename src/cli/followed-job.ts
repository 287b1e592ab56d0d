/**
 * `logs -f`: what a job prints from its latest attempt on, through all that follow, until it has ended. A job that has not
 * run yet is waited for.
 */
import type { Entry, Lease } from "../job/job.ts";
import { isUnfinished } from "../job/key.ts";
import type { LogChunk } from "../output/output.ts";
import type { AttemptLog } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "../worker/alarm.ts";
import { type AttemptRef, entryOf, followLog, LOOK_AGAIN_MS, type Reading } from "./log-reader.ts";

export class FollowedJob {
  readonly #store: Store;
  readonly #id: string;
  #attempt: number | null;
  #logs: readonly AttemptLog[] = [];

  /** `attempt` is the latest one's number, if there was any. */
  constructor(store: Store, id: string, { attempt }: { attempt: number | undefined }) {
    this.#store = store;
    this.#id = id;
    this.#attempt = attempt ?? null;
  }

  /** Of the attempt that was followed last. */
  get attempt(): number | null {
    return this.#attempt;
  }

  get logs(): readonly AttemptLog[] {
    return this.#logs;
  }

  /** From the attempt of the lease `first` on; without it, which is when the latest one printed nothing, after that of `seen`. */
  async *follow(
    from: { readonly first: Lease | undefined; readonly seen: Lease },
    reading: Reading,
  ): AsyncGenerator<LogChunk> {
    const { tell, tail } = reading;
    const { first } = from;
    const alarm = new Alarm();
    using _changes = this.#store.changes(() => alarm.ring());
    let seen = first === undefined ? from.seen : first - 1;
    let isWaiting = false;
    for (;;) {
      alarm.reset();
      // Asked before the logs: an attempt that began before its end is then among them.
      const entry = await entryOf(this.#store, this.#id);
      const next = nextAttempt(entry, await this.#store.logs(this.#id), seen);
      if (next) {
        const isFirst = next.lease === first;
        if (!isFirst && this.#attempt !== null) tell(`Attempt ${next.attempt} of job ${this.#id} begins.`);
        this.#attempt = next.attempt;
        yield* followLog(this.#store, { ...next, id: this.#id }, { ...reading, tail: isFirst ? tail : undefined });
        this.#logs = (await this.#store.logs(this.#id)).filter(({ lease }) => lease === next.lease);
        seen = next.lease;
      } else if (entry && isUnfinished(entry)) {
        if (!isWaiting && this.#attempt === null) tell(`Job ${this.#id} has not run yet; what it prints comes here.`);
        isWaiting = true;
        await alarm.sleep(LOOK_AGAIN_MS);
      } else {
        return;
      }
    }
  }
}

type Attempt = Omit<AttemptRef, "id">;

/** The one that began first of those after `seen`: that it left a log tells of it, or that it is being run. */
function nextAttempt(entry: Entry | undefined, logs: readonly AttemptLog[], seen: Lease): Attempt | undefined {
  const isRunning = entry !== undefined && "state" in entry && entry.state === "processing";
  const running = isRunning ? [{ attempt: entry.attempts, lease: entry.lease }] : [];
  const [next] = [...logs, ...running].filter(({ lease }) => lease > seen).sort((a, b) => a.lease - b.lease);
  return next && { attempt: next.attempt, lease: next.lease };
}
