/**
 * Text as one word of a shell line that a person is told to type: as it is where it is harmless, else in single quotes.
 * An id like `x; rm -rf ~` must not do in a suggestion what it could not do by itself.
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
