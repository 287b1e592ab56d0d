import type { Colours } from "../colours.ts";
import { cut } from "../table.ts";

/** What a page is drawn on. A page is a line a row, none of them wider than this. */
export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly colours: Colours;
}

const LEAST = { columns: 60, rows: 16 };

/** What stands in the place of every page where there is no room for one. */
export function tooSmall({ columns, rows }: Canvas): string[] | undefined {
  if (columns >= LEAST.columns && rows >= LEAST.rows) return undefined;
  const needed = `top needs ${LEAST.columns} columns and ${LEAST.rows} rows.`;
  return [needed, `Here are ${columns} and ${rows}.`].slice(0, rows).map((line) => cut(line, columns));
}

/** The lines of a page with the last one at the bottom. What there is no room for is left out above it. */
export function withFooter(lines: readonly string[], footer: string, { rows }: Canvas): string[] {
  const shown = lines.slice(0, rows - 1);
  return [...shown, ...Array<string>(rows - 1 - shown.length).fill(""), footer];
}
