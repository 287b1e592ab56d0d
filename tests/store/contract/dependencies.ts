import { expect } from "bun:test";
import fc from "fast-check";
import type { ProcessingJob } from "../../../src/job/job.ts";
import type { Store } from "../../../src/store/store.ts";
import {
  type Contract,
  claimed,
  claimedOne,
  end,
  everything,
  FAILURE,
  ids,
  refused,
  SUCCESS,
  specs,
  T0,
} from "./bench.ts";

const after = (id: string, ...others: string[]) => ({ id, command: "true", max_retries: 0, after: others });

export const dependenciesContract: Contract = {
  "keep a job from being claimed until all that it waits for are completed": async (bench) => {
    const { store } = bench;
    const added = await store.enqueue([...specs("a", "b"), after("c", "a", "b"), after("d", "c")]);
    expect(added.slice(2)).toMatchObject([
      { id: "c", state: "pending", after: ["a", "b"], waits_for: ["a", "b"] },
      { id: "d", after: ["c"], waits_for: ["c"] },
    ]);
    expect(await store.list()).toStrictEqual(added);
    expect(await store.queues()).toMatchObject([{ pending: 4, waiting: 2 }]);
    const turn = await store.settle([], { workerId: "worker-1", limit: 10 });
    expect(ids(turn.claimed)).toEqual(["a", "b"]);
    expect(turn).not.toHaveProperty("nextDueAt");
    const [a, b] = turn.claimed;
    if (!a || !b) throw new Error("nothing was claimed");
    expect(await claimedAfter(store, [end(a, SUCCESS)])).toEqual([]);
    expect(await store.get("c")).toMatchObject({ waits_for: ["b"] });
    bench.now = T0 + 5;
    expect(await claimedAfter(store, [end(b, SUCCESS)])).toEqual(["c"]);
    const c = await store.get("c");
    expect(c).toMatchObject({ state: "processing", after: ["a", "b"] });
    expect(c).not.toHaveProperty("waits_for");
  },

  "let a job be claimed by another handle, and not before its own time": async (bench) => {
    const other = await bench.another();
    await bench.store.enqueue([...specs("a"), { ...after("later", "a"), run_at: T0 + 500 }]);
    const a = await claimedOne(other);
    const turn = await other.settle([end(a, SUCCESS)], { workerId: "worker-1", limit: 10 });
    expect(turn.claimed).toEqual([]);
    expect(turn.nextDueAt).toBe(T0 + 500);
    bench.now = T0 + 600;
    expect(ids(await claimed(bench.store))).toEqual(["later"]);
  },

  "fail a job when one that it waits for is dead, and those that wait for it": async (bench) => {
    const { store } = bench;
    await store.enqueue([
      ...specs("ok"),
      { id: "bad", command: "false", max_retries: 0 },
      ...[after("b", "ok", "bad"), after("c", "b"), after("d", "c", "ok"), after("e", "ok")],
    ]);
    const [ok, bad] = await claimed(store);
    if (!ok || !bad) throw new Error("nothing was claimed");
    const { ended, claimed: next } = await store.settle([end(ok, SUCCESS), end(bad, FAILURE)], {
      workerId: "worker-1",
      limit: 10,
    });
    expect(ended.map(({ event }) => event)).toEqual(["completed", "dead-lettered"]);
    expect(ids(next)).toEqual(["e"]);
    const failed = await store.list("failed");
    expect(failed.map(({ id, last_error }) => [id, last_error])).toEqual([
      ["b", "job bad, which it waited for, did not complete"],
      ["c", "job b, which it waited for, did not complete"],
      ["d", "job c, which it waited for, did not complete"],
    ]);
    for (const job of failed) expect(job).not.toHaveProperty("waits_for");
    expect(await store.counts()).toMatchObject({ pending: 0, failed: 3, dead: 1 });
  },

  "keep a job waiting while one that it waits for is retried": async (bench) => {
    const { store } = bench;
    await store.setConfig("backoff_base", 0);
    await store.enqueue([...specs("a"), after("b", "a")]);
    const first = await claimedOne(store);
    const turn = await store.settle([end(first, FAILURE)], { workerId: "worker-1", limit: 1 });
    expect(ids(turn.claimed)).toEqual(["a"]);
    expect(await store.get("b")).toMatchObject({ state: "pending", waits_for: ["a"] });
  },

  "count what is completed already, and name those that come with the same call in any order": async (bench) => {
    const { store } = bench;
    const [done] = await bench.running("done");
    await store.settle([end(done, SUCCESS)]);
    const [first, last] = await store.enqueue([after("first", "done", "last"), after("last", "done")]);
    expect(first).toMatchObject({ after: ["done", "last"], waits_for: ["last"] });
    expect(last).not.toHaveProperty("waits_for");
    expect(ids(await claimed(store))).toEqual(["last"]);
  },

  "refuse a job that waits for nobody, for the dead, or for itself, and add nothing": async (bench) => {
    const { store } = bench;
    await bench.dead("bad");
    const [canceled] = await bench.running("canceled");
    await store.settle([end(canceled, { kind: "canceled" })]);
    const before = await everything(store);
    const cases = [
      [[after("x", "nobody")], "E_JOB_NOT_FOUND", 0, 'Job "x" waits for "nobody", which is not there.'],
      [[...specs("p"), after("x", "bad")], "E_JOB_STATE", 1, 'Job "x" waits for "bad", which is in the DLQ.'],
      [[after("x", "canceled")], "E_JOB_STATE", 0, 'Job "x" waits for "canceled", which has failed.'],
      [[after("x", "x")], "E_USAGE", 0, 'Job "x" waits for itself in the end: "x" → …'],
      [
        [...specs("p"), after("x", "p", "z"), after("y", "x"), after("z", "y")],
        "E_USAGE",
        1,
        'Job "x" waits for itself in the end: "x" → "z" → "y" → …',
      ],
    ] as const;
    for (const [jobs, code, index, message] of cases) {
      const error = await refused(store.enqueue(jobs));
      expect({ code: error.code, index: error.index, message: error.message }).toEqual({ code, index, message });
      expect(await everything(store)).toStrictEqual(before);
    }
  },

  "hold when the ends come at once, by several handles": async (bench) => {
    const handles = [bench.store, await bench.another()];
    for (let round = 0; round < 20; round++) {
      const [a, b, c] = [`a${round}`, `b${round}`, `c${round}`];
      await bench.store.enqueue([...specs(a, b), after(c, a, b)]);
      const jobs = await claimed(bench.store);
      await Promise.all(jobs.map((job, i) => handles[i]?.settle([end(job, SUCCESS)])));
      const [last] = await claimed(bench.store);
      expect(last?.id).toBe(c);
      await bench.store.settle([end(last as ProcessingJob, SUCCESS)]);
    }
  },

  "hold for a job that is enqueued while the one that it waits for ends": async (bench) => {
    const other = await bench.another();
    for (let round = 0; round < 10; round++) {
      const [job] = await bench.running(`a${round}`);
      await Promise.all([bench.store.settle([end(job, SUCCESS)]), other.enqueue([after(`b${round}`, job.id)])]);
      expect(ids(await claimed(bench.store))).toEqual([`b${round}`]);
    }
  },

  "are kept when everybody has left": async (bench) => {
    await bench.store.enqueue([...specs("a"), after("b", "a")]);
    await bench.close(bench.store);
    const store = await bench.another();
    const [a] = await claimed(store);
    if (!a) throw new Error("nothing was claimed");
    expect(await claimedAfter(store, [end(a, SUCCESS)])).toEqual(["b"]);
  },

  "of any graph are kept: jobs are run in its order, and what cannot be reached any more has failed": async ({
    store,
  }) => {
    let graphs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(node(), { minLength: JOBS, maxLength: JOBS }), async (nodes) => {
        await runGraph(store, `g${graphs++}`, nodes);
      }),
      { numRuns: 5 },
    );
  },
};

