import { removeDeadLetter as rule } from "../../job/control.ts";
import { alterSelected, DRY_RUN, YES } from "../alter-command.ts";
import type { Command } from "../command.ts";
import { MATCH, SELECTORS } from "../selection.ts";

export const dlqRemove: Command = {
  name: "dlq-remove",
  summary: "Remove dead letters, with what they printed here",
  details: SELECTORS,
  arguments: [{ name: "id", required: false, many: true, offer: { names: ["dead"] } }],
  options: [{ name: "all", summary: "All dead letters" }, MATCH, YES, DRY_RUN],
  examples: [
    "queuectl dlq-remove bad1",
    "queuectl dlq-remove --all --dry-run",
    "queuectl dlq-remove --match 'test-*' --yes",
  ],
  run: (context, args) => alterSelected(context, args, { pool: "dlq", rule, verb: "Remove" }),
};
