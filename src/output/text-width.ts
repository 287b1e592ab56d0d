/** How many columns text takes. Terminals differ on emoji that are made of several characters. */

const NARROW = /^[ -~…]*$/;
let segmenter: Intl.Segmenter | undefined;

/** Whether each character takes one column, which is told much faster than how many they take. */
export function isNarrow(text: string): boolean {
  return NARROW.test(text);
}

/** At most so many on any terminal: a row that is measured so wraps on none. */
export function textWidth(text: string): number {
  if (isNarrow(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

/** What are single characters to a reader: `⚙️` is two to a program. */
export function* graphemes(text: string): Generator<string> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

/** As one character, or one after the other: `⚙️` is wider than both of its characters, `👩‍💻` may be shown as `👩💻`. */
export function graphemeWidth(grapheme: string): number {
  const apart = Array.from(grapheme).reduce((sum, character) => sum + Bun.stringWidth(character), 0);
  return Math.max(apart, Bun.stringWidth(grapheme));
}
