/**
 * A table for a terminal: columns as wide as needed, the flexible ones cut with an ellipsis so that no row wraps. Every
 * cell is escaped here, so no column can forget to.
 */
import { escapeControls } from "./escape.ts";

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** The narrowest and the widest that the column may become; without it, it takes what it needs. */
  readonly flex?: { readonly min: number; readonly max: number };
  /** For numbers. */
  readonly alignRight?: boolean;
  /** Applied to the padded cell, so that colour codes do not count as width. */
  readonly paint?: (cell: string, row: Row) => string;
}

const GAP = "  ";

/** The lines of the table, title first. `width` is the terminal's. */
export function* table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: { width: number; paintTitle: (line: string) => string },
): Generator<string> {
  const widths = fit(rows, columns, options.width);
  const cell = (text: string, i: number): string => {
    const width = widths[i] ?? 0;
    const shown = cut(text, width);
    if (columns[i]?.alignRight) return padding(shown, width) + shown;
    // Nothing follows the last column, so it is cut but not padded.
    return i < columns.length - 1 ? shown + padding(shown, width) : shown;
  };
  yield options.paintTitle(columns.map((column, i) => cell(column.title, i)).join(GAP));
  for (const row of rows) {
    yield columns
      .map((column, i) => {
        const text = cell(textOf(column, row), i);
        return column.paint?.(text, row) ?? text;
      })
      .join(GAP)
      .trimEnd();
  }
}

/** At most `width` columns of `text`, with an ellipsis where something was cut. Wide characters count two. */
export function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += Bun.stringWidth(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Every column gets what it needs; then the widest flexible one gives way, column by column, until the row fits. */
function fit<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): number[] {
  const widths = columns.map((column) => {
    const needed = rows.reduce(
      (widest, row) => Math.max(widest, Bun.stringWidth(textOf(column, row))),
      column.title.length,
    );
    return Math.min(needed, column.flex?.max ?? needed);
  });
  let excess = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (columns.length - 1) - width;
  for (; excess > 0; excess--) {
    const widest = widestThatGives(widths, columns);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function textOf<Row>(column: Column<Row>, row: Row): string {
  return escapeControls(column.text(row));
}

function widestThatGives<Row>(widths: readonly number[], columns: readonly Column<Row>[]): number | undefined {
  let found: number | undefined;
  for (const [i, width] of widths.entries()) {
    const min = columns[i]?.flex?.min;
    if (min !== undefined && width > min && (found === undefined || width > (widths[found] ?? 0))) found = i;
  }
  return found;
}

function padding(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
}
