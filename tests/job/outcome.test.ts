import { expect, test } from "bun:test";
import { describeOutcome, endingOf, type Outcome } from "../../src/job/outcome.ts";

const sentences: [Outcome, string][] = [
  [{ kind: "exited", code: 0 }, "exit 0"],
  [{ kind: "exited", code: 1 }, "exit 1"],
  [{ kind: "exited", code: 3, lastLine: "" }, "exit 3: "],
  [{ kind: "exited", code: 127, lastLine: "/bin/sh: 1: badcmd: not found" }, "exit 127: /bin/sh: 1: badcmd: not found"],
  [{ kind: "signaled", signal: "SIGKILL" }, "killed by SIGKILL"],
  [{ kind: "signaled", signal: "SIGSEGV", lastLine: "step 3 of 9" }, "killed by SIGSEGV: step 3 of 9"],
  [{ kind: "could-not-start", reason: "spawn /bin/sh ENOENT" }, "could not start: spawn /bin/sh ENOENT"],
  [{ kind: "worker-lost", workerId: "worker-123" }, "worker worker-123 was killed"],
  [{ kind: "released" }, "released unfinished"],
];

test.each(sentences)("%j is told in one sentence", (outcome, sentence) => {
  expect(describeOutcome(outcome)).toBe(sentence);
});

test.each<[Outcome, ReturnType<typeof endingOf>]>([
  [{ kind: "exited", code: 3, lastLine: "killed by SIGTERM" }, { code: 3 }],
  [{ kind: "exited", code: 127 }, { code: 127 }],
  [{ kind: "signaled", signal: "SIGSEGV", lastLine: "exit 4" }, { signal: "SIGSEGV" }],
  [{ kind: "timed-out", afterMs: 1500, lastLine: "exit 4" }, "timed-out"],
  [{ kind: "could-not-start", reason: "exit 4" }, undefined],
  [{ kind: "worker-lost", workerId: "worker-1" }, undefined],
  [{ kind: "canceled" }, undefined],
])("from the sentence of %j it can be told how it ended", (outcome, ending) => {
  expect(endingOf(describeOutcome(outcome))).toEqual(ending);
});
