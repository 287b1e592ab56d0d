/**
 * One worker dies or freezes at one step of its work, while another goes on; then what the jobs wrote down is held against
 * how they ended.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "../../src/failpoint.ts";
import { type JobKind, jobCommand, parseLedger } from "../../src/selftest/execution-ledger.ts";
import { type Violation, violationsOf } from "../../src/selftest/invariants.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { failingBundle, processState } from "./failing-program.ts";
import { filesOptions } from "./files-store.ts";
import type { StoreKind } from "./home.ts";
import { dropSchema, freshSchema } from "./postgres.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

const PROGRAM = await failingBundle(join(import.meta.dir, "../../src/main.ts"));

export interface WorkerScenario {
  readonly store: StoreKind;
  readonly step: Step;
  /** The how manieth time that the worker comes there. */
  readonly nth?: number;
  /** Dies, freezes for a while, or is refused the step by the disk. */
  readonly how: "kill" | "stop" | "EIO";
  readonly kinds: readonly JobKind[];
  /** It meets the job of a worker that was killed while it ran it. */
  readonly afterDeath?: boolean;
  /** Sent to it once a job runs. */
  readonly asked?: NodeJS.Signals;
}

/** What should not be. Throws when the step was never reached. */
export async function violationsIn(scenario: WorkerScenario): Promise<Violation[]> {
  await using stage = await Stage.open(scenario);
  const { step, nth = 1, how, asked, afterDeath } = scenario;
  if (afterDeath) await stage.worker("spawned:1:kill").ended("SIGKILL");
  const victim = stage.worker(`${step}:${nth}:${how}`, ...(how === "EIO" ? ["--drain"] : []));
  if (how === "EIO") {
    await victim.ended(0);
    return await stage.violations();
  }
  if (asked) {
    await stage.hasStarted();
    victim.signal(asked);
  }
  if (how === "kill") await victim.ended("SIGKILL");
  else await victim.frozen();
  const other = stage.worker("", "--drain");
  if (how === "stop") {
    await stage.hasOnlyProcessing();
    victim.signal("SIGCONT");
  }
  await other.ended(0);
  if (how === "stop") {
    // One that was asked before is leaving already.
    if (!asked) victim.signal("SIGTERM");
    await victim.ended(0);
  }
  return await stage.violations();
}

/** A queue with some jobs in it, and its workers. */
class Stage implements AsyncDisposable {
  readonly #directory = temporaryDirectory();
  readonly #ledger = join(this.#directory.path, "executions.txt");
  readonly #ids: string[] = [];
  readonly #workers: Worker[] = [];
  /** The schema that the store is in, if it is in PostgreSQL. */
  readonly #url: string | undefined;
  #store: Store | undefined;

  private constructor(url: string | undefined) {
    this.#url = url;
  }

  static async open({ store: kind, kinds }: WorkerScenario): Promise<Stage> {
    const url = kind === "files" ? undefined : await freshSchema();
    const stage = new Stage(url);
    const data = join(stage.#directory.path, "data");
    const place = url === undefined ? { dataDir: data } : { dataDir: undefined, env: stage.#environment };
    const store = await openStore({ ...filesOptions(data), warn: () => {}, ...place });
    stage.#store = store;
    await store.setConfig("backoff_base", 0);
    await store.setConfig("kill_grace", 200);
    for (const [index, kind] of kinds.entries()) {
      const id = `${kind}-${index + 1}`;
      await store.enqueue([{ id, command: jobCommand(kind, stage.#ledger), max_retries: 5 }]);
      stage.#ids.push(id);
    }
    return stage;
  }

  worker(failpoint: string, ...options: string[]): Worker {
    const words = [...this.#opened.address.options, ...options];
    const worker = new Worker(words, { ...this.#environment, QUEUECTL_FAILPOINT: failpoint });
    this.#workers.push(worker);
    return worker;
  }

  async hasStarted(): Promise<void> {
    await until(() => existsSync(this.#ledger), "a job to start");
  }

  /** Whatever others could do has been done. */
  async hasOnlyProcessing(): Promise<void> {
    await until(async () => (await this.#opened.counts()).pending === 0, "all to be claimed");
  }

  async violations(): Promise<Violation[]> {
    const entries = [...(await this.#opened.list()), ...(await this.#opened.deadLetters())];
    const lines = existsSync(this.#ledger) ? parseLedger(readFileSync(this.#ledger, "utf8")) : [];
    const ids = new Set(this.#ids);
    return violationsOf({ acknowledged: ids, attempted: ids, lines, entries });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.signal("SIGKILL");
    await Promise.all(this.#workers.map((worker) => worker.gone()));
    await this.#store?.close();
    this.#directory[Symbol.dispose]();
    if (this.#url !== undefined) await dropSchema(this.#url);
  }

  get #environment(): Record<string, string> {
    if (this.#url === undefined) return {};
    return { QUEUECTL_STORE: this.#url, QUEUECTL_DATA_DIR: join(this.#directory.path, "data") };
  }

  get #opened(): Store {
    if (!this.#store) throw new Error("the store has not been opened");
    return this.#store;
  }
}

/** A worker without a supervisor. */
class Worker {
  readonly #child: Bun.Subprocess;

  constructor(options: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = Bun.spawn([process.execPath, PROGRAM, "__worker", ...options], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      env: { PATH: process.env.PATH, ...env },
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async ended(how: number | string): Promise<void> {
    await this.#child.exited;
    const end = this.#child.signalCode ?? this.#child.exitCode;
    if (end !== how) throw new Error(`The worker ended with ${end} and not with ${how}.`);
  }

  /** Resolves once it has frozen itself. */
  async frozen(): Promise<void> {
    await until(() => {
      if (this.#child.exitCode !== null) throw new Error("The worker ended without reaching its failpoint.");
      return processState(this.#child.pid) === "T";
    }, "the worker to freeze at its failpoint");
  }

  async gone(): Promise<void> {
    await this.#child.exited;
  }
}
