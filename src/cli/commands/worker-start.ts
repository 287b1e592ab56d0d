import { parseQueueName } from "../../job/queue.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { wholeNumber } from "../option-values.ts";

const RANGE = { min: 1, max: 1000 };

export const workerStart: Command = {
  name: "worker-start",
  summary: "Start workers and keep them running until ^C",
  arguments: [],
  options: [
    { name: "count", value: "n", summary: "How many workers (default: 1)" },
    { name: "concurrency", value: "n", summary: "How many jobs each of them runs at a time (default: 1)" },
    {
      name: "queue",
      value: "names",
      offer: { names: "queues" },
      summary: "Take jobs of these queues only, separated by commas (default: all)",
    },
    { name: "drain", summary: "Leave when no job is left; exit 5 if one failed for good" },
    { name: "detach", summary: "Run in the background" },
  ],
  examples: [
    "queuectl worker-start --count 2",
    "queuectl worker-start --concurrency 8 --drain",
    "queuectl worker-start --queue deploy,default",
    "queuectl worker-start --detach",
  ],
  async run({ store, output, now, json }, args) {
    const count = wholeNumber(args, "count", RANGE) ?? 1;
    const concurrency = wholeNumber(args, "concurrency", RANGE) ?? 1;
    const drain = args.options.has("drain");
    const queues = args.options.get("queue")?.split(",").map(parseQueueName);
    const serving = queues ? ["--queue", queues.join(",")] : [];
    const forward = ["--concurrency", String(concurrency), ...serving, ...(json ? ["--json"] : [])];
    const { Supervisor } = await import("../../worker/supervisor.ts");
    const { StopRequest } = await import("../../worker/stop-request.ts");
    const opened = await store();
    // A damaged queue is said here and now, not by workers that die one after the other.
    await opened.probe();
    if (args.options.has("detach")) {
      const { startDetached } = await import("../../worker/detach.ts");
      const again = ["--count", String(count), ...(drain ? ["--drain"] : []), ...forward];
      await output.result({ view: "detached", ...(await startDetached(opened, again)) });
      return EXIT.ok;
    }
    const emit = output.event.bind(output);
    using stop = new StopRequest();
    const end = await new Supervisor(opened, { count, drain, forward, log: "inherit", emit, now }).run(stop);
    if (end.how === "interrupted") return EXIT.interrupted;
    return end.how === "drained" && end.deadLettered > 0 ? EXIT.jobsFailed : EXIT.ok;
  },
};
