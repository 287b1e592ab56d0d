import { expect } from "bun:test";
import { tmpdir } from "node:os";
import fc from "fast-check";
import type { ConfigKey } from "../../../src/config.ts";
import { wherePossible } from "../../../src/job/alteration.ts";
import { cancel, remove, removeDeadLetter, retry, retryDeadLetter } from "../../../src/job/control.ts";
import { checkChanges, edit } from "../../../src/job/edit.ts";
import { QueueError } from "../../../src/job/errors.ts";
import type { Lease } from "../../../src/job/job.ts";
import type { Outcome } from "../../../src/job/outcome.ts";
import { EVERY_QUEUE, type QueueRuleChange } from "../../../src/job/queue.ts";
import type { Rate } from "../../../src/job/rate.ts";
import type { JobSpec } from "../../../src/job/spec.ts";
import type { Store, Turn } from "../../../src/store/store.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { Bench, type Contract, everything } from "./bench.ts";

/** What a person or a worker may do; instants are relative to the clock, attempts are named by the order of their claims. */
type Command =
  | { kind: "enqueue"; specs: (JobSpec & { id: string; delay?: number })[]; existing: "refuse" | "skip" }
  | { kind: "settle"; ends: { attempt: number; outcome: Outcome }[]; limit?: number; queues?: string[]; only?: string }
  | { kind: "rule"; queue: string; change: QueueRuleChange }
  | { kind: "alter"; ids: string[]; rule: keyof typeof RULES; wherePossible: boolean }
  | { kind: "set"; key: ConfigKey; value: number }
  | { kind: "wait"; ms: number }
  /** Whoever acts next uses another handle, or a new one after the old one has closed. */
  | { kind: "switch" }
  | { kind: "reopen" };

const RULES = {
  cancel,
  retry,
  remove,
  retryDeadLetter,
  removeDeadLetter,
  hurry: edit(checkChanges({ priority: 1, delay: 0, expires_in: null })),
  postpone: edit(checkChanges({ priority: null, delay: 3000, max_retries: 0 })),
  rewrite: edit(checkChanges({ command: "echo ho", env: { C: "3" }, expires_in: 4000 })),
};

export const differentialContract: Contract = {
  "any sequence of commands gives the same answers and leaves the same jobs": async ({ harness }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands(), { minLength: 5, maxLength: 40 }), async (sequence) => {
        await using run = await Run.start(await Bench.open(harness));
        for (const command of sequence) await run.take(command);
        await run.compare();
      }),
      { numRuns: 50 },
    );
  },
};

/** One sequence, done to both stores. Leases are compared by the order in which they were given out. */
class Run implements AsyncDisposable {
  readonly #bench: Bench;
  readonly #model: MemoryStore;
  #handles: [Store, Store];
  /** By claim: whose attempt it is, and its lease in either store. */
  readonly #attempts: { id: string; tested: Lease; model: Lease }[] = [];

  static async start(bench: Bench): Promise<Run> {
    return new Run(bench, await bench.another());
  }

  private constructor(bench: Bench, other: Store) {
    this.#bench = bench;
    this.#handles = [bench.store, other];
    this.#model = new MemoryStore({ now: () => bench.now, random: () => bench.roll, logDirectory: tmpdir() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bench[Symbol.asyncDispose]();
  }

  async take(command: Command): Promise<void> {
    switch (command.kind) {
      case "enqueue": {
        const specs = command.specs.map(({ delay, ...spec }) =>
          delay === undefined ? spec : { ...spec, run_at: this.#bench.now + delay },
        );
        return await this.#same(async (store) => {
          const skipped: string[] = [];
          const added = await store.enqueue(specs, { existing: command.existing, onSkip: (id) => skipped.push(id) });
          return { added, skipped };
        });
      }
      case "settle":
        return await this.#settle(command);
      case "alter": {
        const rule = command.wherePossible ? wherePossible(RULES[command.rule]) : RULES[command.rule];
        return await this.#same((store) => store.alter(command.ids, rule));
      }
      case "rule":
        return await this.#same((store) => store.setQueue(command.queue, command.change));
      case "set":
        return await this.#same((store) => store.setConfig(command.key, command.value));
      case "wait":
        this.#bench.now += command.ms;
        return;
      case "switch":
        this.#handles.reverse();
        return;
      case "reopen":
        await this.#bench.close(this.#handles[0]);
        this.#handles[0] = await this.#bench.another();
    }
  }

  /** Both handles must see what the model holds. */
  async compare(): Promise<void> {
    const expected = this.#anonymous(await everything(this.#model), "model");
    for (const handle of this.#handles) {
      expect(this.#anonymous(await everything(handle), "tested")).toEqual(expected);
    }
  }

  async #same(call: (store: Store) => Promise<unknown>): Promise<void> {
    const expected = this.#anonymous(await answer(call(this.#model)), "model");
    expect(this.#anonymous(await answer(call(this.#handles[0])), "tested")).toEqual(expected);
  }

  async #settle({ ends, limit, queues, only }: Command & { kind: "settle" }): Promise<void> {
    const terms = { ...(queues && { queues }), ...(only !== undefined && { only }) };
    const claimant = limit === undefined ? undefined : { workerId: "worker-1", limit, ...terms };
    const turn = (store: Store, side: "tested" | "model"): Promise<Turn> => {
      const named = ends.flatMap(({ attempt, outcome }) => {
        const known = this.#attempts.at(-1 - attempt);
        return known ? [{ id: known.id, lease: known[side], outcome }] : [];
      });
      return store.settle(named, claimant);
    };
    const expected = await turn(this.#model, "model");
    const actual = await turn(this.#handles[0], "tested");
    expect(actual.claimed.map((job) => job.id)).toEqual(expected.claimed.map((job) => job.id));
    for (const [index, job] of expected.claimed.entries()) {
      this.#attempts.push({ id: job.id, model: job.lease, tested: actual.claimed[index]?.lease ?? Number.NaN });
    }
    expect(this.#anonymous(this.#asSeenNow(actual), "tested")).toEqual(
      this.#anonymous(this.#asSeenNow(expected), "model"),
    );
  }

  /** Any instant that has passed says the same: a job is due already. */
  #asSeenNow(turn: Turn): Turn {
    return turn.nextDueAt === undefined ? turn : { ...turn, nextDueAt: Math.max(turn.nextDueAt, this.#bench.now) };
  }

  /** The value with every lease replaced by the number of its claim. */
  #anonymous(value: unknown, side: "tested" | "model"): unknown {
    const numbers = new Map(this.#attempts.map((attempt, number) => [attempt[side], number]));
    const replaced = JSON.stringify(value, (key, inner) => (key === "lease" ? numbers.get(inner) : inner));
    return JSON.parse(replaced);
  }
}

/** What a call gave: its value, or the code it was refused with, and for which of several things. */
async function answer(call: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call };
  } catch (error) {
    if (error instanceof QueueError) return { refused: error.code, index: error.index };
    throw error;
  }
}

