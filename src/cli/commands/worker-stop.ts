import type { Present } from "../../store/present.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const workerStop: Command = {
  name: "worker-stop",
  summary: "Stop all workers, once their running jobs are done",
  arguments: [],
  options: [{ name: "now", summary: "End running jobs at once; they go back to the queue" }],
  examples: ["queuectl worker-stop", "queuectl worker-stop --now"],
  async run({ store, output }, args) {
    const { stopWorkers } = await import("../../worker/stop.ts");
    const report = await stopWorkers(await store(), {
      now: args.options.has("now"),
      onWaiting: (left) => output.note(`Waiting for ${names(left)} to finish...`),
    });
    await output.result({ view: "stopped", ...report });
    if (report.unreachable.length === 0) return EXIT.ok;
    output.warn(`Not reachable from here: ${report.unreachable.map(({ id, host }) => `${id} on ${host}`).join(", ")}.`);
    return EXIT.failure;
  },
};

function names(left: readonly Present[]): string {
  return left.map(({ id }) => id).join(", ");
}
