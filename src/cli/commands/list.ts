import { QueueError } from "../../job/errors.ts";
import { JOB_STATES, type Job } from "../../job/job.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { choice } from "../option-values.ts";

export const list: Command = {
  name: "list",
  summary: "List jobs, in the order they were enqueued",
  arguments: [],
  options: [
    { name: "state", value: "state", summary: `Only these: ${JOB_STATES.join(", ")}` },
    { name: "batch", value: "batch", summary: "Only those of this batch" },
    { name: "archived", summary: "Completed jobs that have left the queue for the archive, instead" },
  ],
  examples: [
    "queuectl list",
    "queuectl list --state pending",
    "queuectl list --batch nightly",
    "queuectl list --archived | jq -r '.[].id'",
    "queuectl list --json | jq -r '.[] | select(.attempts > 1).id'",
  ],
  async run({ store, output, now }, args) {
    const state = choice(args, "state", JOB_STATES);
    const batch = args.options.get("batch");
    if (args.options.has("archived")) {
      if (state !== undefined && state !== "completed") {
        throw new QueueError("E_USAGE", `Only completed jobs are archived, got --state ${state} with --archived.`);
      }
      await output.jobs(jobsOfEach((await store()).archived(), batch), now());
      return EXIT.ok;
    }
    const jobs = jobsOf(batch, await (await store()).list(state));
    output.result({ view: "jobs", jobs, state, now: now() });
    return EXIT.ok;
  },
};

async function* jobsOfEach<J extends Job>(batches: AsyncIterable<readonly J[]>, batch: string | undefined) {
  for await (const jobs of batches) yield jobsOf(batch, jobs);
}

function jobsOf<J extends Job>(batch: string | undefined, jobs: readonly J[]): readonly J[] {
  return batch === undefined ? jobs : jobs.filter((job) => job.batch === batch);
}
