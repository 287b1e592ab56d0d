import { expect } from "bun:test";
import type { PendingJob } from "../../../src/job/job.ts";
import { checkJobSpec, type JobSpec } from "../../../src/job/spec.ts";
import { type Contract, claimed, end, everything, ids, refusal, refused, SUCCESS, specs, T0 } from "./bench.ts";

/** Ids that a careless store takes for a path, a pattern, a key of an object, its own syntax, or for each other. */
export const HOSTILE_IDS = [
  ...["../x", "../../x", "/etc/passwd", "a/b", "a\\b", ".", "..", "~", "*", "?", "%2e", " ", " a ", "a b"],
  ...["job", "JOB", "Job", "\u00e9", "e\u0301", "a", "a.1", "a-1", "a.1.log", "1", "01", "-1", "--help", "CON"],
  ...["__proto__", "constructor", "hasOwnProperty", '"', '{"id":"a"}', "',", "]}", "\u2028", "🔁", "\uffff"],
  ...["i".repeat(255), `${"i".repeat(254)}j`, `${"ü".repeat(127)}i`, `${"ü".repeat(127)}I`, "/".repeat(255)],
];

export const enqueueContract: Contract = {
  "returns the jobs in order, pending and due now": async ({ store }) => {
    const jobs = await store.enqueue([
      { id: "p1", command: "echo hi" },
      { id: "p2", command: "echo ho", priority: 4 },
    ]);
    const fresh = {
      state: "pending",
      run_at: T0,
      attempts: 0,
      max_retries: 3,
      created_at: T0,
      updated_at: T0,
    } as const;
    expect(jobs).toStrictEqual([
      { id: "p1", command: "echo hi", ...fresh },
      { id: "p2", command: "echo ho", ...fresh, priority: 4 },
    ]);
    expect(await store.list()).toStrictEqual(jobs);
  },

  "is seen by another handle as soon as it has returned": async (bench) => {
    const other = await bench.another();
    const jobs = await bench.store.enqueue(specs("p1", "p2"));
    expect(await other.list()).toStrictEqual(jobs);
    expect(ids(await other.enqueue(specs("p3")))).toEqual(["p3"]);
    expect(ids(await bench.store.list())).toEqual(["p1", "p2", "p3"]);
  },

  "gives a spec without an id one of its own, that a person could have given": async (bench) => {
    const handles = [bench.store, await bench.another()];
    const batches = await Promise.all(
      [0, 1, 2, 3].map((n) => handles[n % 2]?.enqueue(Array.from({ length: 25 }, () => ({ command: "true" }))) ?? []),
    );
    const jobs = batches.flat();
    expect(new Set(ids(jobs)).size).toBe(100);
    for (const { id } of jobs) expect(checkJobSpec({ id, command: "true" }).id).toBe(id);
  },

  "of an id that is in the queue, in whatever state, is refused and adds nothing": async (bench) => {
    const [completed] = await bench.running("completed", "processing");
    await bench.store.settle([end(completed, SUCCESS)]);
    await bench.store.enqueue(specs("pending"));
    const before = await everything(bench.store);
    expect(before.counts).toMatchObject({ pending: 1, processing: 1, completed: 1 });
    for (const taken of ["pending", "processing", "completed"]) {
      expect(await refusal(bench.store.enqueue(specs("new-1", taken, "new-2")))).toBe("E_JOB_EXISTS");
      expect(await everything(bench.store)).toStrictEqual(before);
    }
  },

  "of an id that is in the DLQ is refused and adds nothing": async (bench) => {
    await bench.dead("bad1");
    const before = await everything(bench.store);
    expect(await refusal(bench.store.enqueue(specs("new-1", "bad1")))).toBe("E_JOB_EXISTS");
    expect(await everything(bench.store)).toStrictEqual(before);
  },

  "of an id that stands twice in the same call is refused and adds nothing": async ({ store }) => {
    expect(await refusal(store.enqueue(specs("p1", "p2", "p1")))).toBe("E_JOB_EXISTS");
    expect(await store.list()).toEqual([]);
  },

  "names the id that is taken": async ({ store }) => {
    await store.enqueue(specs("p1"));
    expect((await refused(store.enqueue(specs("p0", "p1")))).message).toContain("p1");
  },

  "tells which spec is the first whose id is taken, by its place in the call": async (bench) => {
    await bench.dead("bad1");
    await bench.store.enqueue(specs("p1"));
    const placeOf = async (...ids: string[]) => (await refused(bench.store.enqueue(specs(...ids)))).index;
    expect(await placeOf("p1")).toBe(0);
    expect(await placeOf("a", "b", "bad1", "p1")).toBe(2);
    expect(await placeOf("a", "b", "a", "b")).toBe(2);
  },

  "may leave out the ids that are in the queue or the DLQ, whatever state they are in, which stay as they are": async (
    bench,
  ) => {
    await bench.dead("dead");
    const [completed] = await bench.running("completed", "processing");
    await bench.store.settle([end(completed, SUCCESS)]);
    await bench.store.enqueue(specs("pending"));
    const before = await everything(bench.store);
    const named = specs("a", "pending", "processing", "b", "completed", "dead", "c");
    const added = await bench.store.enqueue(named, { existing: "skip" });
    expect(ids(added)).toEqual(["a", "b", "c"]);
    const after = await everything(bench.store);
    expect(after.jobs).toStrictEqual([...before.jobs, ...added]);
    expect(after.dead).toStrictEqual(before.dead);
  },

  "may leave out an id that stood earlier in the same call: the first one is taken": async ({ store }) => {
    const twice = [
      { id: "p1", command: "echo 1" },
      { command: "echo 2" },
      { id: "p1", command: "echo 3" },
      { command: "echo 4" },
    ];
    const added = await store.enqueue(twice, { existing: "skip" });
    expect(added.map(({ command }) => command)).toEqual(["echo 1", "echo 2", "echo 4"]);
    expect(await store.list()).toStrictEqual(added);
  },

  "may leave out all, and then adds nothing": async ({ store }) => {
    const [p1] = await store.enqueue(specs("p1"));
    expect(await store.enqueue(specs("p1", "p1"), { existing: "skip" })).toEqual([]);
    expect(await store.list()).toEqual([p1 as PendingJob]);
  },

  "of the same ids by many at once that leave out what exists adds each exactly once": async (bench) => {
    const handles = [bench.store, await bench.another()];
    const calls = Array.from({ length: 10 }, (_, n) =>
      handles[n % 2]?.enqueue(specs(`own-${n}`, "p1", "p2", "p3"), { existing: "skip" }),
    );
    const added = (await Promise.all(calls)).flatMap((jobs) => jobs ?? []);
    expect(added).toHaveLength(13);
    expect(new Set(ids(await bench.store.list()))).toEqual(new Set(ids(added)));
  },

  "of an id that was refused is possible in a call of its own": async ({ store }) => {
    await store.enqueue(specs("p1"));
    await refusal(store.enqueue(specs("p2", "p1")));
    expect(ids(await store.enqueue(specs("p2")))).toEqual(["p2"]);
  },

  "of one id by many at once is accepted exactly once": async (bench) => {
    const handles = [bench.store, await bench.another()];
    const calls = Array.from({ length: 20 }, (_, n) => handles[n % 2]?.enqueue([{ id: "p1", command: `echo ${n}` }]));
    const results = await Promise.allSettled(calls);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    expect(await bench.store.list()).toHaveLength(1);
  },

  "of different ids by many at once loses none": async (bench) => {
    const handles = [bench.store, await bench.another()];
    await Promise.all(Array.from({ length: 40 }, (_, n) => handles[n % 2]?.enqueue(specs(`p${n}`))));
    const found = ids(await bench.store.list());
    expect(found).toHaveLength(40);
    expect(new Set(found)).toEqual(new Set(Array.from({ length: 40 }, (_, n) => `p${n}`)));
  },

  "of nothing adds nothing": async ({ store }) => {
    expect(await store.enqueue([])).toEqual([]);
    expect(await store.list()).toEqual([]);
  },

  "takes the max_retries of the configuration at that moment, and keeps it": async (bench) => {
    await bench.store.enqueue(specs("before"));
    await bench.store.setConfig("max_retries", 7);
    const [after] = await bench.store.enqueue(specs("after"));
    const [overridden] = await (await bench.another({ max_retries: 9 })).enqueue(specs("overridden"));
    expect(after?.max_retries).toBe(7);
    expect(overridden?.max_retries).toBe(9);
    expect((await bench.store.list()).map((job) => job.max_retries)).toEqual([3, 7, 9]);
  },

  "lets a job's own max_retries rule, 0 too": async (bench) => {
    const store = await bench.another({ max_retries: 9 });
    const jobs = await store.enqueue(
      [0, 1, 20].map((max_retries) => ({ id: `p${max_retries}`, command: "x", max_retries })),
    );
    expect(jobs.map((job) => job.max_retries)).toEqual([0, 1, 20]);
  },

  "takes every id and command as text, never as a path, a key or a part of its own files": async (bench) => {
    const hostile: JobSpec[] = HOSTILE_IDS.map((id, n) => ({
      id,
      command: HOSTILE_COMMANDS[n % HOSTILE_COMMANDS.length] ?? "",
    }));
    await bench.store.enqueue(hostile);
    await bench.close(bench.store);
    const again = await bench.another();
    expect((await again.list()).map(({ id, command }) => ({ id, command }))).toEqual(hostile as Required<JobSpec>[]);
    for (const { id, command } of hostile) {
      expect(await again.get(id ?? "")).toMatchObject({ id: id ?? "", command });
      expect(await refusal(again.enqueue([{ ...(id === undefined ? {} : { id }), command: "x" }]))).toBe(
        "E_JOB_EXISTS",
      );
    }
    expect(ids(await again.enqueue(specs("p9")))).toEqual(["p9"]);
    expect(ids(await claimed(again))).toEqual([...HOSTILE_IDS, "p9"]);
  },
};

const HOSTILE_COMMANDS = [
  'echo "\n{"id":"p9",',
  '\n{"id":"p9","command":"x"},\n',
  '],"check":"0000000000000000"}\n',
  "\r\n\t\u0001\u007f\u2028\u2029\ufeff🔁",
  "x".repeat(100_000),
  '\\n{\\"id\\":\\"p9\\",',
];
