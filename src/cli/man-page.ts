/** The manual page, in the language of man(7), made of what the help is made of. */
import { type Command, GLOBAL_OPTIONS, type OptionSpec, optionUsage, usage } from "./command.ts";
import type { Topic } from "./topics/topic.ts";

interface Contents {
  readonly version: string;
  readonly commands: readonly Command[];
  readonly topics: readonly (readonly [name: string, topic: Topic])[];
  /** Shell lines that show the whole. */
  readonly examples: readonly string[];
}

/** The same for the same contents: no date is in it. */
export function manPage({ version, commands, topics, examples }: Contents): string {
  const lines = [
    `.TH QUEUECTL 1 "" "queuectl ${version}" "User Commands"`,
    ".SH NAME",
    "queuectl \\- a durable queue of shell commands",
    ".SH SYNOPSIS",
    ".B queuectl",
    "\\fIcommand\\fR [\\fIoptions\\fR]",
    ".SH DESCRIPTION",
    ...[
      "Enqueue a command, start workers, and it runs. Each job is run by exactly one worker at a time, retried with",
      "exponential backoff, and kept in a dead letter queue (DLQ) when it keeps failing.",
    ].map(roff),
    ...preformatted(examples.map((example) => `$ ${example}`)),
    ".SH OPTIONS OF EVERY COMMAND",
    ...GLOBAL_OPTIONS.flatMap(optionLines),
    ".SH COMMANDS",
    "Two words work as well as one:",
    "\\fBdlq list\\fR is \\fBdlq\\-list\\fR.",
    ...commands.flatMap(commandLines),
    ...topics.flatMap(([name, topic]) => topicLines(name, topic)),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(command: Command): string[] {
  const { summary, details, options, examples } = command;
  return [
    `.SS "${quoted(usage(command))}${options.length > 0 ? " [options]" : ""}"`,
    roff(`${summary}.`),
    ...(details ? titled(details) : []),
    ...options.flatMap(optionLines),
    ...titled({ title: "Examples", lines: examples.map((example) => `$ ${example}`) }),
  ];
}

function optionLines(option: OptionSpec): string[] {
  return [".TP", `\\fB${roff(optionUsage(option))}\\fR`, roff(option.summary)];
}

function topicLines(name: string, { summary, sections }: Topic): string[] {
  const parts = sections.flatMap(({ title, lines }) => [`.SS "${quoted(title)}"`, ...preformatted(lines)]);
  return [`.SH ${roff(name.toUpperCase().replaceAll("-", " "))}`, roff(`${summary}.`), ...parts];
}

function titled({ title, lines }: { title: string; lines: readonly string[] }): string[] {
  return [".PP", `${roff(title)}:`, ...preformatted(lines)];
}

/** Lines as they are. */
function preformatted(lines: readonly string[]): string[] {
  return [".RS 2", ".nf", ...lines.map(roff), ".fi", ".RE"];
}

/** What man(7) would set as a nicer character, or take for an escape. */
const AS_TYPED: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** Text that means itself: no request, no escape, and every character so that it can be copied. */
function roff(text: string): string {
  return text.replace(/[\\'`^~-]/g, (character) => AS_TYPED[character] ?? character).replace(/^\./, "\\&.");
}

/** The same as an argument of a request. */
function quoted(text: string): string {
  return roff(text).replaceAll('"', '""');
}
