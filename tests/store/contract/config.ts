import { expect } from "bun:test";
import { DEFAULTS, originsOf } from "../../../src/config.ts";
import type { Contract } from "./bench.ts";

export const configContract: Contract = {
  "is the defaults until something is set": async ({ store }) => {
    expect(await store.config()).toEqual(DEFAULTS);
  },

  "is followed by a handle that is open already, without reopening": async (bench) => {
    const other = await bench.another();
    expect(await other.config()).toEqual(DEFAULTS);
    await bench.store.setConfig("worker_idle_delay", 500);
    expect(await other.config()).toEqual({ ...DEFAULTS, worker_idle_delay: 500 });
    await other.setConfig("backoff_base", 1.5);
    expect(await bench.store.config()).toEqual({ ...DEFAULTS, worker_idle_delay: 500, backoff_base: 1.5 });
  },

  "takes the latest value of a key, 0 too, and leaves the others": async ({ store }) => {
    await store.setConfig("backoff_base", 3);
    await store.setConfig("max_retries", 5);
    await store.setConfig("max_retries", 0);
    expect(await store.config()).toEqual({ ...DEFAULTS, backoff_base: 3, max_retries: 0 });
  },

  "keeps text as it is, and none": async (bench) => {
    const text = `echo "5" \\ 'é 🦜'\n\ttrue`;
    await bench.store.setConfig("on_dead", text);
    await bench.store.setConfig("on_complete", "");
    expect(await (await bench.another()).config()).toEqual({ ...DEFAULTS, on_dead: text, on_complete: "" });
    await bench.store.setConfig("on_dead", "5");
    expect(await bench.store.config()).toEqual({ ...DEFAULTS, on_dead: "5" });
  },

  "loses no key that several handles set at once": async (bench) => {
    const other = await bench.another();
    await Promise.all([
      bench.store.setConfig("max_retries", 5),
      other.setConfig("backoff_base", 3),
      bench.store.setConfig("worker_idle_delay", 100),
      other.setConfig("kill_grace", 7),
    ]);
    const expected = { ...DEFAULTS, max_retries: 5, backoff_base: 3, worker_idle_delay: 100, kill_grace: 7 };
    expect(await bench.store.config()).toEqual(expected);
    expect(await other.config()).toEqual(expected);
  },

  "goes back to the default when a key is unset, also one that was never set, and leaves the others": async (bench) => {
    const other = await bench.another();
    await bench.store.setConfig("max_retries", 5);
    await bench.store.setConfig("backoff_base", 3);
    await other.setConfig("max_retries", undefined);
    await other.setConfig("kill_grace", undefined);
    expect(await bench.store.config()).toEqual({ ...DEFAULTS, backoff_base: 3 });
    await bench.close(bench.store);
    expect(await (await bench.another()).config()).toEqual({ ...DEFAULTS, backoff_base: 3 });
  },

  "unsets a key while others are set, and loses none of these": async (bench) => {
    const other = await bench.another();
    await bench.store.setConfig("max_retries", 5);
    await Promise.all([
      bench.store.setConfig("max_retries", undefined),
      other.setConfig("backoff_base", 3),
      bench.store.setConfig("kill_grace", 7),
    ]);
    expect(await other.config()).toEqual({ ...DEFAULTS, backoff_base: 3, kill_grace: 7 });
  },

  "tells where each value comes from: nobody, the store or this handle": async (bench) => {
    const overridden = await bench.another({ max_retries: 3, kill_grace: 1 });
    await bench.store.setConfig("max_retries", 3);
    await bench.store.setConfig("backoff_base", 2);
    await bench.store.setConfig("keep_logs", 1);
    await bench.store.setConfig("keep_logs", undefined);
    const isDefault = { origin: "default", where: null } as const;
    const isStored = { origin: "stored", where: expect.stringContaining(bench.store.location) };
    const origins = originsOf(await bench.store.configSources());
    expect(origins).toMatchObject({ max_retries: isStored, backoff_base: isStored, keep_logs: isDefault });
    expect(originsOf(await overridden.configSources())).toEqual({
      ...origins,
      max_retries: { origin: "environment", where: "QUEUECTL_MAX_RETRIES" },
      kill_grace: { origin: "environment", where: "QUEUECTL_KILL_GRACE" },
    });
  },

  "is under this handle's overrides, which no other handle sees and no setting beats": async (bench) => {
    const overridden = await bench.another({ max_retries: 9 });
    await overridden.setConfig("max_retries", 5);
    expect(await overridden.config()).toEqual({ ...DEFAULTS, max_retries: 9 });
    expect(await bench.store.config()).toEqual({ ...DEFAULTS, max_retries: 5 });
    await bench.close(overridden);
    expect(await (await bench.another()).config()).toEqual({ ...DEFAULTS, max_retries: 5 });
  },
};
