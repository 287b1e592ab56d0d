/**
 * Reads a command line against the definitions of the commands: exact text in, exact text out. cac's own reader is not
 * used, because it turns `0012` after a flag into 12, takes a lone `-` and the word after it for an option without a
 * name, and ends an unknown command with success.
 */
import { closest, didYouMean } from "../job/closest.ts";
import type { QueueError } from "../job/errors.ts";
import { shown } from "../job/shown.ts";
import { type Arguments, type Command, GLOBAL_OPTIONS, MAN_OPTION, type OptionSpec, usage } from "./command.ts";
import { mistake } from "./mistake.ts";

export type Request =
  | { readonly kind: "help"; readonly command: Command | undefined }
  | { readonly kind: "topic"; readonly topic: string }
  | { readonly kind: "man" }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly command: Command; readonly args: Arguments };

/** By name. */
export type Commands = ReadonlyMap<string, () => Promise<Command>>;

/** What the command line asks for: `topics` are the names of the pages of help. Throws `E_USAGE` with a suggestion. */
export async function readRequest(
  argv: readonly string[],
  commands: Commands,
  topics: readonly string[],
): Promise<Request> {
  const line = new CommandLine(argv);
  line.readUntilWord(GLOBAL_OPTIONS);
  if (line.peek() === "help") {
    line.next();
    return readHelp(line, commands, topics);
  }
  const command = line.peek() === undefined ? undefined : await readCommand(line, [...commands.keys()], commands);
  if (command) line.readAll([...command.options, ...GLOBAL_OPTIONS], command);
  if (line.options.has("help")) return { kind: "help", command };
  if (line.options.has("version")) return { kind: "version" };
  if (!command) return { kind: "help", command };
  checkWords(line.words, command);
  const { words, options, lists, command: other } = line;
  return { kind: "run", command, args: { words, options, lists, ...(other && { command: other }) } };
}

/** `help config` is a page, and `help config get` a command. */
async function readHelp(line: CommandLine, commands: Commands, topics: readonly string[]): Promise<Request> {
  line.readUntilWord([MAN_OPTION, ...GLOBAL_OPTIONS]);
  if (line.options.has("man")) return { kind: "man" };
  const word = line.peek();
  if (word === undefined) return { kind: "help", command: undefined };
  if (topics.includes(word) && line.isLast()) return { kind: "topic", topic: word };
  return { kind: "help", command: await readCommand(line, [...commands.keys(), ...topics], commands) };
}

/** A command line being read from left to right. */
class CommandLine {
  readonly words: string[] = [];
  readonly options = new Map<string, string>();
  readonly lists = new Map<string, string[]>();
  /** After `--`, where a command takes another. */
  command: readonly string[] | undefined;
  readonly #rest: string[];

  constructor(argv: readonly string[]) {
    this.#rest = [...argv];
  }

  /** The word that comes next, once the options before it have been read. */
  peek(): string | undefined {
    return this.#rest[0];
  }

  isLast(): boolean {
    return this.#rest.slice(1).every(isOption);
  }

  next(): string | undefined {
    return this.#rest.shift();
  }

  /** Reads options up to a word, or to the end. */
  readUntilWord(known: readonly OptionSpec[]): void {
    for (let token = this.peek(); token !== undefined && isOption(token); token = this.peek()) {
      this.next();
      this.#readOption(token, known, undefined);
    }
  }

  /** Reads everything that is left: options and words in any order; after `--`, only words, or another command. */
  readAll(known: readonly OptionSpec[], command: Command): void {
    for (let token = this.next(); token !== undefined; token = this.next()) {
      if (token === "--") this.#takeRest(command);
      else if (isOption(token)) this.#readOption(token, known, command);
      else this.words.push(token);
    }
  }

