import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const queueList: Command = {
  name: "queue-list",
  summary: "List the queues: how many jobs wait and run, and what holds for them",
  arguments: [],
  options: [],
  examples: ["queuectl queue-list", "queuectl queue list --json | jq -r '.queues[] | select(.paused).name'"],
  async run({ store, output }) {
    await output.result({ view: "queues", queues: await (await store()).queues() });
    return EXIT.ok;
  },
};
