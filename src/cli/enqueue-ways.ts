/** The ways in which `enqueue` is given what to add: one job as a command, a line of shell or JSON, or many, a line each. */
import type { QueueError } from "../job/errors.ts";
import { shown } from "../job/shown.ts";
import { type JobSpec, parseJobSpec, type SpecDefaults } from "../job/spec.ts";
import type { Arguments } from "./command.ts";
import { mistake } from "./mistake.ts";
import { type Here, howToWrite, readCommand, readTerms, specOf, termsAgain } from "./spec-reader.ts";

const AS_IN = "As in: queuectl enqueue -- make test, or queuectl enqueue -c 'make && make test'";

export type Way = OneJob | ManyJobs;

interface OneJob {
  readonly kind: "one";
  readonly spec: JobSpec;
  /** It is given as people do: then a pipe gets its id and nothing else. The JSON form has the original's sentence there. */
  readonly idAlone: boolean;
}

export interface ManyJobs {
  readonly kind: "many";
  /** Of a file, or `-` for standard input. */
  readonly path: string;
  /** All jobs or none, in one commit. */
  readonly atomic: boolean;
  /** Of lines that say nothing themselves. */
  readonly terms: SpecDefaults;
  /** The terms once more, as words to type. */
  readonly termsAgain: string;
}

/** Throws `E_USAGE`. */
export function readWay(args: Arguments, here: Here): Way {
  checkCombination(args);
  const command = readCommand(args);
  if (command !== undefined) return { kind: "one", spec: specOf(command, args, here), idAlone: true };
  const terms = readTerms(args, here);
  const path = pathOf(args);
  if (path === undefined) {
    const spec = readJson(args.words, terms);
    if (args.options.has("if-exists") && spec.key === undefined) throw noKey();
    return { kind: "one", spec, idAlone: false };
  }
  return { kind: "many", path, atomic: args.options.has("atomic"), terms, termsAgain: termsAgain(args) };
}

function checkCombination(args: Arguments): void {
  const { words, options, command } = args;
  const ways = [words.length > 0, options.has("file"), options.has("command"), command !== undefined];
  const given = ways.filter(Boolean).length;
  if (given === 0) {
    throw mistake(
      "Missing <json>.",
      "Usage: queuectl enqueue <json>, or -c <line>, or -- <command>, or --file <path> or - for many, one JSON a line",
    );
  }
  if (given === 2 && words.length > 0 && options.has("file")) {
    throw mistake("Give the jobs as an argument or by --file, not both.");
  }
  if (given > 1) throw mistake("Give a job in one way: as JSON, by --file, by -c, or after --.", AS_IN);
  if (command?.length === 1 && command[0]?.startsWith("{")) {
    throw mistake(`Expected a command after --, got ${shown(command[0])}.`, "A job in JSON goes without the --.");
  }
  const isMany = pathOf(args) !== undefined;
  if (options.has("atomic") && !isMany) throw mistake("--atomic is for many jobs: give them by --file or -.");
  for (const own of ["id", "key"]) {
    if (options.has(own) && isMany) throw mistake(`--${own} is for one job: of many, each has its own "${own}".`);
  }
  const isCommand = options.has("command") || command !== undefined;
  if (options.has("if-exists") && !options.has("key") && isCommand) throw noKey();
}

function noKey(): QueueError {
  return mistake("--if-exists says what becomes of a job whose --key is taken, and this one has none.");
}

function pathOf({ words, options }: Arguments): string | undefined {
  if (words[0] === "-" && words[1] !== undefined) throw unexpected(words[1]);
  return options.get("file") ?? (words[0] === "-" ? "-" : undefined);
}

/** What does not begin as JSON is most likely a command. */
function readJson(words: readonly string[], terms: SpecDefaults): JobSpec {
  const [word = "", surplus] = words;
  if (word !== "null" && !/^\s*(?:$|[{["])/.test(word)) {
    throw mistake(
      `Invalid job data: expected an object like {"command":"echo hi"}, got ${shown(word)}.`,
      howToWrite("enqueue", words),
    );
  }
  if (surplus !== undefined) throw unexpected(surplus);
  return parseJobSpec(word, terms);
}

function unexpected(word: string): QueueError {
  return mistake(`Unexpected argument ${shown(word)}.`, "See queuectl enqueue --help.");
}
