/** Who does what at the same time, and what may go wrong in it. Small, for everything that can happen is tried. */
import type { Scenario, Task } from "./world.ts";

const CLAIM: Task = { do: "claim" };
const COMPLETE: Task = { do: "finish", how: "completed" };
const FAIL: Task = { do: "finish", how: "failed" };
const RELEASE: Task = { do: "finish", how: "released" };
const RESCUE: Task = { do: "rescue" };
const LOOK: Task = { do: "look" };
const CHECKPOINT: Task = { do: "checkpoint" };
/** A checkpoint in two parts. */
const LATER: readonly Task[] = [{ do: "roll" }, { do: "install" }];

export const SCENARIOS = {
  "two workers want the same job": {
    before: [enqueue("a")],
    writers: { A: [CLAIM, COMPLETE], B: [CLAIM, COMPLETE, CLAIM] },
    steals: 3,
    crashes: 1,
    tears: 1,
  },
  "a job is handed back and claimed again": {
    before: [enqueue("a")],
    writers: { A: [CLAIM, RELEASE], B: [CLAIM, RELEASE, CLAIM] },
    steals: 2,
  },
  "a worker dies and two others rescue its job": {
    before: [enqueue("a")],
    writers: { A: [CLAIM, COMPLETE], B: [RESCUE, CLAIM], C: [RESCUE] },
    steals: 1,
    crashes: 1,
  },
  "two writers make checkpoints": {
    before: [enqueue("a")],
    writers: { A: [CHECKPOINT, CLAIM], B: [CHECKPOINT, CLAIM, CHECKPOINT] },
    steals: 2,
    crashes: 1,
    tears: 1,
  },
  "two writers make checkpoints whose snapshots come later": {
    before: [enqueue("a")],
    writers: { A: [...LATER, CLAIM], B: [enqueue("b"), ...LATER] },
    steals: 2,
    crashes: 1,
  },
  "snapshots come later than others": {
    before: [enqueue("a", 0), CLAIM],
    writers: { A: LATER, B: [RESCUE, enqueueIn("renewal", "b"), CHECKPOINT] },
    steals: 2,
    crashes: 1,
  },
  "somebody looks while two writers make checkpoints": {
    before: [enqueue("a")],
    writers: { A: [CHECKPOINT], B: [enqueueIn("checkpoint", "b"), enqueueIn("checkpoint", "c")], C: [LOOK] },
    newcomers: ["C"],
    steals: 1,
  },
  "two writers change a store at rest": {
    before: [enqueue("a")],
    writers: { A: [enqueueIn("renewal", "b"), enqueueIn("renewal", "c")], B: [enqueueIn("renewal", "d")] },
    steals: 2,
    crashes: 1,
  },
  "a job dies during a checkpoint": {
    before: [enqueue("a", 0), CHECKPOINT],
    writers: { A: [CLAIM, FAIL, CHECKPOINT], B: [CHECKPOINT] },
    steals: 2,
    crashes: 1,
  },
  "a job dies, and a store at rest is changed": {
    before: [enqueue("a", 0), CLAIM],
    writers: { A: [enqueueIn("renewal", "b"), CHECKPOINT], B: [RESCUE, enqueueIn("renewal", "c")] },
    steals: 2,
    crashes: 1,
  },
  "a line is damaged": {
    before: [enqueue("a"), enqueue("b")],
    writers: { A: [CLAIM], B: [CHECKPOINT] },
    steals: 1,
    flips: 1,
  },
} satisfies Record<string, Scenario>;

/** More writers, tasks and faults at a time: minutes, for a run by hand. */
export const DEEP = {
  "somebody looks while snapshots are written within a generation": {
    before: [enqueue("a")],
    writers: {
      A: [CHECKPOINT],
      B: [CHECKPOINT, enqueueIn("renewal", "b"), enqueue("c"), CHECKPOINT],
      C: [LOOK],
    },
    newcomers: ["C"],
    steals: 1,
  },
  "somebody looks while snapshots come later": {
    before: [enqueue("a")],
    writers: { A: LATER, B: [enqueue("b"), ...LATER], C: [LOOK] },
    newcomers: ["C"],
    steals: 1,
  },
  "snapshots come late, early and with a change": {
    before: [enqueue("a", 0), CLAIM],
    writers: { A: LATER, B: [RESCUE, ...LATER], C: [enqueueIn("renewal", "c")] },
    steals: 1,
  },
  "three workers want two jobs": {
    before: [enqueue("a")],
    writers: { A: [CLAIM, COMPLETE], B: [CLAIM, RELEASE], C: [enqueue("b"), CLAIM] },
    steals: 2,
    crashes: 1,
  },
  "two workers die, and one rescues their jobs": {
    before: [enqueue("a"), enqueue("b", 0)],
    writers: { A: [CLAIM, FAIL], B: [RESCUE, CLAIM, COMPLETE], C: [CLAIM, RESCUE, RESCUE] },
    steals: 2,
    crashes: 2,
  },
  "two writers make three checkpoints each": {
    before: [enqueue("a")],
    writers: {
      A: [CHECKPOINT, CLAIM, CHECKPOINT, COMPLETE, CHECKPOINT],
      B: [CHECKPOINT, enqueue("b"), CHECKPOINT, CLAIM, CHECKPOINT],
    },
    steals: 2,
  },
  "three writers make checkpoints": {
    before: [enqueue("a")],
    writers: { A: [CHECKPOINT, CLAIM], B: [CHECKPOINT, enqueue("b"), CHECKPOINT], C: [enqueueIn("renewal", "c")] },
    steals: 1,
    crashes: 1,
  },
  "two writers change a store at rest all the time": {
    before: [enqueue("a", 0)],
    writers: {
      A: [enqueueIn("renewal", "b"), CLAIM, enqueueIn("renewal", "d")],
      B: [CLAIM, FAIL, enqueueIn("renewal", "c"), CHECKPOINT],
    },
    steals: 2,
    crashes: 1,
    tears: 1,
  },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS | keyof typeof DEEP;

function enqueue(id: string, maxRetries = 3): Task {
  return { do: "enqueue", id, maxRetries };
}

/** A change to a store at rest. */
function enqueueIn(atRest: "renewal" | "checkpoint", id: string): Task {
  return { do: "enqueue", id, atRest };
}
