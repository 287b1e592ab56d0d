/**
 * A process dies or freezes past its lock at every step of changing a setting, while others change theirs. Settings are in no
 * journal: what one was told is stored must be there in the end, and nothing that nobody asked for.
 */
import { describe, expect, test } from "bun:test";
import { CONFIG_STEPS } from "../../src/failpoint.ts";
import { type DriverEnd, DriverProcess } from "../support/driver-process.ts";
import { openFiles } from "../support/files-store.ts";
import { prepared } from "../support/store-under-fault.ts";

/** What a driver sets everything to. */
const SET = 1;
const STEPS = ["locked", ...CONFIG_STEPS, "unlock"] as const;
const STARTS = ["nothing", "a store"] as const;
const CASES = STARTS.flatMap((start) => STEPS.map((step) => [step, start] as const));

describe.concurrent("a change of a setting that is cut off", () => {
  test.each(CASES)("at %s, starting from %s, is there whole or not at all", async (step, start) => {
    await using directory = await prepared(start);
    const victim = await DriverProcess.run(directory.path, ["set:backoff_base"], `${step}:1:kill`);
    expect(victim.signal).toBe("SIGKILL");
    const others = await DriverProcess.run(directory.path, ["set:kill_grace"]);
    await areKept(directory.path, [victim, others]);
  });
});

describe.concurrent("a change of a setting that was frozen past its lock", () => {
  test.each(CASES)("at %s, starting from %s, takes nothing back that others have set since", async (step, start) => {
    await using directory = await prepared(start);
    using victim = new DriverProcess(directory.path, ["set:backoff_base"], `${step}:1:stop`);
    await victim.frozen();
    const others = await DriverProcess.run(directory.path, ["set:kill_grace", "set:keep_logs"]);
    victim.thaw();
    const thawed = await victim.end();
    for (const end of [others, thawed]) expect(end).toMatchObject({ exitCode: 0, stderr: "" });
    await areKept(directory.path, [others, thawed]);
  });
});

async function areKept(directory: string, ends: readonly DriverEnd[]): Promise<void> {
  const store = await openFiles(directory);
  const { backoff_base, ...others } = await store.config();
  await store.close();
  const told = ends.flatMap(({ acknowledged }) => acknowledged.flatMap((each) => ("set" in each ? [each.set] : [])));
  expect(told).not.toEqual([]);
  for (const key of told) expect({ key, value: { ...others, backoff_base }[key] }).toEqual({ key, value: SET });
  expect(others).toMatchObject({ max_retries: 3, backoff_max: 86_400 });
  expect([2, SET]).toContain(backoff_base);
}
