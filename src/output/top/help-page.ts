import { cut } from "../table.ts";
import { type Canvas, tooSmall, withFooter } from "./canvas.ts";
import { keyLines } from "./keys.ts";

const WORDS = [
  "ended/s   jobs that ended in each second of the last minute, since",
  "          top was started",
  "RUNNING   those that have been run longest first, then idle workers",
  "NEXT      those that are due by their turns, then the others by time",
];

export function helpLines(canvas: Canvas): string[] {
  const { columns, colours } = canvas;
  const lines = ["", ...keyLines(), "", ...WORDS].map((line) => cut(line, columns));
  return (
    tooSmall(canvas) ?? withFooter([colours.bold("queuectl top"), ...lines], colours.dim("any key goes back"), canvas)
  );
}
