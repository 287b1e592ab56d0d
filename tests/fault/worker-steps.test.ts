/**
 * A worker dies (SIGKILL) or freezes (SIGSTOP, later SIGCONT) at every step of an attempt and of a rescue, while another
 * goes on. By what the jobs wrote down themselves, none is lost, none runs twice at a time, and every attempt counts.
 */
import { describe, expect, test } from "bun:test";
import { WORKER_STEPS } from "../../src/failpoint.ts";
import type { JobKind } from "../../src/selftest/execution-ledger.ts";
import { STORES } from "../support/home.ts";
import { violationsIn, type WorkerScenario } from "../support/worker-scenario.ts";

type Place = Omit<WorkerScenario, "store" | "how" | "kinds"> & { readonly kinds?: readonly JobKind[] };

/** The first lives long enough to be met by a second attempt, should nobody end it. */
const KINDS: readonly JobKind[] = ["takes-long", "recovers", "succeeds"];

const PLACES: readonly Place[] = [
  { step: "claimed" },
  { step: "log-opened" },
  { step: "spawned" },
  { step: "spawned", nth: 2 },
  { step: "spawned", kinds: ["ignores-term", "succeeds"] },
  { step: "exited" },
  { step: "exited", nth: 2 },
  { step: "exited", kinds: ["forks", "succeeds"] },
  { step: "exited", kinds: ["escapes", "succeeds"] },
  // In the commit that claims, and in one that settles and claims.
  ...(["locked", "append", "appended", "unlock"] as const).flatMap((step) => [{ step }, { step, nth: 2 }]),
  ...(["rescue", "survivors-ended", "rescued"] as const).flatMap((step) => [
    { step, afterDeath: true },
    { step, afterDeath: true, kinds: ["ignores-term", "escapes"] as const },
  ]),
  // Asked to end what runs and to hand it back.
  { step: "exited", asked: "SIGQUIT" },
  { step: "append", nth: 2, asked: "SIGQUIT" },
  { step: "appended", nth: 2, asked: "SIGQUIT" },
  // Asked to finish what runs.
  { step: "append", nth: 2, asked: "SIGTERM" },
];

describe.each(STORES)("on %s", (store) => {
  const places = store === "files" ? PLACES : PLACES.filter(({ step }) => isWorkerStep(step));

  describe.each(["kill", "stop"] as const)("%s of a worker breaks no promise", (how) => {
    test.concurrent.each(places.map((place): [string, Place] => [named(place), place]))(
      "at %s",
      async (_name, place) => {
        expect(await violationsIn({ store, kinds: KINDS, ...place, how })).toEqual([]);
      },
    );
  });
});

/** It was told of an error; what it then holds it learns from the store. */
describe("a worker whose disk fails it once breaks no promise", () => {
  test.concurrent.each([
    ["append", 1],
    ["append", 2],
    ["appended", 1],
    ["appended", 2],
    ["appended", 3],
  ] as const)("at %s (%i)", async (step, nth) => {
    expect(await violationsIn({ store: "files", kinds: KINDS, step, nth, how: "EIO" })).toEqual([]);
  });
});

test("no step of a worker is left out", () => {
  expect(new Set(PLACES.map(({ step }) => step))).toEqual(
    new Set([...PLACES.map(({ step }) => step), ...WORKER_STEPS]),
  );
});

/** The others are those of a commit to files. */
function isWorkerStep(step: string): boolean {
  return WORKER_STEPS.some((one) => one === step);
}

function named({ step, nth, kinds = KINDS, afterDeath, asked }: Place): string {
  const turn = nth === undefined ? "" : ` (${nth})`;
  const after = afterDeath ? " after another's death" : "";
  return `${step}${turn}${after}${asked === undefined ? "" : `, asked by ${asked}`}, with ${kinds.join(", ")}`;
}
