/** How workers are started whose log nobody reads: only that one has died is told. */
import type { WorkerEvent } from "../job/event.ts";
import { workerLogLines } from "../output/worker-log.ts";
import type { SupervisorOptions } from "../worker/supervisor.ts";

export function quietly(warn: (sentence: string) => void): Pick<SupervisorOptions, "log" | "emit"> {
  return {
    log: "ignore",
    emit: (event: WorkerEvent) => {
      if (event.event === "worker-died") warn(workerLogLines(event).join(" "));
    },
  };
}
