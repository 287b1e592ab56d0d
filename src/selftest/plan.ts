/** What one torture does, drawn from a seed: the same seed makes the same jobs and the same faults, at the same moments. */
import { HOPELESS, JOB_KINDS, type JobKind } from "./execution-ledger.ts";
import { randomFrom } from "./random.ts";

export interface PlannedJob {
  readonly id: string;
  readonly kind: JobKind;
  readonly maxRetries: number;
  /** After the job before it. */
  readonly afterMs: number;
  /** Enqueued by a process of its own, which is killed after so long: it may or may not come to say that it is done. */
  readonly killedAfterMs?: number;
}

export type FaultSignal = "SIGKILL" | "SIGSTOP" | "SIGTERM" | "SIGINT" | "SIGQUIT";

export interface Fault {
  /** After the fault before it. */
  readonly afterMs: number;
  readonly signal: FaultSignal;
  readonly at: "worker" | "supervisor";
  /** Which of those alive at the time: a number from 0 to 1. */
  readonly pick: number;
  /** Of a freeze: until it may go on. */
  readonly thawedAfterMs: number;
}

export interface Plan {
  readonly seed: number;
  readonly jobs: readonly PlannedJob[];
  readonly faults: readonly Fault[];
}

/** A job that may be killed again and again needs attempts enough to come through in the end. */
const RETRIES = { hopeless: 2, hopeful: 1000 };
/** One in so many jobs comes by a process that is killed. */
const ONE_IN = 4;

export function planOf({ seed, jobs, faults }: { seed: number; jobs: number; faults: number }): Plan {
  const random = randomFrom(seed);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <T>(choices: readonly T[]): T => choices[upTo(choices.length)] as T;
  return {
    seed,
    jobs: Array.from({ length: jobs }, (_, index) => {
      const kind = oneOf(JOB_KINDS);
      return {
        id: `${kind}-${index + 1}`,
        kind,
        maxRetries: HOPELESS.has(kind) ? RETRIES.hopeless : RETRIES.hopeful,
        afterMs: upTo(40),
        ...(upTo(ONE_IN) === 0 ? { killedAfterMs: upTo(250) } : {}),
      };
    }),
    faults: Array.from({ length: faults }, () => ({
      afterMs: 20 + upTo(280),
      signal: oneOf(["SIGKILL", "SIGKILL", "SIGKILL", "SIGSTOP", "SIGSTOP", "SIGTERM", "SIGINT", "SIGQUIT"] as const),
      at: oneOf(["worker", "worker", "supervisor"] as const),
      pick: random(),
      thawedAfterMs: 50 + upTo(1500),
    })),
  };
}
