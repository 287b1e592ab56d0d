import { QueueError } from "../../job/errors.ts";
import { parseQueueName } from "../../job/queue.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { wholeNumber } from "../option-values.ts";

const RANGE = { min: 1, max: 1_000_000 };
const ANY_NUMBER = "none";

export const queueSet: Command = {
  name: "queue-set",
  summary: "Limit how many jobs of a queue run at a time, over all workers",
  arguments: [{ name: "queue", required: true, offer: { names: "queues" } }],
  options: [{ name: "concurrency", value: "n", summary: `How many at a time; ${ANY_NUMBER} for any number` }],
  examples: ["queuectl queue-set deploy --concurrency 1", "queuectl queue set deploy --concurrency none"],
  async run({ store, output }, args) {
    const name = parseQueueName(args.words[0] ?? "");
    const isUnlimited = args.options.get("concurrency") === ANY_NUMBER;
    const concurrency = isUnlimited ? null : wholeNumber(args, "concurrency", RANGE);
    if (concurrency === undefined) {
      throw new QueueError("E_USAGE", "Say what is to hold for the queue: --concurrency <n>.");
    }
    const rule = await (await store()).setQueue(name, { concurrency });
    output.result({ view: "queue-changed", name, rule });
    return EXIT.ok;
  },
};
