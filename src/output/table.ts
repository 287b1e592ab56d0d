/**
 * A table for a terminal: columns as wide as needed, cut with an ellipsis so that no row wraps, the flexible ones first. Every
 * cell is escaped here, so no column can forget to.
 */
import { escapeControls } from "./escape.ts";
import { graphemes, graphemeWidth, isNarrow, textWidth } from "./text-width.ts";

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** The narrowest and the widest that the column may become; without it, it takes what it needs. */
  readonly flex?: { readonly min: number; readonly max: number };
  /** Exactly so wide, whatever the cells need: to go with another table. */
  readonly width?: number;
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
  if (textWidth(text) <= width) return text;
  if (isNarrow(text)) return `${text.slice(0, Math.max(0, width - 1))}…`;
  let kept = "";
  let used = 0;
  for (const grapheme of graphemes(text)) {
    used += graphemeWidth(grapheme);
    if (used > width - 1) break;
    kept += grapheme;
  }
  return `${kept}…`;
}

/** Whether the columns are no wider than that even when all of them give way as far as their cells can still be read. */
export function canFit<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): boolean {
  const least = columns.map((column) => rangeOf(rows, column, width).width);
  return roomBeside(least, width) >= 0;
}

/**
 * Flexible columns are as narrow as they may be; then the room that is left goes where it makes the most cells whole for
 * each column of the terminal, so that one long text takes no room from many others. What makes none whole goes to the
 * column with the most cells that are cut.
 */
function fit<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): number[] {
  const ranges = columns.map((column) => rangeOf(rows, column, width));
  const needed = ranges.map(({ max }) => max);
  if (roomBeside(needed, width) >= 0) return needed;
  const widths = (): number[] => ranges.map((range) => range.width);
  const room = (): number => roomBeside(widths(), width);
  // It is better to cut what should be whole than to wrap every row.
  while (room() < 0) {
    const widest = ranges.reduce((found, range) => (range.width > found.width ? range : found));
    if (widest.width <= LEAST) break;
    widest.width--;
  }
  for (let left = room(); left > 0; left = room()) {
    const [best] = ranges.flatMap((range) => stepsOf(range, left)).sort((a, b) => b.gain - a.gain);
    if (best) best.range.width = best.width;
    else {
      const [neediest] = ranges.filter((range) => range.width < range.max).sort((a, b) => missing(b) - missing(a));
      if (!neediest) break;
      neediest.width = Math.min(neediest.max, neediest.width + left);
    }
  }
  return widths();
}

/** Of a cell, when nothing else helps: a character or two, and an ellipsis. */
const LEAST = 3;

interface Range {
  width: number;
  /** What it needs, or the widest that it may become. */
  readonly max: number;
  /** How many cells need so much, the title among them. */
  readonly tally: readonly number[];
}

/** As narrow as it may be. */
function rangeOf<Row>(rows: readonly Row[], column: Column<Row>, width: number): Range {
  const tally: number[] = [];
  const add = (text: string): void => {
    // How much wider than the terminal does not matter.
    const needed = Math.min(textWidth(text), width + 1);
    tally[needed] = (tally[needed] ?? 0) + 1;
  };
  add(column.title);
  for (const row of rows) add(textOf(column, row));
  const needed = column.width ?? tally.length - 1;
  return {
    width: Math.min(needed, column.flex?.min ?? needed),
    max: Math.min(needed, column.flex?.max ?? needed),
    tally,
  };
}

function roomBeside(widths: readonly number[], width: number): number {
  return width - widths.reduce((sum, one) => sum + one, 0) - GAP.length * (widths.length - 1);
}

/** How the column can grow within this room so that more of its cells are whole, and how many for each step that it takes. */
function stepsOf(range: Range, room: number): { range: Range; width: number; gain: number }[] {
  let whole = 0;
  return range.tally.slice(range.width + 1, Math.min(range.max, range.width + room) + 1).flatMap((cells, i) => {
    whole += cells;
    return { range, width: range.width + i + 1, gain: whole / (i + 1) };
  });
}

function missing({ width, tally }: Range): number {
  return tally.slice(width + 1).reduce((sum, cells) => sum + cells, 0);
}

function textOf<Row>(column: Column<Row>, row: Row): string {
  return escapeControls(column.text(row));
}

function padding(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - textWidth(text)));
}
