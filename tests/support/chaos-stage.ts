/**
 * A queue on a PostgreSQL server with real supervisors, workers and enqueuing programs on it, which are free to be hurt in
 * every way; then what the jobs wrote down is held against how they ended.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { HOPELESS, type JobKind, jobCommand, parseLedger } from "../../src/selftest/execution-ledger.ts";
import { type Violation, violationsOf } from "../../src/selftest/invariants.ts";
import { openPostgres } from "../../src/store/postgres/open.ts";
import type { Store } from "../../src/store/store.ts";
import { Home } from "./home.ts";
import { HERE, type Machine } from "./machine.ts";
import type { Ended, RunningProgram } from "./running-program.ts";
import { until } from "./until.ts";

export interface Verdict {
  readonly jobs: number;
  readonly completed: number;
  readonly dead: number;
  readonly attempts: number;
  readonly violations: readonly Violation[];
  /** Jobs that were started more often than they would have been in peace. */
  readonly rerun: readonly string[];
}

/** Of supervisors. */
interface Crew {
  readonly workers?: number;
  readonly concurrency?: number;
  readonly drain?: boolean;
  readonly machine?: Machine;
  /** Where the store is for them, if not where it is. */
  readonly url?: string;
}

/** So often a job may be killed. The hopeless end in the DLQ after their third attempt. */
const RETRIES = { hopeless: 2, hopeful: 1000 };
const PATIENCE = { timeoutMs: 90_000 };

export class ChaosStage implements AsyncDisposable {
  readonly home: Home;
  /** By its own connection: it sees what is there, whatever the others are going through. */
  readonly store: Store;
  readonly url: string;
  readonly #ledger: LedgerTail;
  readonly #kinds = new Map<string, JobKind>();
  readonly #acknowledged = new Set<string>();
  readonly #crew: RunningProgram[] = [];

  private constructor(home: Home, store: Store, url: string) {
    this.home = home;
    this.store = store;
    this.url = url;
    this.#ledger = new LedgerTail(join(home.path, "executions.txt"));
  }

  /** `url` names the schema. */
  static async open(url: string): Promise<ChaosStage> {
    const home = new Home();
    const store = await openPostgres({
      url,
      env: {},
      dataDirectory: join(home.path, "control"),
      found: "in the environment",
      now: Date.now,
      random: Math.random,
      elapsed: () => performance.now(),
      overrides: {},
      warn: () => {},
    });
    await store.setConfig("backoff_base", 0);
    await store.setConfig("kill_grace", 200);
    return new ChaosStage(home, store, url);
  }

  /** The attempts that came to their end so far. */
  get ended(): number {
    return this.#ledger.countEnds();
  }

  /** The supervisors that have not ended. */
  get crew(): RunningProgram[] {
    return this.#crew.filter(({ hasEnded }) => !hasEnded);
  }

  /** How often a worker has said so far that it cannot use the queue. */
  get troubles(): number {
    return this.#crew.reduce((sum, { stdout }) => sum + stdout.split("cannot use the queue").length - 1, 0);
  }

  start({ workers = 2, concurrency = 2, drain = false, machine = HERE, url = this.url }: Crew = {}): RunningProgram {
    const words = ["worker-start", "--count", `${workers}`, "--concurrency", `${concurrency}`];
    const command = [...machine.program, ...words, ...(drain ? ["--drain"] : [])];
    const supervisor = this.home.startOther(command, { env: { ...machine.env, QUEUECTL_STORE: url } });
    this.#crew.push(supervisor);
    return supervisor;
  }

  /** Enqueues one job by a program that runs to its end. */
  async enqueue(kind: JobKind): Promise<Ended> {
    const [spec] = this.#specs([kind]);
    const ended = await this.home.runIn({ env: { QUEUECTL_STORE: this.url } }, "enqueue", JSON.stringify(spec));
    if (ended.exitCode === 0) this.#acknowledged.add(spec?.id ?? "");
    return ended;
  }

