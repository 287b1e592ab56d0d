/** Clocks that are set, pids and boots that come again, and workers that cannot be looked for from here. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessingJob } from "../../src/job/job.ts";
import type { StoreOptions } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { openFiles } from "../support/files-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const HOUR = 3_600_000;

describe("a clock that is set", () => {
  test.each([
    ["back", -HOUR],
    ["forward", HOUR],
  ])("%s by an hour takes no job from the worker that runs it, and lets it be finished", async (_name, step) => {
    await using stage = await Stage.open();
    await using worker = await stage.store.announce({ kind: "worker" });
    const job = await stage.claimedBy(worker.id);
    stage.now += step;
    expect(await stage.store.lost()).toEqual([]);
    await stage.exits(job, 0);
    expect(await stage.store.get("a")).toMatchObject({ state: "completed", attempts: 1 });
  });

  test("back by an hour keeps what is delayed until its time, and forward lets it go", async () => {
    await using stage = await Stage.open();
    const runAt = stage.now + 1000;
    await stage.store.enqueue([{ id: "later", command: "true", run_at: runAt }]);
    await stage.exits(await stage.claimedBy("worker-1"), 0);
    stage.now = runAt - HOUR;
    const early = await stage.store.settle([], { workerId: "worker-1", limit: 1 });
    expect(early).toEqual({ ended: [], claimed: [], nextDueAt: runAt });
    stage.now = runAt + HOUR;
    const { claimed } = await stage.store.settle([], { workerId: "worker-1", limit: 1 });
    expect(claimed).toMatchObject([{ id: "later" }]);
  });

  test("back while a job waits for its retry makes it wait longer, and loses nothing", async () => {
    await using stage = await Stage.open();
    await stage.exits(await stage.claimedBy("worker-1"), 1);
    const { nextDueAt = 0 } = await stage.store.settle([], { workerId: "worker-1", limit: 1 });
    stage.now -= HOUR;
    expect((await stage.store.settle([], { workerId: "worker-1", limit: 1 })).claimed).toEqual([]);
    stage.now = nextDueAt;
    expect((await stage.store.settle([], { workerId: "worker-1", limit: 1 })).claimed).toMatchObject([
      { id: "a", attempts: 2 },
    ]);
  });
});

describe("a worker's presence", () => {
  test.each([
    ["whose pid now belongs to another program", { start: "1" }],
    ["from before the machine was started anew", { boot: "another-boot" }],
  ])("%s is that of a dead one", async (_name, change) => {
    await using stage = await Stage.open();
    const { id } = await stage.store.announce({ kind: "worker" });
    await stage.claimedBy(id);
    stage.rewrite(id, change);
    expect(await stage.store.lost()).toMatchObject([{ workerId: id, jobs: [{ id: "a" }] }]);
  });

  test.each([
    ["another host", { host: "elsewhere" }],
    ["another container", { pidns: "pid:[1]" }],
  ])(
    "in %s is alive while its sign of life changes, and dead when it has not for ten seconds",
    async (_name, change) => {
      await using stage = await Stage.open();
      const { id } = await stage.store.announce({ kind: "worker" });
      await stage.claimedBy(id);
      stage.rewrite(id, change);
      for (let round = 1; round <= 5; round++) {
        stage.sign(id, round);
        expect(await stage.store.lost()).toEqual([]);
        stage.elapsed += 9_000;
      }
      expect(await stage.store.lost()).toEqual([]);
      stage.elapsed += 2_000;
      expect(await stage.store.lost()).toMatchObject([{ workerId: id, jobs: [{ id: "a" }] }]);
    },
  );

  test("in another container is not taken for dead because a clock was set", async () => {
    await using stage = await Stage.open();
    const { id } = await stage.store.announce({ kind: "worker" });
    await stage.claimedBy(id);
    stage.rewrite(id, { pidns: "pid:[1]" });
    for (const step of [HOUR, -2 * HOUR]) {
      stage.now += step;
      expect(await stage.store.lost()).toEqual([]);
    }
  });
});

/** A store with one job in it, and clocks that are ours. */
class Stage implements AsyncDisposable {
  readonly #directory = temporaryDirectory();
  now = Date.now();
  elapsed = 0;
  store!: Store;

  static async open(): Promise<Stage> {
    const stage = new Stage();
    const clocks: Partial<StoreOptions> = { now: () => stage.now, elapsed: () => stage.elapsed };
    stage.store = await openFiles(stage.#directory.path, clocks);
    await stage.store.enqueue([{ id: "a", command: "true" }]);
    return stage;
  }

  async claimedBy(workerId: string): Promise<ProcessingJob> {
    const [job] = (await this.store.settle([], { workerId, limit: 1 })).claimed;
    if (!job) throw new Error("nothing was claimed");
    return job;
  }

  async exits({ id, lease }: ProcessingJob, code: number): Promise<void> {
    await this.store.settle([{ id, lease, outcome: { kind: "exited", code } }]);
  }

  rewrite(workerId: string, change: object): void {
    const path = join(this.#directory.path, "workers", `${workerId}.json`);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
  }

  /** As it refreshes its sign, by whatever clock it has. */
  sign(workerId: string, seconds: number): void {
    const path = join(this.#directory.path, "workers", `${workerId}.json.lock`);
    mkdirSync(path, { recursive: true });
    utimesSync(path, seconds, seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    this.#directory[Symbol.dispose]();
  }
}
