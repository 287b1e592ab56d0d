import { remove as rule } from "../../job/control.ts";
import { alterSelected, DRY_RUN, YES } from "../alter-command.ts";
import { ANY_ID, type Command } from "../command.ts";
import { MATCH, SELECTORS, stateOption } from "../selection.ts";

const STATES = ["pending", "completed", "failed"] as const;

export const remove: Command = {
  name: "remove",
  summary: "Remove jobs that are not running, or dead letters, with what they printed here",
  details: SELECTORS,
  arguments: [{ name: "id", required: false, many: true, offer: ANY_ID }],
  options: [stateOption(STATES, "All jobs"), MATCH, YES, DRY_RUN],
  examples: ["queuectl remove p1", "queuectl remove p1 p2 --yes", "queuectl remove --state failed --match 'nightly-*'"],
  run: (context, args) => alterSelected(context, args, { pool: STATES, rule, verb: "Remove" }),
};