const JOBS = 200;

/** A job that waits for some of those before it: how far before it each is, in parts of all that are. */
interface Node {
  readonly others: readonly number[];
  readonly isBad: boolean;
}

function node(): fc.Arbitrary<Node> {
  const others = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 3 });
  return fc.record({ others, isBad: fc.nat(19).map((n) => n === 0) });
}

async function runGraph(store: Store, name: string, nodes: readonly Node[]): Promise<void> {
  const graph = nodes.map(({ others, isBad }, n) => {
    const before = n === 0 ? [] : others.map((part) => `${name}-${Math.floor(part * n)}`);
    return { isBad, spec: after(`${name}-${n}`, ...before) };
  });
  const bad = new Set(graph.flatMap(({ isBad, spec }) => (isBad ? [spec.id] : [])));
  await store.enqueue(graph.map(({ spec }) => spec).toReversed());
  const completed = new Set<string>();
  for (let jobs = await claimed(store, { limit: 7 }); jobs.length > 0; jobs = await claimed(store, { limit: 7 })) {
    for (const { id, after: others = [] } of jobs) {
      expect([id, ...others.filter((other) => !completed.has(other))]).toEqual([id]);
    }
    await store.settle(jobs.map((job) => end(job, bad.has(job.id) ? FAILURE : SUCCESS)));
    for (const { id } of jobs) if (!bad.has(id)) completed.add(id);
  }
  const states = new Map((await store.list()).map(({ id, state }): [string, string] => [id, state]));
  for (const { id } of await store.deadLetters()) states.set(id, "dead");
  for (const { spec } of graph) {
    const isReachable = spec.after.every((other) => states.get(other) === "completed");
    const expected = isReachable ? (bad.has(spec.id) ? "dead" : "completed") : "failed";
    expect([spec.id, states.get(spec.id)]).toEqual([spec.id, expected]);
  }
}

async function claimedAfter(store: Store, ends: Parameters<Store["settle"]>[0]): Promise<string[]> {
  return ids((await store.settle(ends, { workerId: "worker-1", limit: 10 })).claimed);
}
