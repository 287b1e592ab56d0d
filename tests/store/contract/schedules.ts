import { expect } from "bun:test";
import type { Schedule } from "../../../src/job/schedule.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Contract, claimed, end, ids, refusal, SUCCESS, T0 } from "./bench.ts";

const MINUTE = 60_000;
/** The first full minute from the beginning of the test on. */
const FIRST = Math.ceil(T0 / MINUTE) * MINUTE;
const MINUTES_A_DAY = 1440;

function schedule(own: Partial<Schedule> = {}): Schedule {
  const spec = { command: "make", queue: "nightly" };
  const policies = { catch_up: "one", overlap: "queue" } as const;
  return { name: "s", cron: "* * * * *", tz: "UTC", spec, ...policies, created_at: T0, next_at: FIRST, ...own };
}

export const schedulesContract: Contract = {
  "are listed by name, for every handle, until they are removed": async (bench) => {
    const other = await bench.another();
    const [b, a] = [schedule({ name: "b" }), schedule({ name: "a", overlap: "skip" })];
    for (const one of [b, a]) await bench.store.schedules.add(one);
    expect(await other.schedules.list()).toEqual([a, b]);
    await other.schedules.remove("b");
    expect(await bench.store.schedules.list()).toEqual([a]);
    expect(await refusal(bench.store.schedules.remove("b"))).toBe("E_SCHEDULE_NOT_FOUND");
  },

  "of a name that is taken are refused, or replaced where that is wanted": async ({ store }) => {
    await store.schedules.add(schedule());
    const other = schedule({ cron: "@daily" });
    expect(await refusal(store.schedules.add(other))).toBe("E_SCHEDULE_EXISTS");
    expect(await store.schedules.list()).toEqual([schedule()]);
    await store.schedules.add(other, { existing: "replace" });
    expect(await store.schedules.list()).toEqual([other]);
  },

  "give their job to who claims when its time has come, and tell when the next is due": async (bench) => {
    const { store } = bench;
    await store.schedules.add(schedule());
    const ask = () => store.settle([], { workerId: "worker-1", limit: 10 });
    expect(await ask()).toEqual({ ended: [], claimed: [], nextScheduleAt: FIRST });
    bench.now = FIRST;
    // A store may have to be told first that it is time.
    const turns = [await ask(), await ask()];
    const jobs = turns.flatMap((turn) => turn.claimed);
    expect(jobs).toMatchObject([{ command: "make", queue: "nightly", run_at: FIRST, max_retries: 3 }]);
    expect(jobs[0]?.id).toBe(`s@${new Date(FIRST).toISOString().replace(".000", "")}`);
    expect(turns[1]?.nextScheduleAt).toBe(FIRST + MINUTE);
    expect(await store.schedules.list()).toMatchObject([{ next_at: FIRST + MINUTE, last_id: jobs[0]?.id }]);
    expect((await ask()).claimed).toEqual([]);
  },

  "keep their jobs when they are removed, and give no more": async (bench) => {
    const { store } = bench;
    await store.schedules.add(schedule());
    bench.now = FIRST;
    await fireAll(store);
    await store.schedules.remove("s");
    bench.now = FIRST + 2 * MINUTE;
    await fireAll(store);
    expect(await store.list()).toHaveLength(1);
  },

  "that must not overlap wait for the end of their last job": async (bench) => {
    const { store } = bench;
    await store.schedules.add(schedule({ overlap: "skip" }));
    bench.now = FIRST;
    await fireAll(store);
    bench.now = FIRST + MINUTE;
    await fireAll(store);
    const [job, ...more] = await claimed(store);
    expect(more).toEqual([]);
    bench.now = FIRST + 2 * MINUTE;
    await fireAll(store);
    expect(await store.list()).toHaveLength(1);
    if (job) await store.settle([end(job, SUCCESS)]);
    bench.now = FIRST + 3 * MINUTE;
    await fireAll(store);
    expect((await store.list()).map(({ run_at }) => run_at)).toEqual([FIRST, FIRST + 3 * MINUTE]);
  },

  "go on where they stood when everybody has left, and move with everything else": async (bench) => {
    await bench.store.schedules.add(schedule());
    bench.now = FIRST;
    await fireAll(bench.store);
    const before = await bench.store.schedules.list();
    await bench.close(bench.store);
    const store = await bench.another();
    expect(await store.schedules.list()).toEqual(before);
    const items: unknown[] = [];
    await store.dump(async (batch) => {
      items.push(...batch);
      return true;
    });
    expect(items).toContainEqual({ schedule: before[0] });
    bench.now = FIRST + 5 * MINUTE;
    await fireAll(store);
    expect((await store.list()).map(({ run_at }) => run_at)).toEqual([FIRST, FIRST + 5 * MINUTE]);
  },

  "give each minute of a day one job, with four workers that come and go": async (bench) => {
    await bench.store.schedules.add(schedule());
    const workers = [bench.store, await bench.another(), await bench.another(), await bench.another()];
    for (let minute = 0; minute < MINUTES_A_DAY; minute++) {
      bench.now = FIRST + minute * MINUTE + (minute % 7) * 100;
      if (minute % 60 === 30) {
        const n = (minute / 30) % workers.length;
        const leaving = workers[n];
        if (leaving && leaving !== bench.store) await bench.close(leaving);
        if (leaving !== bench.store) workers[n] = await bench.another();
      }
      const asking = [workers[minute % 4], workers[(minute * 7 + 1) % 4]].filter((one) => one !== undefined);
      await Promise.all(asking.map((worker) => fireAll(worker)));
    }
    const jobs = await bench.store.list();
    expect(new Set(ids(jobs)).size).toBe(MINUTES_A_DAY);
    const minutes = jobs.map(({ run_at }) => (run_at - FIRST) / MINUTE).sort((a, b) => a - b);
    expect(minutes).toEqual(Array.from({ length: MINUTES_A_DAY }, (_, minute) => minute));
  },
};

/** As a worker without a free slot does who is asked to look: twice, for a store may only learn by the first that it is time. */
async function fireAll(store: Store): Promise<void> {
  for (const _ of [1, 2]) await store.settle([], { workerId: "worker-1", limit: 0 });
}
