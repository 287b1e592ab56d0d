import { reasonFor } from "../../job/reason.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const why: Command = {
  name: "why",
  summary: "Say in one sentence why a job is where it is",
  arguments: [{ name: "id", required: true }],
  options: [],
  examples: ["queuectl why p1", "queuectl why p1 --json | jq -r .because"],
  async run({ store, output, now }, { words }) {
    const opened = await store();
    const entry = await opened.get(words[0] ?? "");
    const isWaiting = "state" in entry && entry.state === "pending";
    const [present, queues, waiting, running] = await Promise.all([
      opened.present(),
      opened.queues(),
      isWaiting ? opened.list("pending") : [],
      isWaiting ? opened.list("processing") : [],
    ]);
    const workers = present.filter(({ kind }) => kind === "worker");
    const moment = now();
    const reason = reasonFor(entry, { now: moment, workers, jobs: [...waiting, ...running], queues });
    await output.result({ view: "why", entry, reason, now: moment });
    return EXIT.ok;
  },
};
