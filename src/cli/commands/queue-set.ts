import { parseQueueName } from "../../job/queue.ts";
import { isRate, MOST_A_RATE, type Rate } from "../../job/rate.ts";
import { shown } from "../../job/shown.ts";
import type { Arguments, Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { mistake } from "../mistake.ts";
import { wholeNumber } from "../option-values.ts";

const RANGE = { min: 1, max: 1_000_000 };
const ANY_NUMBER = "none";

export const queueSet: Command = {
  name: "queue-set",
  summary: "Limit how many jobs of a queue run at a time, or how often one is begun, over all workers",
  arguments: [{ name: "queue", required: true, offer: { names: "queues" } }],
  options: [
    { name: "concurrency", value: "n", summary: `How many at a time; ${ANY_NUMBER} for any number` },
    {
      name: "rate",
      value: "n/unit",
      summary: `How many are begun in any s, m or h: 10/m; ${ANY_NUMBER} for any number`,
    },
  ],
  examples: [
    "queuectl queue-set deploy --concurrency 1",
    "queuectl queue-set mail --rate 10/m",
    "queuectl queue set deploy --concurrency none",
  ],
  async run({ store, output }, args) {
    const name = parseQueueName(args.words[0] ?? "");
    const [concurrency, rate] = [readConcurrency(args), readRate(args)];
    if (concurrency === undefined && rate === undefined) {
      throw mistake("Say what is to hold for the queue: --concurrency <n>, or --rate <n/unit>.");
    }
    const change = { ...(concurrency === undefined ? {} : { concurrency }), ...(rate === undefined ? {} : { rate }) };
    const rule = await (await store()).setQueue(name, change);
    await output.result({ view: "queue-changed", name, rule });
    return EXIT.ok;
  },
};

function readConcurrency(args: Arguments): number | null | undefined {
  return args.options.get("concurrency") === ANY_NUMBER ? null : wholeNumber(args, "concurrency", RANGE);
}

function readRate({ options }: Arguments): Rate | null | undefined {
  const text = options.get("rate");
  if (text === undefined || isRate(text)) return text;
  if (text === ANY_NUMBER) return null;
  throw mistake(
    `Expected --rate to be like 5/s, 10/m or ${MOST_A_RATE}/h, at most ${MOST_A_RATE}, got ${shown(text)}.`,
  );
}
