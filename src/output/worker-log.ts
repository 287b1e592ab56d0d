/** The words of everything that happens while workers run: a line or two each, as the original tool logs them. */
import { unreachable } from "../job/errors.ts";
import type { JobEvent, LeaseLost, WorkerEvent } from "../job/event.ts";
import type { Colours } from "./colours.ts";
import { escapeControls } from "./escape.ts";

export function workerLogLines(event: WorkerEvent): string[] {
  switch (event.event) {
    case "starting":
      return [`Starting ${count(event.count, "worker process", "worker processes")}...`];
    case "worker-started":
      return [`Worker ${event.number} started with PID: ${event.pid}`];
    case "worker-died":
      return [
        `Worker ${event.number} with PID ${event.pid} died (${escapeControls(event.how)}) → restart in ${seconds(event.restartInMs)}`,
      ];
    case "stopping":
      return [stopping(event)];
    case "job":
      return jobLines(escapeControls(event.workerId), event.change);
    case "survivors-ended":
      return [
        `Worker ${event.workerId} ended ${count(event.count, "process", "processes")} that worker ${escapeControls(event.from)} left of job ${escapeControls(event.id)}`,
      ];
    case "fenced":
      return [
        `Worker ${event.workerId} was out of sight for too long: ending ${count(event.running, "running job", "running jobs")}`,
      ];
    case "store-trouble":
      return [
        `Worker ${event.workerId} cannot use the queue: ${escapeControls(event.message)} → retry in ${seconds(event.retryInMs)}`,
      ];
    default:
      return unreachable(event);
  }
}

/** What may need somebody's attention stands out from what goes well. */
export function paintEvent(event: WorkerEvent, line: string, { red, yellow }: Colours): string {
  switch (event.event) {
    case "worker-died":
    case "fenced":
    case "store-trouble":
      return yellow(line);
    case "job":
      return paintChange(event.change, line, { red, yellow });
    case "starting":
    case "worker-started":
    case "stopping":
    case "survivors-ended":
      return line;
    default:
      return unreachable(event);
  }
}

/** `1 worker`, `2 workers`. */
export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

function stopping(event: Extract<WorkerEvent, { event: "stopping" }>): string {
  const jobs = count(event.running, "running job", "running jobs");
  const doing = event.running === 0 ? "..." : event.now ? `: ending ${jobs}...` : `: finishing ${jobs}...`;
  return `Stopping (${escapeControls(event.by)})${doing}`;
}

function jobLines(workerId: string, change: JobEvent | LeaseLost): string[] {
  const id = escapeControls(change.event === "lease-lost" ? change.id : change.job.id);
  switch (change.event) {
    case "enqueued":
      return [`Job enqueued with ID: ${id}`];
    case "claimed":
      return [`[CLAIM] worker ${workerId} claimed job ${id}`, `Worker ${workerId} Processing job: ${id}`];
    case "completed":
      return [`Worker ${workerId} Completed job: ${id}`, `Worker ${workerId} Job succeeded: ${id}`];
    case "rescheduled":
      return [retry(id, change)];
    case "rescued":
      return [
        `[RESCUE] worker ${escapeControls(change.from)} was killed; worker ${workerId} took back job ${id}`,
        retry(id, change),
      ];
    case "dead-lettered":
      return [`${id} moved to DLQ`];
    case "failed":
      return [`${id} failed for good: ${escapeControls(change.job.last_error ?? "")}`];
    case "released":
      return [`Worker ${workerId} Released job: ${id} (unfinished; the attempt does not count)`];
    case "requeued":
      return [`🔁 Job ${id} moved back to queue.`];
    case "lease-lost":
      return [`Worker ${workerId} Lost job: ${id} (it was taken back meanwhile; nothing changed)`];
    default:
      return unreachable(change);
  }
}

function paintChange(
  { event }: JobEvent | LeaseLost,
  line: string,
  { red, yellow }: Pick<Colours, "red" | "yellow">,
): string {
  switch (event) {
    case "dead-lettered":
    case "failed":
      return red(line);
    case "rescheduled":
    case "rescued":
    case "lease-lost":
      return yellow(line);
    case "enqueued":
    case "claimed":
    case "completed":
    case "released":
    case "requeued":
      return line;
    default:
      return unreachable(event);
  }
}

function retry(id: string, change: Extract<JobEvent, { event: "rescheduled" | "rescued" }>): string {
  return `${id} failed attempt ${change.job.attempts} → retry in ${seconds(change.delayMs)}`;
}

/** Seconds and not minutes or hours, because the formula of the backoff is in seconds. */
function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
