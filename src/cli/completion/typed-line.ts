/**
 * A command line that is being typed. It is not whole, so it is read with more patience than one that is to be obeyed
 * (argv.ts), but against the same definitions.
 */
import { type Commands, isOption } from "../argv.ts";
import { type Command, GLOBAL_OPTIONS, MAN_OPTION, type OptionSpec } from "../command.ts";

export class TypedLine {
  command: Command | undefined;
  /** The beginning of a command's name, where the rest is to come: `dlq` of `dlq list`. */
  group: string | undefined;
  isHelp = false;
  /** After `--` there are only words. */
  isDashed = false;
  /** The option whose value comes next. */
  awaits: OptionSpec | undefined;
  readonly words: string[] = [];
  /** By name, with their values. */
  readonly given = new Map<string, string>();
  readonly #commands: Commands;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  /** What may be given here. */
  get options(): readonly OptionSpec[] {
    return [...(this.isHelp ? [MAN_OPTION] : (this.command?.options ?? [])), ...GLOBAL_OPTIONS];
  }

  async take(word: string): Promise<void> {
    if (this.awaits) {
      this.given.set(this.awaits.name, word);
      this.awaits = undefined;
    } else if (word === "--") this.isDashed = true;
    else if (!this.isDashed && isOption(word)) this.#takeOption(word);
    else if (this.command) this.words.push(word);
    else await this.#takeName(word);
  }

  #takeOption(word: string): void {
    const [written = "", ...rest] = word.split("=");
    const option = this.options.find(({ name, short }) => written === `--${name}` || written === `-${short}`);
    if (!option) return;
    this.given.set(option.name, rest.join("="));
    if (option.value !== undefined && rest.length === 0) this.awaits = option;
  }

  async #takeName(word: string): Promise<void> {
    const name = this.group === undefined ? word : `${this.group}-${word}`;
    const load = this.#commands.get(name);
    if (load) this.command = await load();
    else if (name === "help") this.isHelp = true;
    else this.group = name;
  }
}
