import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const scheduleList: Command = {
  name: "schedule-list",
  summary: "List the schedules, and when each gives its next job",
  arguments: [],
  options: [],
  examples: ["queuectl schedule-list", "queuectl schedule list --json | jq -r '.schedules[].name'"],
  async run({ store, output, now }) {
    await output.result({ view: "schedules", schedules: await (await store()).schedules.list(), now: now() });
    return EXIT.ok;
  },
};
