import { cut } from "../table.ts";
import { type Canvas, tooSmall, withFooter } from "./canvas.ts";

const LINES = [
  "",
  "  ↑ ↓, k j      choose a job",
  "  l, Enter      what its last attempt printed; q goes back",
  "  r             put the chosen dead letter back into the queue",
  "  p             pause the queue of the chosen job, or resume it",
  "  ?             this page",
  "  q, ^C         leave; ^Z, and fg to come back",
  "",
  "  ended/s       jobs that ended in each second of the last minute, since",
  "                top was started",
  "  RUNNING       those that have been run longest first, then idle workers",
  "  NEXT          those that are due by their turns, then the others by time",
];

export function helpLines(canvas: Canvas): string[] {
  const { columns, colours } = canvas;
  const lines = [colours.bold("queuectl top"), ...LINES.map((line) => cut(line, columns))];
  return tooSmall(canvas) ?? withFooter(lines, colours.dim("any key goes back"), canvas);
}
