/** Which form of output is asked for: by `--json`, or by a variable for a whole script. */
import { QueueError } from "../job/errors.ts";
import { shown } from "../job/shown.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether everything is to be JSON, known before the line can be read: its own mistakes are reported so too. */
export function wantsJson(argv: readonly string[], env: Environment): boolean {
  const end = argv.indexOf("--");
  return env.QUEUECTL_OUTPUT === "json" || (end === -1 ? argv : argv.slice(0, end)).includes("--json");
}

/** Throws `E_USAGE` where the variable names no form. */
export function checkOutputForm({ QUEUECTL_OUTPUT: form }: Environment): void {
  if (form === undefined || ["", "text", "json"].includes(form)) return;
  throw new QueueError("E_USAGE", `QUEUECTL_OUTPUT must be text or json, got ${shown(form)}.`);
}
