import { describe, expect, test } from "bun:test";
import { JOB_KINDS } from "../../src/selftest/execution-ledger.ts";
import { planOf } from "../../src/selftest/plan.ts";

describe("the plan of a selftest", () => {
  test("is the same for the same seed, and another for another", () => {
    const plan = planOf({ seed: 1, jobs: 50, faults: 20 });
    expect(planOf({ seed: 1, jobs: 50, faults: 20 })).toEqual(plan);
    expect(planOf({ seed: 2, jobs: 50, faults: 20 }).faults).not.toEqual(plan.faults);
  });

  test("has every kind of job and of fault in it", () => {
    const { jobs, faults } = planOf({ seed: 3, jobs: 200, faults: 200 });
    expect(new Set(jobs.map(({ kind }) => kind))).toEqual(new Set(JOB_KINDS));
    expect(new Set(jobs.map(({ killedAfterMs }) => killedAfterMs === undefined))).toEqual(new Set([true, false]));
    expect(new Set(faults.map(({ signal }) => signal))).toEqual(
      new Set(["SIGKILL", "SIGSTOP", "SIGTERM", "SIGINT", "SIGQUIT"] as const),
    );
    expect(new Set(faults.map(({ at }) => at))).toEqual(new Set(["worker", "supervisor"] as const));
  });
});
