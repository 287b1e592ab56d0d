/** What something is called, and what it means, side by side: no line is wider than asked for. */

export type Explanation = readonly [what: string, how: string];

const GAP = "  ";

/**
 * Explanations are wrapped within their column. A name that would leave them less than half of the width stands alone on its
 * line, and is never cut. `paint` is for the explanations.
 */
export function twoColumns(
  rows: readonly Explanation[],
  { width, paint }: { width: number; paint: (how: string) => string },
): string[] {
  const lengths = rows.map(([what]) => Bun.stringWidth(what));
  const left = Math.max(...lengths.filter((length) => length <= width / 2 - GAP.length), 0);
  return rows.flatMap(([what, how], row) => {
    const length = lengths[row] ?? 0;
    const [first = "", ...others] = wrapped(how, width - left - GAP.length).map(paint);
    const indented = others.map((line) => `${" ".repeat(left)}${GAP}${line}`);
    if (length > left) return [what, `${" ".repeat(left)}${GAP}${first}`, ...indented];
    return [`${what}${" ".repeat(left - length)}${GAP}${first}`, ...indented];
  });
}

/** Lines of whole words. A word that is wider than a line has one of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && Bun.stringWidth(`${line} ${word}`) <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
