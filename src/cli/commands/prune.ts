import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { wholeNumber } from "../option-values.ts";

const MOST = 1_000_000_000;

export const prune: Command = {
  name: "prune",
  summary: "Move older completed jobs to the archive, and remove old logs",
  details: {
    title: "What goes",
    lines: [
      "Completed jobs, all but those that were completed last: to archive/, where",
      "queuectl list --archived finds them. The setting keep_completed says how many",
      "stay; workers do the same by themselves.",
      "Logs of archived jobs that are older than keep_logs days: for good.",
    ],
  },
  arguments: [],
  options: [
    { name: "keep", value: "n", summary: "How many completed jobs stay (default: the setting keep_completed)" },
    { name: "dry-run", summary: "Only say what would be done" },
  ],
  examples: ["queuectl prune --dry-run", "queuectl prune --keep 0"],
  async run({ store, output }, args) {
    const keep = wholeNumber(args, "keep", { min: 0, max: MOST });
    const dryRun = args.options.has("dry-run");
    const pruned = await (await store()).prune({ dryRun, ...(keep === undefined ? {} : { keep }) });
    await output.result({ view: "pruned", pruned, dryRun });
    return EXIT.ok;
  },
};
