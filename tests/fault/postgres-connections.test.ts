/**
 * What networks do to the connection of a worker, by a proxy in front of it: its running job is left alone as long as
 * nobody else may have it, and ended before anybody else may. Who runs what is seen by jobs that connect to the test.
 * The waits are those of the program itself: 10 s until a worker fences itself, 15 s until another takes its job.
 */
import { expect, test } from "bun:test";
import { isDeadLetter } from "../../src/job/job.ts";
import { ChaosStage } from "../support/chaos-stage.ts";
import { type Machine, machineNamed } from "../support/machine.ts";
import { freshSchema, inSchema } from "../support/postgres.ts";
import type { RunningProgram } from "../support/running-program.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { type Actor, isAlive, WorkerDirector } from "../support/worker-director.ts";

const FENCED = "was out of sight for too long: ending 1 running job";
const PATIENCE = { timeoutMs: 60_000 };

test.concurrent("a cut leaves the running job alone, and its outcome is reported as soon as that can be done", async () => {
  await using network = await Network.open();
  const worker = await network.worker("a");
  const job = await network.runs("p1");
  network.proxy.refuse();
  network.proxy.cut();
  await job.tell({ do: "exit", code: 0 });
  await worker.says("cannot use the queue");
  expect(await network.stateOf("p1")).toEqual(["processing", 1]);
  await network.proxy.accept();
  await network.has("p1", "completed", 1);
  const next = await network.runs("p2");
  network.proxy.cut();
  await next.tell({ do: "exit", code: 0 });
  await network.has("p2", "completed", 1);
});

test.concurrent("a worker tries again once the database is back, and not when it would have tried next", async () => {
  await using network = await Network.open();
  const worker = await network.worker("a");
  const job = await network.runs("p1");
  network.proxy.refuse();
  network.proxy.cut();
  await job.tell({ do: "exit", code: 0 });
  await until(() => worker.stdout.includes("→ retry in 16s"), "the worker to wait for long", PATIENCE);
  await network.proxy.accept();
  await until(async () => (await network.stateOf("p1"))[0] === "completed", "p1 to be completed soon", {
    timeoutMs: 12_000,
  });
});

test.concurrent("a table that somebody has locked ends no job, and nobody waits for it without being waited for", async () => {
  await using network = await Network.open();
  const worker = await network.worker("a");
  const job = await network.runs("p1");
  await using lock = await network.lock("jobs");
  // Time enough for the worker to be fenced, if it could not renew its presence meanwhile.
  await network.isSeenAgain(job.hello.variables.QUEUECTL_WORKER_ID ?? "", { afterMs: 11_000 });
  expect(await lock.waiting()).toBeLessThanOrEqual(1);
  expect(worker.stdout.match(/cannot use the queue: .* somebody holds a lock on what is needed\./g)).toHaveLength(1);
  await job.tell({ do: "exit", code: 0 });
  await lock.release();
  await network.has("p1", "completed", 1);
  expect(worker.stdout).not.toContain("out of sight");
});

test.concurrent("half-open connections are given up before the worker is taken for dead, and no job of it is ended", async () => {
  await using network = await Network.open();
  const worker = await network.worker("a");
  const job = await network.runs("p1");
  const other = await network.worker("b", { direct: true });
  network.proxy.halfOpen();
  await network.isSeenAgain(job.hello.variables.QUEUECTL_WORKER_ID ?? "");
  await job.tell({ do: "exit", code: 0 });
  await network.has("p1", "completed", 1);
  expect(worker.stdout + other.stdout).not.toContain("out of sight");
});

test.concurrent("a worker that is out of sight ends its job, takes no other, and works again when it is back", async () => {
  await using network = await Network.open();
  const worker = await network.worker("a");
  const job = await network.runs("p1");
  network.proxy.stall();
  await until(() => worker.stdout.includes(FENCED), "the worker to fence itself", PATIENCE);
  await job.gone();
  await network.enqueue("p2");
  network.proxy.flow();
  // It handed the job back, which nobody had taken: that attempt is not charged.
  for (const id of ["p1", "p2"]) await (await network.director.meet(id)).tell({ do: "exit", code: 0 });
  await network.has("p1", "completed", 1);
  await network.has("p2", "completed", 1);
});

test.concurrent("the job of a worker that is out of sight is run by another machine, after it has been ended here", async () => {
  await using network = await Network.open();
  const fenced = await network.worker("a");
  const job = await network.runs("p1");
  const rescuer = await network.worker("b", { direct: true });
  network.proxy.stall();
  const again = await network.runsAgain("p1");
  expect(isAlive(job.hello.pid)).toBe(false);
  expect(fenced.stdout).toContain(FENCED);
  expect(rescuer.stdout).toContain("[RESCUE]");
  network.proxy.flow();
  // It learns that the job is not its own any more, and goes on with others while that runs.
  await fenced.says("Lost job: p1");
  const next = await network.runs("p2");
  expect(next.hello.variables.QUEUECTL_WORKER_ID).toBe(job.hello.variables.QUEUECTL_WORKER_ID);
  for (const actor of [again, next]) await actor.tell({ do: "exit", code: 0 });
  await network.has("p1", "completed", 2);
});

