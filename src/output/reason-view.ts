/** `why`: the reason in one sentence. */
import { unreachable } from "../job/errors.ts";
import { type Rate, rateParts, rateUnit } from "../job/rate.ts";
import type { Reason } from "../job/reason.ts";
import { clock, relative, span } from "./time.ts";
import { count } from "./worker-log.ts";

/** Without a full stop, and as it comes from the job: to be escaped. */
export function reasonText(reason: Reason, now: number): string {
  const moment = (at: number): string => `${clock(at, now)} (${relative(at, now)})`;
  switch (reason.because) {
    case "expired":
      return `expired at ${moment(reason.expiresAt)}: the next worker ends it unrun`;
    case "waits-for-jobs":
      return `waits for ${reason.jobs.length === 1 ? "job" : "jobs"} ${reason.jobs.join(", ")}`;
    case "waits-for-retry":
      return `waits for its retry at ${moment(reason.runAt)}; attempt ${reason.attempts} ended with ${reason.error}`;
    case "not-due":
      return `not due until ${moment(reason.runAt)}`;
    case "queue-paused":
      return `due now; queue ${reason.queue} is paused`;
    case "all-queues-paused":
      return "due now; every queue is paused";
    case "queue-full":
      return `due now; queue ${reason.queue} is full: ${reason.running} of ${reason.concurrency} running`;
    case "queue-rate":
      return `due now; queue ${reason.queue} has begun ${begunText(reason.rate)}; next ${relative(reason.opensAt, now)}`;
    case "no-worker":
      return `due now; ${reason.leaving === 0 ? "no worker is running" : leavingText(reason.leaving)}`;
    case "not-served":
      return `due now; no worker serves queue ${reason.queue}`;
    case "in-line":
      return `due now; ${lineText(reason)}`;
    case "worker-lost":
      return `was being run by ${reason.workerId}, which is dead; ${rescueText(reason.workers)}`;
    case "running":
      return `running for ${span(Math.max(0, now - reason.startedAt))} in ${reason.workerId}, attempt ${reason.attempt}`;
    case "completed":
      return `completed at ${moment(reason.completedAt)}, by attempt ${reason.attempts}`;
    case "dead":
      return `in the DLQ: ${reason.error} after ${count(reason.attempts, "attempt", "attempts")}`;
    case "failed":
      return `failed: ${reason.error}`;
    default:
      return unreachable(reason);
  }
}

function begunText(rate: Rate): string {
  return `${count(rateParts(rate).count, "job", "jobs")} in the last ${rateUnit(rate)}`;
}

function leavingText(leaving: number): string {
  return `${count(leaving, "worker is", "workers are")} running, but leaving`;
}

function lineText({ workers, busy, ahead }: Extract<Reason, { because: "in-line" }>): string {
  const line = ahead === 0 ? "it is next" : `${count(ahead, "job", "jobs")} before it`;
  const free = workers - busy;
  return free === 0
    ? `${count(busy, "worker is", "workers are")} busy, ${line}`
    : `${count(free, "worker is", "workers are")} free, ${line}`;
}

function rescueText(workers: number): string {
  return workers === 0 ? "no worker is running that could take it back" : "another worker is about to take it back";
}
