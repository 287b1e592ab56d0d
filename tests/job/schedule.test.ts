import { describe, expect, test } from "bun:test";
import { QueueError } from "../../src/job/errors.ts";
import type { Entry } from "../../src/job/job.ts";
import { fire, idAt, isSchedule, nextInstant, type Schedule } from "../../src/job/schedule.ts";

const NINE = Date.UTC(2026, 0, 31, 9);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function schedule(own: Partial<Schedule> = {}): Schedule {
  const spec = { command: "make", priority: 3 };
  const policies = { catch_up: "one", overlap: "queue" } as const;
  return { name: "s", cron: "0 * * * *", tz: "UTC", spec, ...policies, created_at: 0, next_at: NINE, ...own };
}

function fired(own: Partial<Schedule>, now: number, holders: Readonly<Record<string, Entry>> = {}) {
  return fire(schedule(own), { now, maxRetries: 3, holderOf: (id) => holders[id] });
}

function holder(id: string, state: "pending" | "completed"): Entry {
  return { id, state } as Entry;
}

describe("the next instant", () => {
  const at = (cron: string, tz: string, from: string): string =>
    new Date(nextInstant({ cron, tz }, Date.parse(from))).toISOString();

  test("is meant in the time zone of the schedule, also when clocks are changed", () => {
    expect(at("0 3 * * *", "Europe/Berlin", "2026-01-31T12:00:00Z")).toBe("2026-02-01T02:00:00.000Z");
    expect(at("0 3 * * *", "Europe/Berlin", "2026-07-31T12:00:00Z")).toBe("2026-08-01T01:00:00.000Z");
    expect(at("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z")).toBe("2026-03-29T01:30:00.000Z");
    expect(at("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z")).toBe("2026-10-25T00:30:00.000Z");
    expect(at("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z")).toBe("2026-10-26T01:30:00.000Z");
  });

  test.each([
    ["61 * * * *", "UTC", "value out of range for field"],
    ["* * *", "UTC", "expected 5 space-separated fields (minute hour day month weekday)"],
    ["0 3 * * *", "Mars/Olympus", "unknown time zone 'Mars/Olympus'"],
  ])("of %j in %s is refused: %s", (cron, tz, why) => {
    const sentence = `Cannot read "${cron}" in the time zone "${tz}": ${why}.`;
    expect(() => nextInstant({ cron, tz }, NINE)).toThrow(new QueueError("E_USAGE", sentence));
  });

  test("that never comes is refused", () => {
    expect(() => nextInstant({ cron: "0 0 30 2 *", tz: "UTC" }, NINE)).toThrow("names a time that never comes");
  });
});

describe("a schedule", () => {
  test("gives nothing before its time", () => {
    expect(fired({}, NINE - 1)).toEqual({ schedule: schedule(), jobs: [] });
  });

  test("gives the job of its instant, named after both, and goes on", () => {
    const { schedule: next, jobs } = fired({}, NINE + 5);
    expect(jobs).toEqual([
      {
        ...{ id: "s@2026-01-31T09:00:00Z", command: "make", state: "pending", run_at: NINE, attempts: 0 },
        ...{ max_retries: 3, created_at: NINE + 5, updated_at: NINE + 5, priority: 3 },
      },
    ] as never);
    expect(next).toEqual(schedule({ next_at: NINE + HOUR, last_id: "s@2026-01-31T09:00:00Z" }));
  });

  test("gives no job whose id is taken, for that was given before", () => {
    const id = "s@2026-01-31T09:00:00Z";
    const { schedule: next, jobs } = fired({}, NINE, { [id]: holder(id, "completed") });
    expect(jobs).toEqual([]);
    expect(next).toEqual(schedule({ next_at: NINE + HOUR }));
  });

  const missed: [catch_up: Schedule["catch_up"], late: number, hours: number[]][] = [
    ["one", 3 * HOUR + 10 * MINUTE, [12]],
    ["none", 3 * HOUR + 10 * MINUTE, []],
    ["none", 3 * HOUR + 30_000, [12]],
    ["none", 30_000, [9]],
    ["all", 3 * HOUR + 10 * MINUTE, [9, 10, 11, 12]],
  ];
  test.each(missed)("that makes up for %s, asked %p ms late, gives those of %p o'clock", (catch_up, late, hours) => {
    const { schedule: next, jobs } = fired({ catch_up }, NINE + late);
    expect(jobs.map(({ run_at }) => run_at)).toEqual(hours.map((hour) => Date.UTC(2026, 0, 31, hour)));
    expect(next.next_at).toBeGreaterThan(NINE + late);
  });

  test("finds the latest of many missed instants, and makes up for a thousand of them at most", () => {
    const years = Date.UTC(2029, 5, 1, 0, 0, 30);
    const [latest] = fired({ cron: "* * * * *" }, years).jobs;
    expect(latest?.run_at).toBe(Date.UTC(2029, 5, 1));
    expect(fired({ cron: "* * * * *", catch_up: "all" }, years).jobs).toHaveLength(1000);
    const [yearly] = fired({ cron: "0 9 31 1 *" }, Date.UTC(2029, 0, 30)).jobs;
    expect(yearly?.run_at).toBe(Date.UTC(2028, 0, 31, 9));
  });

  test("that must not overlap leaves an instant out while its last job is unfinished", () => {
    const last = "s@2026-01-31T08:00:00Z";
    const own = { overlap: "skip", last_id: last } as const;
    const pending = fired(own, NINE, { [last]: holder(last, "pending") });
    expect(pending.jobs).toEqual([]);
    expect(pending.schedule).toEqual(schedule({ ...own, next_at: NINE + HOUR }));
    expect(fired(own, NINE, { [last]: holder(last, "completed") }).jobs).toHaveLength(1);
    expect(fired(own, NINE).jobs).toHaveLength(1);
    expect(fired({ ...own, catch_up: "all" }, NINE + 2 * HOUR).jobs).toHaveLength(1);
  });
});

test("an instant is named to the second, and an odd one to the millisecond", () => {
  expect(idAt(schedule({ name: "n" }), NINE)).toBe("n@2026-01-31T09:00:00Z");
  expect(idAt(schedule({ name: "n" }), NINE + 5)).toBe("n@2026-01-31T09:00:00.005Z");
});

test("what is read as a schedule is one", () => {
  expect(isSchedule(schedule())).toBe(true);
  for (const value of [null, 7, {}, { ...schedule(), catch_up: "some" }, { ...schedule(), next_at: "soon" }]) {
    expect(isSchedule(value)).toBe(false);
  }
  for (const own of [{ name: "a/b" }, { cron: "x" }, { spec: { command: "" } }]) {
    expect(() => isSchedule(schedule(own))).toThrow(QueueError);
  }
});