  /** Enqueues many by one program, all or none. */
  async enqueueMany(kinds: readonly JobKind[]): Promise<void> {
    const specs = this.#specs(kinds);
    this.home.write("many.jsonl", specs.map((spec) => `${JSON.stringify(spec)}\n`).join(""));
    const words = ["enqueue", "--file", "many.jsonl", "--atomic"];
    const { exitCode, stderr } = await this.home.runIn({ env: { QUEUECTL_STORE: this.url } }, ...words);
    if (exitCode !== 0) throw new Error(`Jobs could not be enqueued: ${stderr}`);
    for (const { id } of specs) this.#acknowledged.add(id);
  }

  /** Adds jobs by way of this process. */
  async add(kinds: readonly JobKind[]): Promise<void> {
    for (const { id } of await this.store.enqueue(this.#specs(kinds))) this.#acknowledged.add(id);
  }

  /** Waits until so many more attempts have come to their end. */
  async goesOn(attempts = 5): Promise<void> {
    const goal = this.ended + attempts;
    await until(() => this.ended >= goal, `${attempts} more attempts to end`, PATIENCE);
  }

  /** Waits until every job has ended, asks everyone to leave, and looks at what there is. */
  async finish(): Promise<Verdict> {
    let ended = -1;
    // As long as any ends, there is hope.
    while (ended < this.ended && !(await this.#isDone())) {
      ended = this.ended;
      await until(async () => this.ended > ended || (await this.#isDone()), "every job to end", PATIENCE);
    }
    const leaving = this.crew;
    for (const supervisor of leaving) supervisor.kill("SIGTERM");
    await Promise.all(leaving.map((supervisor) => supervisor.end()));
    await this.home.deserted();
    return this.#verdict();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
    await this.store.close();
  }

  async #isDone(): Promise<boolean> {
    const { pending, processing } = await this.store.counts();
    return pending + processing === 0;
  }

  #specs(kinds: readonly JobKind[]): { id: string; command: string; max_retries: number }[] {
    return kinds.map((kind) => {
      const id = `${kind}-${this.#kinds.size + 1}`;
      this.#kinds.set(id, kind);
      const max_retries = HOPELESS.has(kind) ? RETRIES.hopeless : RETRIES.hopeful;
      return { id, command: jobCommand(kind, this.#ledger.path), max_retries };
    });
  }

  async #verdict(): Promise<Verdict> {
    const lines = existsSync(this.#ledger.path) ? parseLedger(readFileSync(this.#ledger.path, "utf8")) : [];
    const dead = await this.store.deadLetters();
    const entries = [...(await this.store.list()), ...dead];
    for await (const batch of this.store.archived()) entries.push(...batch);
    const starts = Map.groupBy(
      lines.filter(({ what }) => what === "start"),
      ({ job }) => job,
    );
    const attempted = new Set(this.#kinds.keys());
    return {
      jobs: this.#acknowledged.size,
      completed: entries.length - dead.length,
      dead: dead.length,
      attempts: lines.filter(({ what }) => what === "start").length,
      violations: violationsOf({ acknowledged: this.#acknowledged, attempted, lines, entries }),
      rerun: [...starts].filter(([id, { length }]) => length > startsInPeace(this.#kinds.get(id))).map(([id]) => id),
    };
  }
}

function startsInPeace(kind: JobKind | undefined): number {
  if (kind === undefined) return 0;
  if (kind === "recovers") return 2;
  return HOPELESS.has(kind) ? RETRIES.hopeless + 1 : 1;
}

/** Reads on in a ledger where it stopped the last time. */
class LedgerTail {
  readonly path: string;
  #offset = 0;
  #ends = 0;

  constructor(path: string) {
    this.path = path;
  }

  countEnds(): number {
    if (!existsSync(this.path)) return 0;
    const fd = openSync(this.path, "r");
    try {
      const bytes = Buffer.alloc(64 * 1024);
      for (;;) {
        const read = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, this.#offset));
        const whole = read.subarray(0, read.lastIndexOf("\n") + 1);
        if (whole.length === 0) return this.#ends;
        this.#offset += whole.length;
        this.#ends += whole.toString("latin1").match(/^end /gm)?.length ?? 0;
      }
    } finally {
      closeSync(fd);
    }
  }
}