test.concurrent("the job of a machine that is gone is run by another", async () => {
  await using network = await Network.open();
  const gone = await network.worker("a");
  const job = await network.runs("p1");
  const rescuer = await network.worker("b", { direct: true });
  // As by a loss of power: all of it at once.
  for (const pid of [...gone.workerPids, gone.pid, job.hello.pid]) process.kill(pid, "SIGKILL");
  const again = await network.runsAgain("p1");
  await again.tell({ do: "exit", code: 0 });
  await network.has("p1", "completed", 2);
  expect(rescuer.stdout).toContain("[RESCUE]");
});

/** A queue, a proxy in front of its server, workers on machines of their own, and obedient jobs. */
class Network implements AsyncDisposable {
  readonly director = new WorkerDirector();
  readonly proxy: TcpProxy;
  readonly #stage: ChaosStage;

  private constructor(stage: ChaosStage, proxy: TcpProxy) {
    this.#stage = stage;
    this.proxy = proxy;
  }

  static async open(): Promise<Network> {
    const stage = await ChaosStage.open(await freshSchema());
    return new Network(stage, await TcpProxy.start(Number(new URL(stage.url).port)));
  }

  /** One worker that runs one job at a time, behind the proxy unless it is connected directly. */
  async worker(name: string, { direct = false } = {}): Promise<RunningProgram> {
    const url = new URL(this.#stage.url);
    if (!direct) url.port = `${this.proxy.port}`;
    const machine: Machine = await machineNamed(name);
    const before = await this.#countWorkers();
    const supervisor = this.#stage.start({ machine, url: url.href, workers: 1, concurrency: 1 });
    await until(async () => (await this.#countWorkers()) > before, `the worker on machine ${name}`);
    return supervisor;
  }

  async enqueue(id: string): Promise<void> {
    await this.#stage.store.enqueue([{ id, command: this.director.command(id) }]);
  }

  async runs(id: string): Promise<Actor> {
    await this.enqueue(id);
    return this.director.meet(id);
  }

  async runsAgain(id: string): Promise<Actor> {
    await until(() => this.director.runs(id) > 1, `${id} to run again`, PATIENCE);
    return this.director.meet(id);
  }

  async stateOf(id: string): Promise<[state: string, attempts: number]> {
    const entry = await this.#stage.store.get(id);
    return [isDeadLetter(entry) ? "dead" : entry.state, entry.attempts];
  }

  /** Waits until the job is in this state after so many attempts. */
  async has(id: string, state: string, attempts: number): Promise<void> {
    const wanted: [string, number] = [state, attempts];
    await until(async () => Bun.deepEquals(await this.stateOf(id), wanted), `${id} to be ${wanted}`, PATIENCE);
  }

  /** Waits until this worker renews its presence, so long after the last time, by the database's clock. */
  async isSeenAgain(workerId: string, { afterMs = 0 } = {}): Promise<void> {
    await using sql = inSchema(this.#stage.url);
    const renewedAt = async (): Promise<number> => {
      const [row] = await sql`SELECT renewed_at FROM presence WHERE id = ${workerId}`;
      return Number(row.renewed_at);
    };
    const before = await renewedAt();
    await until(async () => (await renewedAt()) > before + afterMs, `${workerId} to be seen again`, PATIENCE);
  }

  /** Locks a table against everybody, until it is released. */
  async lock(table: string): Promise<Lock> {
    return Lock.take(inSchema(this.#stage.url), table);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.director[Symbol.dispose]();
    await this.#stage[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
  }

  async #countWorkers(): Promise<number> {
    return (await this.#stage.store.present()).filter(({ kind }) => kind === "worker").length;
  }
}

class Lock implements AsyncDisposable {
  readonly #sql: Bun.SQL;

  private constructor(sql: Bun.SQL) {
    this.#sql = sql;
  }

  static async take(sql: Bun.SQL, table: string): Promise<Lock> {
    // The one connection that it has.
    await sql.unsafe(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    return new Lock(sql);
  }

  /** How many connections wait for it. */
  async waiting(): Promise<number> {
    const rows = await this.#sql`
      SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))`;
    return rows.length;
  }

  async release(): Promise<void> {
    await this.#sql.unsafe("ROLLBACK");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.close();
  }
}
