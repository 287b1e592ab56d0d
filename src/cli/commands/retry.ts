import { retry as rule } from "../../job/control.ts";
import { alterSelected, DRY_RUN, YES } from "../alter-command.ts";
import type { Command } from "../command.ts";
import { MATCH, SELECTORS, stateOption } from "../selection.ts";

const STATES = ["completed", "failed"] as const;

export const retry: Command = {
  name: "retry",
  summary: "Run completed or failed jobs again, with no attempts, at the end of the queue",
  details: SELECTORS,
  arguments: [{ name: "id", required: false, many: true, offer: { names: STATES } }],
  options: [stateOption(STATES), MATCH, YES, DRY_RUN],
  examples: ["queuectl retry p1", "queuectl retry last --yes", "queuectl retry --state failed --dry-run"],
  run: (context, args) => alterSelected(context, args, { pool: STATES, rule, verb: "Run again" }),
};
