/** The page of `top` that shows what a job printed: a window of its lines. */
import { escapeControls } from "../escape.ts";
import { foldedLines } from "../folded-lines.ts";
import { cut } from "../table.ts";
import { type Canvas, tooSmall, withFooter } from "./canvas.ts";

export interface LogPage {
  /** Which log it is. */
  readonly title: string;
  /** Lines without anything that could steer a terminal, as wide as they are. */
  readonly lines: readonly string[];
  /** The first line that is shown, of those that `foldedLines` makes. */
  readonly first: number;
}

/** How many lines of a log there is room for. */
export function logRoom({ rows }: Pick<Canvas, "rows">): number {
  return rows - 2;
}

export function logPageLines({ title, lines, first }: LogPage, canvas: Canvas): string[] {
  const { columns, colours } = canvas;
  const all = foldedLines(lines, columns);
  const shown = all.slice(first, first + logRoom(canvas));
  const head = colours.bold(cut(escapeControls(title), columns));
  if (all.length === 0) {
    return tooSmall(canvas) ?? withFooter([head, "", "Nothing was printed."], colours.dim("q back"), canvas);
  }
  const place = `${first + 1}-${first + shown.length} of ${all.length} lines`;
  const footer = `↑↓ line  space b page  g G start, end  q back   ${place}`;
  return tooSmall(canvas) ?? withFooter([head, ...shown], colours.dim(cut(footer, columns)), canvas);
}
