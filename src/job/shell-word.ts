/** The shell's own words: as the first of a line, they begin something else than a command. */
const RESERVED = /^(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|in|function|select|time|coproc)$/;

/**
 * Text as one word of a shell line: as it is where it is harmless, else in single quotes. An id like `x; rm -rf ~` must not
 * do in a suggestion what it could not do by itself.
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

/**
 * A line by which the shell runs the first word with the others, each exactly as it is. The first one is in quotes also where
 * the shell would take it for an assignment, for a word of its own, or for an option to itself.
 */
export function shellLine([program = "", ...words]: readonly string[]): string {
  const isSpecial = program.includes("=") || program.startsWith("-") || RESERVED.test(program);
  return [isSpecial ? quoted(program) : shellWord(program), ...words.map(shellWord)].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
