/** `exec`: what the attempts of a job print, one after the other, as they print it, until nobody waits for it any more. */
import type { Lease } from "../job/job.ts";
import type { LogChunk } from "../output/output.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "../worker/alarm.ts";
import { GrowingLogs } from "./growing-logs.ts";
import { FIRST_LOOK_MS, LOOK_AGAIN_MS, readLog } from "./log-reader.ts";

export class LiveOutput {
  readonly #store: Store;
  readonly #id: string;
  readonly #tell: (sentence: string) => void;
  readonly #alarm = new Alarm();
  readonly #wake = (): void => this.#alarm.ring();
  /** The paths of the logs that have been begun. */
  readonly #begun = new Set<string>();
  #running: number | undefined;
  #isNewsTold = true;
  #hasEnded = false;

  /** `tell` is told what of it cannot be shown. */
  constructor(store: Store, id: string, tell: (sentence: string) => void) {
    this.#store = store;
    this.#id = id;
    this.#tell = tell;
  }

  /** Something may have become of the job: there may be another log, that of the attempt of this number where one runs. */
  notice(running?: number): void {
    this.#running = running;
    this.#isNewsTold = true;
    this.#alarm.ring();
  }

  /** No more attempts come; what there is will still be read. */
  end(): void {
    this.#hasEnded = true;
    this.notice();
  }

  /** To be read once. What another host has written comes when its attempt has ended. */
  async *chunks(): AsyncGenerator<LogChunk> {
    let files = new GrowingLogs(this.#wake);
    let lease: Lease | undefined;
    let attempt: number | undefined;
    let waitMs = FIRST_LOOK_MS;
    try {
      for (;;) {
        this.#alarm.reset();
        // Asked before reading: whatever was printed before the end is then read below.
        const isLast = this.#hasEnded;
        for (const log of await this.#newLogs()) {
          if (log.lease !== lease) {
            yield* files.readOn();
            files[Symbol.dispose]();
            files = new GrowingLogs(this.#wake);
            ({ lease, attempt } = log);
          }
          if (log.elsewhere === undefined) files.add(log, undefined);
          else yield* readLog(log, { id: this.#id, isRunning: false }, { tell: this.#tell, tail: undefined });
        }
        yield* files.readOn();
        if (isLast) return;
        // What was claimed a moment ago has its log in a moment.
        const isAwaited = this.#running !== undefined && !(this.#running === attempt && files.isComplete({}));
        waitMs = isAwaited ? Math.min(2 * waitMs, LOOK_AGAIN_MS) : FIRST_LOOK_MS;
        this.#isNewsTold ||= isAwaited;
        await this.#alarm.sleep(isAwaited ? waitMs : LOOK_AGAIN_MS);
      }
    } finally {
      files[Symbol.dispose]();
    }
  }

  /** Those that can be read and have not been begun, oldest first. */
  async #newLogs() {
    if (!this.#isNewsTold) return [];
    this.#isNewsTold = false;
    const logs = (await this.#store.logs(this.#id)).filter(
      ({ path, elsewhere }) => !this.#begun.has(path) && (!elsewhere || elsewhere.end),
    );
    for (const { path } of logs) this.#begun.add(path);
    return logs;
  }
}
