import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const dlqRetry: Command = {
  name: "dlq-retry",
  summary: "Move dead letters back to the queue, with no attempts",
  arguments: [{ name: "id", required: true, many: true, offer: { names: ["dead"] } }],
  options: [],
  examples: ["queuectl dlq-retry bad1", "queuectl dlq-list --json | jq -r '.[].id' | xargs queuectl dlq-retry"],
  async run({ store, output }, { words }) {
    output.result({ view: "requeued", jobs: await (await store()).requeue(words) });
    return EXIT.ok;
  },
};
