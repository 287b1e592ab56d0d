import { GROUPINGS, RunStatsCounter } from "../../job/run-stats.ts";
import { recordIn } from "../../store/item.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { matchFilter } from "../job-filter.ts";
import { choice, wholeNumber } from "../option-values.ts";

const MOST = 1_000_000_000;

export const stats: Command = {
  name: "stats",
  summary: "Count the runs and failures of each command, and how long they take",
  details: {
    title: "What is counted",
    lines: [
      "All jobs that are known: in the queue, in the DLQ and in the archive.",
      "COMMAND   the program and the plain words after it, or all (--by command)",
      "RUNS      attempts that have ended; FAILED are those that completed nothing",
      "FLAKY     jobs that were completed after an attempt that failed",
      "P50, P95  how long runs took that completed their job: half of them, or 95 %",
      "          of them, took no longer (to a percent)",
    ],
  },
  arguments: [],
  options: [
    { name: "by", value: "grouping", summary: `What is one command: ${GROUPINGS.join(", ")} (default: words)` },
    { name: "match", value: "glob", summary: "Only jobs whose id or command is like this" },
    { name: "limit", value: "n", summary: "At most so many commands, those that were run most" },
  ],
  examples: [
    "queuectl stats",
    "queuectl stats --by command --match 'npm *' --limit 10",
    "queuectl stats --json | jq -r '.commands[] | select(.flaky > 0).command'",
  ],
  async run({ store, output }, args) {
    const counter = new RunStatsCounter(choice(args, "by", GROUPINGS) ?? "words");
    const match = args.options.get("match");
    const isMeant = match === undefined ? () => true : matchFilter(match);
    const limit = wholeNumber(args, "limit", { min: 1, max: MOST });
    // As of one moment, so that nothing is counted twice that goes into the archive meanwhile.
    await (await store()).dump(async (items) => {
      for (const item of items) {
        const entry = recordIn(item);
        if (entry && isMeant(entry)) counter.add(entry);
      }
      return true;
    });
    const { all, commands } = counter.result();
    await output.result({ view: "stats", stats: { all, commands: commands.slice(0, limit) } });
    return EXIT.ok;
  },
};
