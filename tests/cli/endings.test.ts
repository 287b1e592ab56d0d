/** What a signal does, to whom, and when: the table of README, row by row. The exit code is that of `worker-start`. */
import { describe, expect, test } from "bun:test";
import { isDeadLetter } from "../../src/job/job.ts";
import { Home, STORES, type StoreKind } from "../support/home.ts";
import type { RunningProgram } from "../support/running-program.ts";
import { until } from "../support/until.ts";
import { type Actor, isAlive, WorkerDirector } from "../support/worker-director.ts";

type Signal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT" | "SIGKILL";

/** `finished` and `released` say what became of the job, `rescued` and `failed` that its attempt was charged. */
type Fate = "finished" | "released" | "rescued" | "failed";

type Row = readonly [signal: Signal, exitCode: number | string, fate: Fate];

const SUPERVISOR: readonly Row[] = [
  ["SIGINT", 130, "finished"],
  ["SIGTERM", 0, "finished"],
  ["SIGHUP", 0, "finished"],
  ["SIGQUIT", 0, "released"],
  ["SIGKILL", "SIGKILL", "finished"],
];

/** A supervisor whose only worker has left in good order leaves, too. */
const WORKER: readonly Row[] = [
  ["SIGINT", 0, "finished"],
  ["SIGTERM", 0, "finished"],
  ["SIGHUP", 0, "finished"],
  ["SIGQUIT", 0, "released"],
];

const JOB: readonly Row[] = (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL"] as const).map((signal) => [
  signal,
  0,
  "failed",
]);

const WORKING = STORES.flatMap((store) => [["busy", store] as const, ["draining", store] as const]);

describe.each(WORKING)("to the supervisor of a worker that is %s [%s]", (when, store) => {
  test.concurrent.each(SUPERVISOR)("%s: exit code %p, the job is %s", async (signal, exitCode, fate) => {
    await using stage = await Stage.open(store, when);
    stage.terminal.kill(signal);
    await stage.ends({ exitCode, fate });
  });
});

describe.each(WORKING)("to a worker that is %s [%s]", (when, store) => {
  test.concurrent.each(WORKER)("%s: exit code %p, the job is %s", async (signal, exitCode, fate) => {
    await using stage = await Stage.open(store, when);
    process.kill(stage.workerPid, signal);
    await stage.ends({ exitCode, fate });
  });

  test.concurrent("SIGKILL: its supervisor starts another, the job is rescued", async () => {
    await using stage = await Stage.open(store, when);
    process.kill(stage.workerPid, "SIGKILL");
    await stage.terminal.says("died (killed by SIGKILL) → restart");
    await stage.becomes("rescued");
    stage.terminal.kill("SIGQUIT");
    expect((await stage.terminal.end()).exitCode).toBe(0);
  });
});

describe.each(STORES)("to everyone while nothing runs [%s]", (store) => {
  test.concurrent.each(SUPERVISOR)("%s to the supervisor: exit code %p", async (signal, exitCode) => {
    await using stage = await Stage.open(store, "idle");
    stage.terminal.kill(signal);
    expect((await stage.terminal.end()).exitCode).toBe(exitCode);
    await stage.home.deserted();
  });

  test.concurrent.each(WORKER)("%s to the worker: exit code %p", async (signal, exitCode) => {
    await using stage = await Stage.open(store, "idle");
    process.kill(stage.workerPid, signal);
    expect((await stage.terminal.end()).exitCode).toBe(exitCode);
    await stage.home.deserted();
  });
});

describe.each(STORES)("to the job itself [%s]", (store) => {
  test.concurrent.each(JOB)("%s: the worker goes on, the attempt has failed", async (signal) => {
    await using stage = await Stage.open(store, "busy");
    process.kill(stage.job?.hello.pid ?? 0, signal);
    await stage.becomes("failed");
    expect(await stage.home.entry("job")).toMatchObject({ last_error: expect.stringContaining(signal) });
    expect(isAlive(stage.workerPid)).toBe(true);
    stage.terminal.kill("SIGQUIT");
    await stage.terminal.end();
  });
});

/** A supervisor with one worker. */
class Stage implements AsyncDisposable {
  readonly home: Home;
  readonly #director = new WorkerDirector();
  terminal!: RunningProgram;
  job: Actor | undefined;

  private constructor(home: Home) {
    this.home = home;
  }

  static async open(store: StoreKind, when: "idle" | "busy" | "draining"): Promise<Stage> {
    const stage = new Stage(await Home.on(store));
    const { home } = stage;
    if (when !== "idle") await home.enqueue({ id: "job", command: stage.#director.command("job") });
    stage.terminal = home.start("worker-start", ...(when === "draining" ? ["--drain"] : []));
    if (when === "idle") await until(async () => (await home.obey("status")).includes("activeWorkers: 1"), "a worker");
    else stage.job = await stage.#director.meet("job");
    return stage;
  }

  get workerPid(): number {
    return this.terminal.workerPids[0] ?? 0;
  }

  /** Lets a job that is to be finished come to its end, and waits until everyone has left. */
  async ends({ exitCode, fate }: { exitCode: number | string; fate: Fate }): Promise<void> {
    if (fate === "finished") {
      await this.terminal.says("Stopping (");
      expect(isAlive(this.job?.hello.pid ?? 0)).toBe(true);
      await this.job?.tell({ do: "exit", code: 0 });
    }
    expect((await this.terminal.end()).exitCode).toBe(exitCode);
    await this.home.deserted();
    await this.becomes(fate);
  }

  async becomes(fate: Fate): Promise<void> {
    await until(async () => (await this.#fate()) === fate, `the job to be ${fate}`);
  }

  async #fate(): Promise<Fate | undefined> {
    const entry = await this.home.entry("job");
    if (isDeadLetter(entry)) return undefined;
    if (entry.state === "completed") return entry.attempts === 1 ? "finished" : undefined;
    if (entry.state === "pending" && entry.attempts === 0) return "released";
    if (entry.last_error === undefined) return undefined;
    return entry.last_error.startsWith("worker worker-") ? "rescued" : "failed";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
    this.#director[Symbol.dispose]();
  }
}
