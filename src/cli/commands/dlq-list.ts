import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const dlqList: Command = {
  name: "dlq-list",
  summary: "List the dead letter queue, oldest first",
  arguments: [],
  options: [],
  examples: ["queuectl dlq-list", "queuectl dlq-list --json | jq -r '.[].error'"],
  async run({ store, output, now }) {
    await output.result({ view: "dead-letters", dead: await (await store()).deadLetters(), now: now() });
    return EXIT.ok;
  },
};
