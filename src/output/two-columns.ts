/** What something is called, and what it means, side by side: no line is wider than asked for. */

import { foldedLines } from "./folded-lines.ts";

export type Explanation = readonly [what: string, how: string];

const GAP = "  ";

/**
 * Explanations are wrapped within their column. A name that takes more than half of the width stands alone on its line, and is
 * never cut. `paint` is for the explanations.
 */
export function twoColumns(
  rows: readonly Explanation[],
  { width, paint }: { width: number; paint: (how: string, row: number) => string },
): string[] {
  const lengths = rows.map(([what]) => Bun.stringWidth(what));
  const left = Math.max(...lengths.filter((length) => length <= width / 2), 0);
  return rows.flatMap(([what, how], row) => {
    const length = lengths[row] ?? 0;
    const [first = "", ...others] = wrapped(how, width - left - GAP.length).map((line) => paint(line, row));
    const indented = others.map((line) => `${" ".repeat(left)}${GAP}${line}`);
    if (length > left) return [what, `${" ".repeat(left)}${GAP}${first}`, ...indented];
    return [`${what}${" ".repeat(left - length)}${GAP}${first}`, ...indented];
  });
}

/** Lines of whole words, but for those that are wider than a line. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").flatMap((whole) => foldedLines([whole], width))) {
    const line = lines.at(-1);
    if (line !== undefined && Bun.stringWidth(`${line} ${word}`) <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
