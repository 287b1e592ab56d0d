/**
 * The attempts that a worker is at: begun, ended when that is wanted, and what became of each. Nothing is begun once the
 * worker has been asked to leave.
 */
import type { Config } from "../config.ts";
import { isWebhook } from "../job/hook.ts";
import type { Lease, ProcessingJob } from "../job/job.ts";
import type { AttemptEnd } from "../job/lifecycle.ts";
import type { Outcome } from "../job/outcome.ts";
import type { OpenAttemptLog } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { environmentForJobs, environmentForWebhook } from "./job-environment.ts";
import { type Interruption, type RunningCommand, type RunOptions, runCommand } from "./run-command.ts";
import type { StopRequest } from "./stop-request.ts";

export interface AttemptsOptions {
  readonly stop: StopRequest;
  readonly isFenced: () => boolean;
  /** The log of an attempt; undefined when the worker is to leave before there is one. */
  readonly openLog: (job: ProcessingJob) => Promise<OpenAttemptLog | undefined>;
  /** The settings; undefined when the worker is to leave before they can be read. */
  readonly config: () => Promise<Config | undefined>;
  readonly killGraceMs: () => Promise<number>;
  readonly maxLogBytes: () => Promise<number>;
}

const RELEASED: Interruption = { kind: "released" };

export class Attempts {
  readonly #store: Store;
  readonly #options: AttemptsOptions;
  readonly #environment = environmentForJobs(process.env);
  readonly #commands = new Map<Lease, RunningCommand>();
  /** From the first one on the same code runs for every job, which pays for compiling it (build.ts). Waiting does not. */
  #isFirst = true;

  constructor(store: Store, options: AttemptsOptions) {
    this.#store = store;
    this.#options = options;
  }

  async run(job: ProcessingJob): Promise<AttemptEnd> {
    if (this.#isFirst) Bun.unsafe.setJITPolicy(1);
    this.#isFirst = false;
    return { id: job.id, lease: job.lease, outcome: await this.#outcomeOf(job) };
  }

  /** Hands back all that run, unfinished; with `atOnce` without the grace. */
  release(how?: { atOnce: boolean }): void {
    for (const command of this.#commands.values()) command.end(RELEASED, how);
  }

  /** Ends the attempt of this lease, if it is one of these. */
  cancel(lease: Lease): void {
    this.#commands.get(lease)?.end({ kind: "canceled" });
  }

  async #outcomeOf(job: ProcessingJob): Promise<Outcome> {
    const { stop, isFenced, openLog, killGraceMs, maxLogBytes } = this.#options;
    // Asked to leave before anything was started: nobody is helped by starting it now.
    if (stop.gently.aborted) return RELEASED;
    // By the clock that the claim was made by.
    if (job.expires_at !== undefined && job.expires_at <= job.processing_started_at) return { kind: "expired" };
    const env = await this.#environmentOf(job);
    const log = env && (await openLog(job));
    if (!log) return RELEASED;
    const command = runCommand(job, { store: this.#store, log, env, killGraceMs, maxLogBytes });
    this.#commands.set(job.lease, command);
    if (stop.now.aborted) command.end(RELEASED);
    if (isFenced()) command.end(RELEASED, { atOnce: true });
    const outcome = await command.outcome;
    this.#commands.delete(job.lease);
    return outcome;
  }

  async #environmentOf(job: ProcessingJob): Promise<RunOptions["env"] | undefined> {
    if (!isWebhook(job)) return this.#environment;
    const config = await this.#options.config();
    return config && { ...this.#environment, ...environmentForWebhook(config) };
  }
}
