import { retryDeadLetter as rule } from "../../job/control.ts";
import { alterSelected, DRY_RUN, YES } from "../alter-command.ts";
import type { Command } from "../command.ts";
import { MATCH, SELECTORS } from "../selection.ts";

export const dlqRetry: Command = {
  name: "dlq-retry",
  summary: "Move dead letters back to the queue, with no attempts",
  details: SELECTORS,
  arguments: [{ name: "id", required: false, many: true, offer: { names: ["dead"] } }],
  options: [{ name: "all", summary: "All dead letters" }, MATCH, YES, DRY_RUN],
  examples: ["queuectl dlq-retry bad1", "queuectl dlq-retry --match 'nightly-*'", "queuectl dlq-retry --all --yes"],
  run: (context, args) => alterSelected(context, args, { pool: "dlq", rule, verb: "Run again" }),
};
