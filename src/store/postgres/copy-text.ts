/** Fields as COPY reads them. */

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** What stands for no value in the text format of COPY. */
export const NULL = "\\N";

/** The text format of COPY. */
export function copyField(text: string): string {
  return text.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}
