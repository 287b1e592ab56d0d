/**
 * The processes that a torture runs: supervisors with their workers, and programs that enqueue. All of them, and all that
 * they start, carry a mark in their environment, by which none of them is left behind.
 */
import { openSync } from "node:fs";
import { join } from "node:path";
import type { Present } from "../store/present.ts";
import type { Store } from "../store/store.ts";
import { environmentForJobs } from "../worker/job-environment.ts";
import { pause } from "../worker/pause.ts";
import { self } from "../worker/self.ts";
import { processesWith } from "../worker/survivors.ts";
import type { Fault, FaultSignal, PlannedJob } from "./plan.ts";

const WORKERS_EACH = 2;
/** With fewer that can work, another supervisor is started. */
const MIN_WORKERS = 2;
const LOOK_EVERY_MS = 20;

export class Cast implements AsyncDisposable {
  readonly struck: Record<FaultSignal, number> = { SIGKILL: 0, SIGSTOP: 0, SIGTERM: 0, SIGINT: 0, SIGQUIT: 0 };
  readonly #store: Store;
  readonly #mark: Readonly<Record<string, string>>;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #log: number;
  readonly #frozen = new Set<number>();
  readonly #thaws: Promise<unknown>[] = [];
  readonly #supervisors = new Set<Bun.Subprocess>();

  /** `directory` is where their log goes; the mark is made of it. */
  constructor(store: Store, directory: string) {
    this.#store = store;
    this.#mark = { SELFTEST_IN: directory };
    this.#environment = { ...environmentForJobs(process.env), ...this.#mark };
    this.#log = openSync(join(directory, "workers.log"), "a", 0o600);
  }

  /** Starts supervisors until enough workers can work, or until `stop`. */
  async staff(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const able = (await this.#store.present()).filter(({ kind, pid }) => kind === "worker" && !this.#frozen.has(pid));
      if (able.length < MIN_WORKERS) {
        this.#startSupervisor();
        await this.#hasAnother(able, stop);
      }
      await pause(LOOK_EVERY_MS, stop);
    }
  }

  /** Strikes one of those that the fault is meant for; nobody, where there is none. */
  async strike({ signal, at, pick, thawedAfterMs }: Fault): Promise<void> {
    const targets = (await this.#store.present()).filter(({ kind, pid }) => kind === at && !this.#frozen.has(pid));
    const target = targets[Math.floor(pick * targets.length)];
    if (!target || !send(target.pid, signal)) return;
    this.struck[signal] += 1;
    if (signal !== "SIGSTOP") return;
    this.#frozen.add(target.pid);
    this.#thaws.push(pause(thawedAfterMs).then(() => this.#thaw(target.pid)));
  }

  /** Enqueues by way of a program that is killed. True when it came to say that it was done. */
  async enqueueUnderFire(spec: object, { killedAfterMs = 0 }: PlannedJob): Promise<boolean> {
    const program = Bun.spawn([...self, "enqueue", JSON.stringify(spec), "--data-dir", this.#store.location], {
      detached: true,
      stdin: "ignore",
      stdout: "pipe",
      stderr: this.#log,
      env: this.#environment,
    });
    await Promise.race([program.exited, pause(killedAfterMs)]);
    if (program.exitCode === null) program.kill("SIGKILL");
    return (await program.stdout.text()).includes("Job enqueued");
  }

  /** Lets everyone go on who was frozen, then asks all to leave and waits until they have. */
  async leave(): Promise<void> {
    await Promise.all(this.#thaws);
    for (const supervisor of this.#supervisors) supervisor.kill("SIGTERM");
    await Promise.all(Array.from(this.#supervisors, ({ exited }) => exited));
    while ((await this.#store.present()).length > 0) {
      for (const { pid } of await this.#store.present()) send(pid, "SIGTERM");
      await pause(LOOK_EVERY_MS);
    }
  }

  /** The processes that are still there, of jobs too. */
  left(): number[] {
    return processesWith(this.#mark);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let left = this.left(); left.length > 0; left = this.left()) {
      for (const pid of left) send(pid, "SIGKILL");
      await pause(LOOK_EVERY_MS);
    }
  }

  #startSupervisor(): void {
    // With --drain they leave by themselves, should this process be killed.
    const words = ["worker-start", "--count", String(WORKERS_EACH), "--drain", "--data-dir", this.#store.location];
    const supervisor = Bun.spawn([...self, ...words], {
      // A session of its own: the ^C of a terminal is for this process, which ends the others in its own way.
      detached: true,
      stdin: "ignore",
      stdout: this.#log,
      stderr: this.#log,
      env: this.#environment,
    });
    this.#supervisors.add(supervisor);
    void supervisor.exited.then(() => this.#supervisors.delete(supervisor));
  }

  async #hasAnother(before: readonly Present[], stop: AbortSignal): Promise<void> {
    const known = new Set(before.map(({ pid }) => pid));
    const isNew = ({ kind, pid }: Present): boolean => kind === "worker" && !known.has(pid);
    for (let looks = 0; looks < 100 && !stop.aborted; looks++) {
      if ((await this.#store.present()).some(isNew)) return;
      await pause(LOOK_EVERY_MS, stop);
    }
  }

  #thaw(pid: number): void {
    send(pid, "SIGCONT");
    this.#frozen.delete(pid);
  }
}

/** False when it has ended meanwhile. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
