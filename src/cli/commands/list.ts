import { QueueError } from "../../job/errors.ts";
import { JOB_STATES } from "../../job/job.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { choice } from "../option-values.ts";

export const list: Command = {
  name: "list",
  summary: "List jobs, in the order they were enqueued",
  arguments: [],
  options: [
    { name: "state", value: "state", offer: { words: JOB_STATES }, summary: `Only these: ${JOB_STATES.join(", ")}` },
    { name: "archived", summary: "Completed jobs that have left the queue for the archive, instead" },
  ],
  examples: [
    "queuectl list",
    "queuectl list --state pending",
    "queuectl list --archived | jq -r '.[].id'",
    "queuectl list --json | jq -r '.[] | select(.attempts > 1).id'",
  ],
  async run({ store, output, now }, args) {
    const state = choice(args, "state", JOB_STATES);
    if (args.options.has("archived")) {
      if (state !== undefined && state !== "completed") {
        throw new QueueError("E_USAGE", `Only completed jobs are archived, got --state ${state} with --archived.`);
      }
      await output.jobs((await store()).archived(), now());
      return EXIT.ok;
    }
    output.result({ view: "jobs", jobs: await (await store()).list(state), state, now: now() });
    return EXIT.ok;
  },
};
