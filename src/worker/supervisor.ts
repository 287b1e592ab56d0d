/**
 * The body of `worker-start`: keeps its workers alive, passes on that they shall leave, and leaves last.
 *
 * Each worker is a session of its own, so that a ^C of the terminal reaches only this process, and reads from a pipe that
 * this process holds open for its life: should it die without a word, the workers see the end of the file, finish their
 * jobs and leave. A worker that ends without having been asked is started again.
 */
import { type ErrorCode, QueueError } from "../job/errors.ts";
import type { WorkerEvent } from "../job/event.ts";
import type { Announcement } from "../store/present.ts";
import type { Store } from "../store/store.ts";
import { environmentForWorkers } from "./job-environment.ts";
import { pause } from "./pause.ts";
import { self } from "./self.ts";
import { type StopRequest, tellOthers } from "./stop-request.ts";

export interface SupervisorOptions {
  readonly count: number;
  /** Leave when nothing is pending or processing any more. */
  readonly drain: boolean;
  /** Options that every worker is started with. */
  readonly forward: readonly string[];
  /** What becomes of what the workers themselves tell on stdout. */
  readonly log: "inherit" | "ignore";
  readonly emit: (event: WorkerEvent) => void;
  readonly now: () => number;
}

export interface SupervisorEnd {
  /** `interrupted`: by ^C; `stopped`: by another signal, or by `worker-stop`. */
  readonly how: "stopped" | "interrupted" | "drained";
  /** With `drain`: how many jobs came to the dead letter queue in that time. */
  readonly deadLettered: number;
}

type WorkerProcess = Bun.Subprocess<"pipe", "inherit" | "ignore", "inherit">;

const RESTART_MS = { first: 1000, longest: 30_000 };
/** A worker that lived this long was well: its death says nothing about the next one's. */
const WELL_MS = 30_000;

/** What does not pass by itself. */
const LASTING: readonly ErrorCode[] = ["E_STORE_CORRUPT", "E_STORE_VERSION"];

export class Supervisor {
  readonly #store: Store;
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<WorkerProcess>();

  constructor(store: Store, options: SupervisorOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Resolves when all of its workers have left, because nothing is left to do or `stop` asks them to. */
  async run(stop: StopRequest): Promise<SupervisorEnd> {
    const { count, drain, emit } = this.#options;
    const deadBefore = drain ? await this.#deaths() : new Set<string>();
    await using announcement = await this.#store.announce({ kind: "supervisor" });
    this.#passOn(stop, announcement);
    emit({ event: "starting", count });
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => this.#keepAlive(number, announcement.id, stop.gently)));
    if (stop.gently.aborted) {
      return { how: stop.gently.reason === "SIGINT" ? "interrupted" : "stopped", deadLettered: 0 };
    }
    const deadLettered = drain ? (await this.#deaths()).difference(deadBefore).size : 0;
    return { how: drain ? "drained" : "stopped", deadLettered };
  }

  async #deaths(): Promise<Set<string>> {
    const letters = await this.#store.deadLetters();
    return new Set(letters.map(({ id, failed_at }) => `${failed_at} ${id}`));
  }

  #passOn(stop: StopRequest, announcement: Announcement): void {
    const pass = (signal: "SIGUSR2" | "SIGQUIT", by: string): void => {
      for (const worker of this.#workers) worker.kill(signal);
      void this.#sayStopping({ by, now: signal === "SIGQUIT", supervisor: announcement.id });
    };
    stop.now.addEventListener("abort", () => pass("SIGQUIT", stop.now.reason as string), { once: true });
    stop.gently.addEventListener(
      "abort",
      () => {
        void tellOthers(announcement);
        if (!stop.now.aborted) pass("SIGUSR2", stop.gently.reason as string);
      },
      { once: true },
    );
  }

  async #sayStopping(stopping: { by: string; now: boolean; supervisor: string }): Promise<void> {
    const { by, now, supervisor } = stopping;
    this.#options.emit({ event: "stopping", by, running: await this.#countRunning(supervisor), now });
  }

  /** Of its own workers' jobs. A store that cannot be read just now knows of none. */
  async #countRunning(supervisor: string): Promise<number> {
    try {
      const mine = (await this.#store.present()).filter((one) => one.supervisor === supervisor).map(({ id }) => id);
      const running = await this.#store.list("processing");
      return running.filter((job) => job.state === "processing" && mine.includes(job.worker_id)).length;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return 0;
    }
  }

  async #keepAlive(number: number, supervisor: string, leaving: AbortSignal): Promise<void> {
    const { emit, now } = this.#options;
    let restartInMs = RESTART_MS.first;
    while (!leaving.aborted) {
      const startedAt = now();
      const { pid, how } = await this.#runOnce(number, supervisor);
      if (how === undefined || leaving.aborted) return;
      if (now() - startedAt >= WELL_MS) restartInMs = RESTART_MS.first;
      else if (how.startsWith("exit")) await this.#refuseDamage();
      emit({ event: "worker-died", number, pid, how, restartInMs });
      await pause(restartInMs, leaving);
      restartInMs = Math.min(restartInMs * 2, RESTART_MS.longest);
    }
  }

  /** What a worker could not begin with will not let the next one begin either: said once, it is better than for ever. */
  async #refuseDamage(): Promise<void> {
    try {
      await this.#store.counts();
    } catch (error) {
      if (!(error instanceof QueueError) || LASTING.includes(error.code)) throw error;
    }
  }

  /** One life of a worker. `how` it ended is undefined when it left as it should. */
  async #runOnce(number: number, supervisor: string): Promise<{ pid: number; how: string | undefined }> {
    let worker: WorkerProcess;
    try {
      worker = this.#spawn(supervisor);
    } catch (error) {
      // No processes or memory left, say; the others must not go down with it.
      return { pid: 0, how: `could not start: ${error instanceof Error ? error.message : String(error)}` };
    }
    this.#workers.add(worker);
    this.#options.emit({ event: "worker-started", number, pid: worker.pid });
    await worker.exited;
    this.#workers.delete(worker);
    const { pid, signalCode, exitCode } = worker;
    if (signalCode !== null) return { pid, how: `killed by ${signalCode}` };
    return { pid, how: exitCode === 0 ? undefined : `exit ${exitCode}` };
  }

  #spawn(supervisor: string): WorkerProcess {
    const { drain, forward, log } = this.#options;
    const options = [...this.#store.address.options, "--supervisor", supervisor, ...(drain ? ["--drain"] : [])];
    return Bun.spawn([...self, "__worker", ...options, ...forward], {
      detached: true,
      env: environmentForWorkers(process.env),
      stdin: "pipe",
      stdout: log,
      stderr: "inherit",
    });
  }
}
