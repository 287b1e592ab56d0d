/** A sorted copy, for comparing what may come in any order. */
export function sorted(words: readonly string[]): string[] {
  return words.toSorted((a, b) => a.localeCompare(b));
}
