import { checkChanges, edit as ruleFor } from "../../job/edit.ts";
import { QueueError } from "../../job/errors.ts";
import { parseJson } from "../../job/spec.ts";
import { alterSelected, DRY_RUN, YES } from "../alter-command.ts";
import type { Arguments, Command } from "../command.ts";
import { ABOUT_ID } from "../selection.ts";

/** The field that each option gives. */
const FIELDS: Readonly<Record<string, string>> = {
  command: "command",
  priority: "priority",
  "run-at": "run_at",
  at: "run_at",
  delay: "delay",
  "max-retries": "max_retries",
  timeout: "timeout",
  "expires-in": "expires_in",
};
/** Of these a number is meant as one; of a duration it would not say of what. */
const NUMBERS = ["priority", "run_at", "max_retries"];

export const edit: Command = {
  name: "edit",
  summary: "Change a job that waits, or a dead letter",
  details: {
    title: "What can be changed",
    lines: [
      "All fields of a job but its id: see queuectl enqueue --help. Options name the",
      'common ones, JSON names any; null takes one away, as in {"timeout":null}.',
      "A job keeps its place in the queue and its attempts, a dead letter stays in",
      "the DLQ.",
      "",
      ABOUT_ID,
      "Where it is not a whole id, you are asked.",
    ],
  },
  arguments: [
    { name: "id", required: true, offer: { names: ["pending", "dead"] } },
    { name: "json", required: false },
  ],
  options: [
    { name: "command", value: "line", summary: "What /bin/sh -c runs" },
    { name: "priority", value: "n", summary: "-1000 to 1000, higher runs first" },
    { name: "run-at", value: "time", summary: "Not before: epoch milliseconds or ISO 8601" },
    { name: "at", value: "time", summary: "The same" },
    { name: "delay", value: "duration", summary: "Not before so long from now" },
    { name: "max-retries", value: "n", summary: "Retries after the first attempt" },
    { name: "timeout", value: "duration", summary: "How long an attempt may take, or none" },
    { name: "expires-in", value: "duration", summary: "How long from now it may be begun, or none" },
    YES,
    DRY_RUN,
  ],
  examples: [
    "queuectl edit p1 --priority 10 --delay 5m",
    "queuectl edit bad1 --command 'make -j1' && queuectl dlq-retry bad1",
    `queuectl edit p1 '{"env":{"DEBUG":"1"},"timeout":null}'`,
  ],
  async run(context, args) {
    const [id = "", json] = args.words;
    const fields = fieldsOf(args);
    const isByOption = Object.keys(fields).length > 0;
    if (isByOption === (json !== undefined)) {
      throw new QueueError("E_USAGE", "Say what is to be changed, either by options or as JSON.");
    }
    const rule = ruleFor(checkChanges(json === undefined ? fields : parseJson(json)));
    return alterSelected(context, { ...args, words: [id] }, { pool: ["pending"], rule, verb: "Change" });
  },
};

function fieldsOf({ options }: Arguments): object {
  return Object.fromEntries(
    Array.from(options).flatMap(([option, text]) => {
      const field = FIELDS[option];
      return field === undefined ? [] : [[field, read(field, text)]];
    }),
  );
}

function read(field: string, text: string): string | number | null {
  if (NUMBERS.includes(field) && /^-?\d+$/.test(text)) return Number(text);
  const mayBeNone = field === "timeout" || field === "expires_in";
  return mayBeNone && text === "none" ? null : text;
}
