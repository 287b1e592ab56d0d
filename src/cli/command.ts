import { JOB_STATES } from "../job/job.ts";
import type { Output } from "../output/output.ts";
import type { StoreChoice } from "../store/choice.ts";
import type { Doctor } from "../store/doctor.ts";
import type { Named } from "../store/known-names.ts";
import type { Migrator } from "../store/migrator.ts";
import type { Store } from "../store/store.ts";

/** One command: what it accepts, how its help describes it, and what it does. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** A section of its help, for what its arguments may be. */
  readonly details?: { readonly title: string; readonly lines: readonly string[] };
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /**
   * What stands after `--` is another program's command line, word for word. Then it judges surplus words itself: most likely
   * they are one without its `--` (`howToWrite`).
   */
  readonly takesCommand?: boolean;
  /** Shell lines for its help. */
  readonly examples: readonly string[];
  /** Returns the exit code. Errors are thrown: `main.ts` words them. */
  run(context: Context, args: Arguments): Promise<number>;
}

/** What a shell offers where a value is to be typed: paths, names that the queue knows, or some words. */
export type Offer =
  | { readonly paths: "files" | "directories" }
  | { readonly names: Named }
  | { readonly words: readonly string[] };

/** The ids of everything that has one. */
export const ANY_ID: Offer = { names: [...JOB_STATES, "dead"] };

interface ArgumentSpec {
  readonly name: string;
  readonly required: boolean;
  readonly offer?: Offer;
  /** Takes all arguments from here on. Only the last one may. */
  readonly many?: boolean;
}

export interface OptionSpec {
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What the help calls its value; an option without one is a flag. */
  readonly value?: string;
  readonly offer?: Offer;
  /** May be given many times, and all of its values count. Of another option the last one does. */
  readonly many?: boolean;
  readonly summary: string;
}

/** What was written after the command's name: exact text, never turned into numbers. */
export interface Arguments {
  readonly words: readonly string[];
  /** By option name; a flag's text is empty. */
  readonly options: ReadonlyMap<string, string>;
  /** Of the options that may be given many times: all values, in order. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** What stands after `--`, where a command takes another. */
  readonly command?: readonly string[];
}

/** What a command works with. */
export interface Context {
  readonly output: Output;
  readonly now: () => number;
  readonly json: boolean;
  /** Where one stands. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens the store when first asked. The caller closes it, after the result has been printed. */
  store(): Promise<Store>;
  /** Which store that is. */
  choice(): Promise<StoreChoice>;
  /** The same store, to be examined also where it cannot be used. */
  doctor(): Promise<Doctor>;
  /** The same store, to be brought up to date. */
  migrator(): Promise<Migrator>;
  /** A store of one's own, in another data directory; to be closed by who asks. */
  storeIn(dataDir: string): Promise<Store>;
  doctorIn(dataDir: string): Promise<Doctor>;
  /** Asks whoever sits at the terminal, yes or no; undefined when nobody does. */
  ask(question: string): Promise<boolean | undefined>;
}

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "data-dir",
    value: "dir",
    offer: { paths: "directories" },
    summary: "Where the queue is kept (default: the nearest db/data)",
  },
  { name: "json", summary: "Print JSON, for programs" },
  { name: "help", short: "h", summary: "Show this help" },
  { name: "version", short: "v", summary: "Show the version" },
];

/** Of `queuectl help` alone. */
export const MAN_OPTION: OptionSpec = { name: "man", summary: "Print all of the help as a manual page" };

/** `-f, --follow`, `--state <state>`: how the option is written. */
export function optionUsage({ name, short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : ""}--${name}${value ? ` <${value}>` : ""}`;
}

/** `config-get [key]`, `dlq-retry <id...>`: how the command is written; on its own page with the place of its options. */
export function usage(command: Command, options?: "[options]"): string {
  const words = command.arguments.map(({ name, required, many }) => {
    const text = many ? `${name}...` : name;
    return required ? `<${text}>` : `[${text}]`;
  });
  const other = command.takesCommand ? "[-- command...]" : undefined;
  return [command.name, ...words, options, other].filter((part) => part !== undefined).join(" ");
}
