/** How lists of texts are given to a statement. */

/** No text in that form. */
export const NO_TEXTS = "{}";

/** Text in the form of a PostgreSQL array. */
export function array(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
