import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const status: Command = {
  name: "status",
  summary: "Count the jobs in each state and the running workers",
  arguments: [],
  options: [],
  examples: ["queuectl status", "queuectl status --json | jq .pending"],
  async run({ store, output }) {
    const opened = await store();
    const [counts, present] = await Promise.all([opened.counts(), opened.present()]);
    await output.result({ view: "status", counts, workers: present.filter(({ kind }) => kind === "worker") });
    return EXIT.ok;
  },
};
