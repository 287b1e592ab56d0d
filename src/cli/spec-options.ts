/** What may be said of a job by options: the fields of its JSON form. `spec-reader.ts` reads them, and is loaded where one is given. */
import { IF_EXISTS } from "../job/key.ts";
import { FAILINGS } from "../job/terms.ts";
import { ANY_ID, type Offer, type OptionSpec } from "./command.ts";

const FAILING_WORDS: Offer = { words: FAILINGS };

/** Without the command itself. */
export const SPEC_OPTIONS: readonly OptionSpec[] = [
  { name: "id", value: "id", summary: "A name of your own (default: one is made up)" },
  { name: "delay", value: "duration", summary: "Not before so long from now: 90s, 15m, 2h30m, 1d" },
  { name: "at", value: "time", summary: "Not before this time, in ISO 8601" },
  { name: "priority", value: "n", summary: "-1000 to 1000, higher runs first (default: 0)" },
  { name: "queue", value: "name", offer: { names: "queues" }, summary: "The queue it is in (default: default)" },
  {
    name: "after",
    value: "id",
    many: true,
    offer: ANY_ID,
    summary: "A job that has to be completed before it; may be repeated",
  },
  { name: "key", value: "key", summary: "What only one job that waits or runs may have" },
  {
    name: "if-exists",
    value: "policy",
    offer: { words: IF_EXISTS },
    summary: `While another has its key: ${IF_EXISTS.join(", ")} (default: fail)`,
  },
  { name: "batch", value: "name", summary: "What it belongs to, to find and wait for its jobs" },
  { name: "max-retries", value: "n", summary: "Retries after the first attempt (default: the setting)" },
  { name: "timeout", value: "duration", summary: "How long an attempt may take" },
  {
    name: "cwd",
    value: "dir",
    offer: { paths: "directories" },
    summary: "The directory it runs in (default for a command: this one)",
  },
  { name: "env", value: "K[=V]", many: true, summary: "A variable for it, or K as it is here; may be repeated" },
  { name: "expires-in", value: "duration", summary: "How long from now it may be begun" },
  {
    name: "retry-on",
    value: "codes",
    many: true,
    offer: FAILING_WORDS,
    summary: "Retry only these failures: 75,124,signal,timeout",
  },
  { name: "no-retry-on", value: "codes", many: true, offer: FAILING_WORDS, summary: "Do not retry these failures" },
];

/** Beside the words after `--`. */
export const LINE_OPTION: OptionSpec = {
  name: "command",
  short: "c",
  value: "line",
  summary: "A line of shell, in one word: 'make && make test'",
};
