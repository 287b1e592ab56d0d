import { JOB_STATES } from "../../job/job.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { choice } from "../option-values.ts";

export const list: Command = {
  name: "list",
  summary: "List jobs, in the order they were enqueued",
  arguments: [],
  options: [{ name: "state", value: "state", summary: `Only these: ${JOB_STATES.join(", ")}` }],
  examples: [
    "queuectl list",
    "queuectl list --state pending",
    "queuectl list --json | jq -r '.[] | select(.attempts > 1).id'",
  ],
  async run({ store, output, now }, args) {
    const state = choice(args, "state", JOB_STATES);
    output.result({ view: "jobs", jobs: await (await store()).list(state), state, now: now() });
    return EXIT.ok;
  },
};
