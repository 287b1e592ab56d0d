/**
 * A store of its own with real supervisors and workers on it, and obedient jobs for them; none of it outlives the
 * test.
 */
import { mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeadLetter, ProcessingJob } from "../../src/job/job.ts";
import { isDeadLetter } from "../../src/job/job.ts";
import type { JobSpec } from "../../src/job/spec.ts";
import { openStore } from "../../src/store/open.ts";
import type { Present } from "../../src/store/present.ts";
import type { Store } from "../../src/store/store.ts";
import { filesOptions, openFiles } from "./files-store.ts";
import type { StoreKind } from "./home.ts";
import { dropSchema, freshSchema } from "./postgres.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { until } from "./until.ts";
import { type Actor, isAlive, WorkerDirector } from "./worker-director.ts";

const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");

type Printing = Bun.Subprocess<"ignore", "pipe", "pipe">;

/** A running command and what it has printed so far. */
export class Started {
  readonly process: Printing;
  log = "";

  constructor(process: Printing) {
    this.process = process;
    void this.#read(process.stdout);
    void this.#read(process.stderr);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** The workers that it has started so far. */
  get workerPids(): number[] {
    return [...this.log.matchAll(/^Worker \d+ started with PID: (\d+)$/gm)].map(([, pid]) => Number(pid));
  }

  async says(words: string): Promise<void> {
    await until(() => this.log.includes(words), `"${words}" to be printed`);
  }

  /** Its exit code, or the signal that ended it. */
  async end(): Promise<number | string | null> {
    await this.process.exited;
    return this.process.signalCode ?? this.process.exitCode;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
  }
}

/** A schema, by its URL, and a proxy in front of its server for whatever is started. */
interface Connected {
  readonly url: string;
  readonly proxy: TcpProxy;
}

export class WorkerSandbox implements AsyncDisposable {
  readonly store: Store;
  readonly director = new WorkerDirector();
  readonly #directory: string;
  readonly #started: Started[] = [];
  readonly #database: Connected | undefined;

  private constructor(directory: string, store: Store, database?: Connected) {
    this.#directory = directory;
    this.store = store;
    this.#database = database;
  }

  static async on(kind: StoreKind): Promise<WorkerSandbox> {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), "supervision-")));
    const options = { warn: () => {} };
    if (kind === "files") {
      return new WorkerSandbox(directory, await openFiles(join(directory, "data"), options));
    }
    const url = await freshSchema();
    const env = { QUEUECTL_STORE: url };
    const store = await openStore({ ...filesOptions(directory), ...options, dataDir: undefined, env });
    const { hostname, port } = new URL(url);
    const proxy = await TcpProxy.start(Number(port || 5432), hostname);
    return new WorkerSandbox(directory, store, { url, proxy });
  }

  /** Where its workers write what jobs print. */
  get logs(): string {
    if (this.#database === undefined) return join(this.store.location, "logs");
    return join(this.#directory, "db", "data", this.store.mark.QUEUECTL_QUEUE ?? "", "logs");
  }

  /** The words of a command of this program on this store. */
  words(...args: string[]): string[] {
    return [process.execPath, MAIN, ...args, ...this.store.address.options];
  }

  start(...args: string[]): Started {
    return this.startIn([], ...args);
  }

  /** As `start`, by way of another program that runs what it is given. */
  startIn(program: readonly string[], ...args: string[]): Started {
    const started = new Started(
      Bun.spawn([...program, ...this.words(...args)], {
        cwd: this.#directory,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        env: this.#environment(),
      }),
    );
    this.#started.push(started);
    return started;
  }

  /** Takes the store away from whatever was started, until `unhideStore`: the data directory, or every connection. */
  hideStore(): void {
    if (this.#database === undefined) renameSync(this.store.location, join(this.#directory, "hidden"));
    this.#database?.proxy.refuse();
    this.#database?.proxy.cut();
  }

  async unhideStore(): Promise<void> {
    if (this.#database === undefined) renameSync(join(this.#directory, "hidden"), this.store.location);
    else await this.#database.proxy.accept();
  }

  /** Enqueues an obedient job of that name. */
  async enqueue(id: string, fields: Omit<JobSpec, "command"> = {}): Promise<void> {
    await this.store.enqueue([{ id, command: this.director.command(id), ...fields }]);
  }

  /** The next process of that name to run. */
  meet(name: string): Promise<Actor> {
    return this.director.meet(name);
  }

  /** Enqueues an obedient job of that name and waits until it runs. */
  async runs(name: string): Promise<Actor> {
    await this.enqueue(name);
    return this.meet(name);
  }

  /** Waits until workers are running. */
  async workers(count: number): Promise<Present[]> {
    return until(async () => {
      const workers = (await this.store.present()).filter(({ kind }) => kind === "worker");
      return workers.length === count && workers;
    }, `${count} workers to be present`);
  }

  /** Waits until this job is being run, and says by whom. */
  async running(id: string): Promise<ProcessingJob> {
    return until(async () => {
      const job = await this.store.get(id);
      return "state" in job && job.state === "processing" && job;
    }, `job ${id} to be processing`);
  }

  async state(id: string): Promise<string> {
    const entry = await this.store.get(id);
    return isDeadLetter(entry) ? "dead" : entry.state;
  }

  /** Waits until these jobs are completed. */
  async completed(...ids: string[]): Promise<void> {
    const isCompleted = async (id: string): Promise<boolean> => (await this.state(id)) === "completed";
    await until(async () => (await Promise.all(ids.map(isCompleted))).every(Boolean), `${ids} to be completed`);
  }

  async dead(id: string): Promise<DeadLetter> {
    return until(async () => {
      const entry = await this.store.get(id);
      return isDeadLetter(entry) && entry;
    }, `job ${id} to be in the dead letter queue`);
  }

  /** Waits until nobody is present and none of the processes that were started runs. */
  async deserted(): Promise<void> {
    const pids = this.#started.flatMap(({ pid, workerPids }) => [pid, ...workerPids]);
    await until(async () => (await this.store.present()).length === 0, "everyone to withdraw");
    await until(() => !pids.some(isAlive), "every process to end");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const present = await this.store.present();
    const pids = new Set([...this.#started, ...present].map(({ pid }) => pid));
    for (const pid of this.#started.flatMap(({ workerPids }) => workerPids)) pids.add(pid);
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    // All of them, or one that is just ending would still write into what is being removed.
    await until(() => ![...pids].some(isAlive), "every process to end");
    await this.store.close();
    rmSync(this.#directory, { recursive: true, force: true });
    this.director[Symbol.dispose]();
    if (this.#database === undefined) return;
    await this.#database.proxy[Symbol.asyncDispose]();
    await dropSchema(this.#database.url);
  }

  #environment(): Record<string, string | undefined> {
    const common = { PATH: process.env.PATH, HOME: this.#directory };
    if (this.#database === undefined) return common;
    const { url, proxy } = this.#database;
    const store = new URL(this.store.address.variables.QUEUECTL_STORE ?? "");
    store.host = `127.0.0.1:${proxy.port}`;
    return { ...common, QUEUECTL_STORE: store.href, PGPASSWORD: decodeURIComponent(new URL(url).password) };
  }
}