  #takeRest({ takesCommand }: Command): void {
    const rest = this.#rest.splice(0);
    if (takesCommand) this.command = rest;
    else this.words.push(...rest);
  }

  #readOption(token: string, known: readonly OptionSpec[], command: Command | undefined): void {
    const equals = token.indexOf("=");
    const written = equals === -1 ? token : token.slice(0, equals);
    const option = known.find(({ name, short }) => written === `--${name}` || written === `-${short}`);
    if (!option) throw unknownOption(written, known, command);
    if (option.value === undefined) {
      if (equals !== -1) throw mistake(`${written} takes no value, got ${shown(token.slice(equals + 1))}.`);
      this.options.set(option.name, "");
      return;
    }
    const value = equals === -1 ? this.#value(known) : token.slice(equals + 1);
    if (!value) throw mistake(`Expected a value after ${written}: ${written} <${option.value}>.`);
    this.options.set(option.name, value);
    if (option.many) this.lists.set(option.name, [...(this.lists.get(option.name) ?? []), value]);
  }

  /** The value of an option: the next token, unless that is an option itself. `-1` is a value, if a wrong one. */
  #value(known: readonly OptionSpec[]): string | undefined {
    const token = this.peek();
    if (token === undefined || token === "--") return undefined;
    if (known.some(({ name, short }) => token === `--${name}` || token === `-${short}`)) return undefined;
    return this.next();
  }
}

/** A lone `-` is a word, and so is a negative number: the command then says what it expected instead. */
export function isOption(token: string): boolean {
  return token.length > 1 && token.startsWith("-") && !"0123456789.".includes(token[1] ?? "") && token !== "--";
}

/** Takes the name of a command, in one word or in two: `dlq-list`, `dlq list`. For any other word, `names` are suggested. */
async function readCommand(line: CommandLine, names: readonly string[], commands: Commands): Promise<Command> {
  const first = line.next() ?? "";
  const direct = commands.get(first);
  if (direct) return direct();
  if (names.some((name) => name.startsWith(`${first}-`))) line.readUntilWord(GLOBAL_OPTIONS);
  const second = line.peek();
  const joined = second === undefined ? undefined : `${first}-${second}`;
  const command = joined === undefined ? undefined : commands.get(joined);
  if (!command) throw unknownCommand(first, joined, names);
  line.next();
  return command();
}

function unknownCommand(first: string, joined: string | undefined, names: readonly string[]): QueueError {
  const group = names.filter((name) => name.startsWith(`${first}-`));
  if (group.length > 0) {
    const written = joined?.replace("-", " ") ?? first;
    const near = joined === undefined ? undefined : closest(joined, group);
    return mistake(`Unknown command ${shown(written)}.`, `Did you mean ${near ? shown(near) : oneOf(group)}?`);
  }
  const hint = didYouMean(first, names) ?? (joined && didYouMean(joined, names));
  return mistake(`Unknown command ${shown(first)}.`, hint ?? "All commands: queuectl --help");
}

function unknownOption(written: string, known: readonly OptionSpec[], command: Command | undefined): QueueError {
  const near = didYouMean(
    written,
    known.map(({ name }) => `--${name}`),
  );
  const page = command ? `See queuectl ${command.name} --help` : "See queuectl --help";
  const dashed = command?.takesCommand
    ? "; a command of your own goes after --"
    : command?.arguments.length
      ? "; an argument that starts with a dash goes after --"
      : "";
  return mistake(`Unknown option ${shown(written)}.`, near ?? `${page}${dashed}.`);
}

function checkWords(words: readonly string[], command: Command): void {
  const missing = command.arguments.filter(({ required }) => required)[words.length];
  if (missing) throw mistake(`Missing <${missing.name}>.`, `Usage: queuectl ${usage(command)}`);
  const takesAll = command.takesCommand || command.arguments.some(({ many }) => many);
  const surplus = takesAll ? undefined : words[command.arguments.length];
  if (surplus !== undefined) {
    throw mistake(`Unexpected argument ${shown(surplus)}.`, `Usage: queuectl ${usage(command)}`);
  }
}

function oneOf(names: readonly string[]): string {
  return names.map(shown).join(" or ");
}