function commands(): fc.Arbitrary<Command> {
  const id = fc.constantFrom("a", "b", "c", "d", "e", "f", "A", "../a");
  const spec = fc.record(
    {
      id,
      command: fc.constantFrom("true", "echo hi"),
      delay: fc.integer({ min: -1000, max: 10_000 }),
      max_retries: fc.nat(2),
      priority: fc.integer({ min: -2, max: 2 }),
      expires_in: fc.integer({ min: 1, max: 5000 }),
      batch: fc.constantFrom("x", "y"),
      env: fc.constantFrom({ A: "1" }, { B: "", A: "2" }),
      queue: fc.constantFrom("x", "y"),
      after: fc.subarray(["a", "b", "c", "d"], { minLength: 1 }),
      key: fc.constantFrom("k", "l"),
      if_exists: fc.constantFrom("fail", "skip", "replace"),
      no_retry_on: fc.constant([2]),
    },
    { requiredKeys: ["id", "command"], noNullPrototype: true },
  );
  const enqueue = fc.record(
    {
      kind: fc.constant("enqueue" as const),
      specs: fc.array(spec, { maxLength: 4 }),
      existing: fc.constantFrom("refuse", "skip"),
    },
    { noNullPrototype: true },
  );
  const outcome = fc.constantFrom<Outcome>(
    { kind: "exited", code: 0 },
    { kind: "exited", code: 1, lastLine: "no" },
    { kind: "exited", code: 2 },
    { kind: "signaled", signal: "SIGSEGV" },
    { kind: "worker-lost", workerId: "worker-1" },
    { kind: "released" },
    { kind: "timed-out", afterMs: 1000 },
    { kind: "canceled" },
    { kind: "expired" },
  );
  const settle = fc.record(
    {
      kind: fc.constant("settle" as const),
      ends: fc.array(fc.record({ attempt: fc.nat(5), outcome }), { maxLength: 3 }),
      limit: fc.nat(3),
      queues: fc.subarray(["x", "default"], { minLength: 1 }),
      only: id,
    },
    { requiredKeys: ["kind", "ends"], noNullPrototype: true },
  );
  const alter = fc.record(
    {
      kind: fc.constant("alter" as const),
      ids: fc.array(id, { maxLength: 3 }),
      rule: fc.constantFrom(...(Object.keys(RULES) as (keyof typeof RULES)[])),
      wherePossible: fc.boolean(),
    },
    { noNullPrototype: true },
  );
  const setting = fc.oneof(
    fc.record({ key: fc.constant<ConfigKey>("max_retries"), value: fc.nat(3) }),
    fc.record({ key: fc.constant<ConfigKey>("backoff_base"), value: fc.constantFrom(0, 1, 1.5, 2) }),
  );
  const change = fc.record(
    {
      concurrency: fc.constantFrom(null, 1, 2),
      rate: fc.constantFrom<Rate | null>(null, "1/s", "2/s", "3/m"),
      paused: fc.boolean(),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const rule = fc.record(
    { kind: fc.constant("rule" as const), queue: fc.constantFrom("x", "default", EVERY_QUEUE), change },
    { noNullPrototype: true },
  );
  return fc.oneof(
    { arbitrary: rule, weight: 2 },
    { arbitrary: enqueue, weight: 4 },
    { arbitrary: settle, weight: 8 },
    { arbitrary: alter, weight: 5 },
    { arbitrary: setting.map((set): Command => ({ kind: "set", ...set })), weight: 1 },
    { arbitrary: fc.nat(5000).map((ms): Command => ({ kind: "wait", ms })), weight: 3 },
    { arbitrary: fc.constant<Command>({ kind: "switch" }), weight: 2 },
    { arbitrary: fc.constant<Command>({ kind: "reopen" }), weight: 1 },
  );
}
