/**
 * From options and words to a job, for every command that makes or changes one. A mistake in an option is told by its name:
 * whoever writes one need not know the JSON form.
 */
import { resolve } from "node:path";
import { ANY_DURATION } from "../job/duration.ts";
import { nameProblem } from "../job/field.ts";
import { IF_EXISTS } from "../job/key.ts";
import { DEFAULT_QUEUE, parseQueueName } from "../job/queue.ts";
import { shellLine, shellWord } from "../job/shell-word.ts";
import { shown } from "../job/shown.ts";
import { checkJobSpec, type JobSpec, RETRIES, type SpecDefaults } from "../job/spec.ts";
import {
  EXPIRIES,
  isFailing,
  PRIORITIES,
  pathProblem,
  TIMEOUTS,
  variableNameProblem,
  variableProblem,
} from "../job/spec-terms.ts";
import type { Failing } from "../job/terms.ts";
import type { Arguments, Context } from "./command.ts";
import { mistake } from "./mistake.ts";
import { choice, duration, instant, wholeNumber } from "./option-values.ts";
import { LINE_OPTION, SPEC_OPTIONS } from "./spec-options.ts";

/** Where the options are read: what a relative directory starts from, and what a variable is copied from. */
export type Here = Pick<Context, "cwd" | "env">;

/** The command that is given by words after `--` or by `-c`, if one is. Throws `E_USAGE`. */
export function readCommand({ command: words, options }: Arguments): string | undefined {
  if (words === undefined) {
    const line = options.get(LINE_OPTION.name);
    return line === undefined ? undefined : faithful(line);
  }
  if (!words[0]) {
    throw mistake(
      `Expected a command after --, got ${shown(words[0])}.`,
      "A program and its arguments, as in: -- make test",
    );
  }
  return shellLine(words.map(faithful));
}

/** How to give these words, which stand where no command is expected. */
export function howToWrite(name: string, words: readonly string[]): string {
  const [line = ""] = words;
  const isLine = words.length === 1 && /\s/.test(line);
  const written = isLine ? `-c ${shellWord(line)}` : `-- ${words.map(shellWord).join(" ")}`;
  return `To run that as a command: queuectl ${name} ${written}`;
}

/** A whole job that runs this command: where one stands, if nothing else is said. Throws `E_USAGE`. */
export function specOf(command: string, args: Arguments, here: Here): JobSpec {
  const terms = readTerms(args, here);
  return checkJobSpec({ ...terms, cwd: terms.cwd ?? faithful(here.cwd), command });
}

/** What the options say; what none of them does is left out. Throws `E_USAGE`. */
export function readTerms(args: Arguments, here: Here): SpecDefaults {
  if (args.options.has("delay") && args.options.has("at")) {
    throw mistake("--delay and --at say the same; give one of them.");
  }
  const terms = {
    id: readName(args, "id"),
    delay: duration(args, "delay", ANY_DURATION),
    run_at: instant(args, "at"),
    priority: wholeNumber(args, "priority", PRIORITIES),
    queue: readQueue(args),
    after: readDependencies(args),
    key: readName(args, "key"),
    if_exists: choice(args, "if-exists", IF_EXISTS),
    batch: readName(args, "batch"),
    max_retries: wholeNumber(args, "max-retries", RETRIES),
    timeout: duration(args, "timeout", TIMEOUTS),
    cwd: readDirectory(args, here),
    env: readVariables(args, here),
    expires_in: duration(args, "expires-in", EXPIRIES),
    retry_on: readFailings(args, "retry-on"),
    no_retry_on: readFailings(args, "no-retry-on"),
  } satisfies { readonly [Field in keyof SpecDefaults]: unknown };
  return Object.fromEntries(Object.entries(terms).filter(([, term]) => term !== undefined));
}

/** The same options once more, as words for a suggestion. */
export function termsAgain({ options, lists }: Arguments): string {
  const values = (name: string): readonly string[] => lists.get(name) ?? [options.get(name) ?? []].flat();
  const again = SPEC_OPTIONS.flatMap(({ name }) => values(name).map((value) => `--${name}=${value}`));
  return again.map((option) => ` ${shellWord(option)}`).join("");
}

function readName({ options }: Arguments, option: "id" | "key" | "batch"): string | undefined {
  const name = options.get(option);
  return name === undefined ? undefined : checkName(option, name);
}

function readQueue({ options }: Arguments): string | undefined {
  const name = options.get("queue");
  return name === undefined || parseQueueName(name) === DEFAULT_QUEUE ? undefined : name;
}

function readDependencies({ lists }: Arguments): readonly string[] | undefined {
  return lists.get("after")?.map((id) => checkName("after", id));
}

function checkName(option: string, name: string): string {
  const problem = nameProblem(name);
  if (problem) throw mistake(`--${option} ${problem}`);
  return name;
}

function readDirectory({ options }: Arguments, { cwd }: Here): string | undefined {
  const written = options.get("cwd");
  if (written === undefined) return undefined;
  const path = resolve(cwd, faithful(written));
  const problem = pathProblem(path);
  if (problem) throw mistake(`--cwd ${problem}`);
  return path;
}

function readVariables({ lists }: Arguments, here: Here): Record<string, string> | undefined {
  const written = lists.get("env");
  // Not by assignment, which for `__proto__` is something else.
  return written && Object.fromEntries(written.map((variable) => readVariable(variable, here)));
}

function readVariable(written: string, { env }: Here): [name: string, value: string] {
  const equals = written.indexOf("=");
  const name = equals === -1 ? written : written.slice(0, equals);
  const unnameable = variableNameProblem(name);
  if (unnameable) throw mistake(`--env ${unnameable}`, "Write --env NAME=value, or --env NAME for what it is here.");
  const value = equals === -1 ? (Object.hasOwn(env, name) ? env[name] : undefined) : written.slice(equals + 1);
  if (value === undefined) {
    throw mistake(`--env ${name} copies a variable that is not set here.`, `Set it, or write --env ${name}=value.`);
  }
  const problem = variableProblem(name, value);
  if (problem) throw mistake(`--env ${name} ${problem}`);
  return [name, faithful(value)];
}

function readFailings({ lists }: Arguments, option: string): readonly Failing[] | undefined {
  return lists.get(option)?.flatMap((text) =>
    text.split(",").map((part) => {
      const word = part.trim();
      const failing = /^\d+$/.test(word) ? Number(word) : word;
      if (isFailing(failing)) return failing;
      throw mistake(
        `Expected --${option} to be exit codes from 1 to 255, signal or timeout, with commas between, got ${shown(text)}.`,
      );
    }),
  );
}

/** Throws for text that is not what was written: Bun gives what is not UTF-8 as U+FFFD, which would be another command. */
function faithful(text: string): string {
  if (!text.includes("\ufffd")) return text;
  throw mistake(
    `Cannot pass on ${shown(text)}: it is not valid UTF-8.`,
    "Put what is not into a script, and run that.",
  );
}
