/** How lists of texts are given to a statement. */

/** Text in the form of a PostgreSQL array. */
export function array(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
