/** The main page of `top`: from what is known of a queue to the lines of a screen, and nothing else. */

import type { Glance } from "../../job/foremost.ts";
import { EVERY_QUEUE, type QueueStatus } from "../../job/queue.ts";
import type { Present } from "../../store/present.ts";
import type { Counts } from "../../store/store.ts";
import { escapeControls } from "../escape.ts";
import { cut } from "../table.ts";
import { clock } from "../time.ts";
import { count } from "../worker-log.ts";
import { type Canvas, tooSmall, withFooter } from "./canvas.ts";
import { KEYS } from "./keys.ts";
import { sectionLines } from "./sections.ts";
import { sparkline } from "./sparkline.ts";

export interface Dashboard {
  /** Where the queue is. */
  readonly location: string;
  readonly now: number;
  readonly counts: Counts;
  readonly workers: readonly Present[];
  readonly queues: readonly QueueStatus[];
  readonly glance: Glance;
  /** How many jobs ended in each of the latest seconds, the last one last. */
  readonly endedPerSecond: readonly number[];
  /** The id of the job that a key is for. */
  readonly chosen: string | undefined;
  /** What came of the last key, or what is wrong. */
  readonly message: Message | undefined;
}

export interface Message {
  readonly text: string;
  readonly isTrouble: boolean;
}

const GAP = "   ";
/** Between what is listed side by side: less, so that more of it stands in a line. */
const LIST_GAP = "  ";

export function dashboardLines(dashboard: Dashboard, canvas: Canvas): string[] {
  const head = [
    titleLine(dashboard, canvas),
    ...countLines(dashboard, canvas),
    throughputLine(dashboard, canvas),
    ...queueLines(dashboard, canvas),
  ];
  // All but the head and the last line.
  const room = canvas.rows - head.length - 1;
  return (
    tooSmall(canvas) ??
    withFooter([...head, ...sectionLines(dashboard, canvas, { room })], footer(dashboard, canvas), canvas)
  );
}

function titleLine({ location, now }: Dashboard, { columns, colours }: Canvas): string {
  const time = clock(now, now);
  const title = "queuectl top";
  const place = cut(escapeControls(location), columns - title.length - time.length - 2 * GAP.length);
  const gap = " ".repeat(columns - title.length - GAP.length - Bun.stringWidth(place) - time.length);
  return `${colours.bold(title)}${GAP}${colours.dim(place)}${gap}${time}`;
}

function countLines({ counts, workers }: Dashboard, { columns, colours }: Canvas): string[] {
  const { pending, processing, completed, failed, dead } = counts;
  const parts = [
    { text: `${pending} pending`, paint: colours.yellow },
    { text: `${processing} processing`, paint: colours.cyan },
    { text: `${completed} completed`, paint: colours.green },
    { text: `${failed} failed`, paint: failed > 0 ? colours.red : colours.dim },
    { text: `${dead} in the DLQ`, paint: dead > 0 ? colours.red : colours.dim },
    { text: count(workers.length, "worker", "workers"), paint: workers.length > 0 ? colours.bold : colours.red },
  ];
  return folded(parts, columns);
}

function throughputLine({ endedPerSecond }: Dashboard, { columns, colours }: Canvas): string {
  const label = "ended/s ";
  const figures = ` now ${rate(endedPerSecond.at(-1) ?? 0)}, most ${rate(Math.max(...endedPerSecond, 0))}`;
  const bars = sparkline(endedPerSecond.slice(-(columns - label.length - figures.length)));
  return `${colours.dim(label)}${colours.green(bars)}${colours.dim(figures)}`;
}

function rate(perSecond: number): string {
  return perSecond < 10 ? String(Math.round(perSecond * 10) / 10) : String(Math.round(perSecond));
}

/** Only of those for which anything holds. */
function queueLines({ queues }: Dashboard, { columns, colours }: Canvas): string[] {
  if (queues.some(({ name, paused }) => name === EVERY_QUEUE && paused)) {
    return [colours.yellow("Every queue is paused.")];
  }
  const parts = queues
    .filter(({ paused, concurrency }) => paused || concurrency !== undefined)
    .map((queue) => ({ text: queueText(queue), paint: queue.paused ? colours.yellow : colours.dim }));
  return folded(parts, columns);
}

function queueText({ name, paused, concurrency, pending, processing }: QueueStatus): string {
  const running = concurrency === undefined ? `${processing} run` : `${processing} of ${concurrency} run`;
  return `queue ${escapeControls(name)}: ${paused ? "paused, " : ""}${running}, ${pending} wait`;
}

interface Part {
  readonly text: string;
  readonly paint: (text: string) => string;
}

/** Side by side, on as many lines as they need: two at most, so that they leave room for the jobs. */
function folded(parts: readonly Part[], columns: number): string[] {
  const lines: Part[][] = [];
  let used = columns;
  for (const part of parts) {
    const width = Bun.stringWidth(part.text);
    const isNew = used + LIST_GAP.length + width > columns;
    if (isNew) lines.push([]);
    used = isNew ? width : used + LIST_GAP.length + width;
    lines.at(-1)?.push({ ...part, text: cut(part.text, columns) });
  }
  return lines.slice(0, 2).map((line) => line.map(({ text, paint }) => paint(text)).join(LIST_GAP));
}

function footer({ message }: Dashboard, { columns, colours }: Canvas): string {
  if (message === undefined) {
    return colours.dim(cut(KEYS.map(({ briefly }) => briefly).join("  "), columns));
  }
  const text = cut(escapeControls(message.text), columns);
  return message.isTrouble ? colours.red(text) : colours.green(text);
}
