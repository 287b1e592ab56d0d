/** The jobs in `top`: those that run, those that are next and the last failures, with ids and times in columns that all share. */
import { unreachable } from "../../job/errors.ts";
import type { Glance } from "../../job/foremost.ts";
import {
  changedAt,
  type DeadLetter,
  type FailedJob,
  isDeadLetter,
  type PendingJob,
  type ProcessingJob,
} from "../../job/job.ts";
import { EVERY_QUEUE, queueOf } from "../../job/queue.ts";
import type { Present } from "../../store/present.ts";
import type { Colours } from "../colours.ts";
import { escapeControls } from "../escape.ts";
import { type Column, table } from "../table.ts";
import { textWidth } from "../text-width.ts";
import { relative, span } from "../time.ts";
import type { Canvas } from "./canvas.ts";
import type { Dashboard } from "./dashboard.ts";

type Row =
  | { readonly kind: "running"; readonly job: ProcessingJob; readonly worker: Present | undefined }
  | { readonly kind: "idle"; readonly worker: Present }
  | { readonly kind: "next"; readonly job: PendingJob; readonly isPaused: boolean }
  | { readonly kind: "failure"; readonly job: FailedJob | DeadLetter };

interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

const MAX_ID_WIDTH = 30;
const MARK = { chosen: "> ", other: "  " };

/** The jobs in the order of the screen: that in which keys go from one to another. */
export function jobsInOrder({ processing, next, failures }: Glance): readonly Glance[keyof Glance][number][] {
  return [...processing, ...next, ...failures];
}

/** At most `room` lines. What there is no room for is left out at the end of each section, but never the chosen job. */
export function sectionLines(dashboard: Dashboard, canvas: Canvas, { room }: { room: number }): string[] {
  const sections = sectionsOf(dashboard);
  // Each has a title, and an empty line before it.
  const shares = sharesOf(
    sections.map(({ rows }) => rows.length),
    room - 2 * sections.length,
  );
  const visible = sections.map(({ rows }, i) => windowOf(rows, shares[i] ?? 0, dashboard.chosen));
  const columns = columnsOf(visible.flat(), dashboard, canvas);
  return sections.flatMap(({ title }, i) => {
    const rows = visible[i] ?? [];
    const [, ...lines] = table(rows, columns, {
      width: canvas.columns - MARK.chosen.length,
      paintTitle: (line) => line,
    });
    const marked = lines.map((line, row) => markOf(rows[row], dashboard, canvas.colours) + line);
    return ["", canvas.colours.bold(title), ...marked];
  });
}

function sectionsOf({ counts, glance, workers, queues }: Dashboard): Section[] {
  const byId = new Map(workers.map((worker) => [worker.id, worker]));
  const busy = new Set(glance.processing.map(({ worker_id }) => worker_id));
  const paused = new Set(queues.filter((queue) => queue.paused).map(({ name }) => name));
  const running = glance.processing.map((job): Row => ({ kind: "running", job, worker: byId.get(job.worker_id) }));
  const idle = workers.filter(({ id }) => !busy.has(id)).map((worker): Row => ({ kind: "idle", worker }));
  const next = glance.next.map((job): Row => {
    return { kind: "next", job, isPaused: paused.has(queueOf(job)) || paused.has(EVERY_QUEUE) };
  });
  const failures = glance.failures.map((job): Row => ({ kind: "failure", job }));
  const failed = counts.failed + counts.dead;
  return [
    { title: running.length === 0 ? "RUNNING  nothing" : `RUNNING  ${counts.processing}`, rows: [...running, ...idle] },
    { title: nextTitle(next.length, counts.pending), rows: next },
    { title: failed === 0 ? "LAST FAILURES  none" : `LAST FAILURES  of ${failed}`, rows: failures },
  ];
}

function nextTitle(shown: number, pending: number): string {
  if (shown > 0) return `NEXT  of ${pending} pending`;
  return pending === 0 ? "NEXT  nothing" : `NEXT  nothing: ${pending} pending wait for others`;
}

/** How many rows each may show: all that it needs where there is room, else as many as the others. */
function sharesOf(needs: readonly number[], room: number): number[] {
  const shares = needs.map(() => 0);
  for (let left = room; left > 0; ) {
    const before = left;
    for (const [i, need] of needs.entries()) {
      if (left === 0 || (shares[i] ?? 0) >= need) continue;
      shares[i] = (shares[i] ?? 0) + 1;
      left--;
    }
    if (left === before) break;
  }
  return shares;
}

/** So many rows from the first on, or of those before and with the chosen one the last. */
function windowOf(rows: readonly Row[], size: number, chosen: string | undefined): readonly Row[] {
  const at = rows.findIndex((row) => row.kind !== "idle" && row.job.id === chosen);
  const start = Math.max(0, at - size + 1);
  return rows.slice(start, start + size);
}

/** The first two are as wide as all of these rows need, the others in each section as its own do. */
function columnsOf(rows: readonly Row[], { now, chosen }: Dashboard, { columns, colours }: Canvas): Column<Row>[] {
  const id = (row: Row): string => (row.kind === "idle" ? "-" : row.job.id);
  const time = (row: Row): string => when(row, now);
  const widest = (text: (row: Row) => string): number =>
    Math.max(0, ...rows.map((row) => textWidth(escapeControls(text(row)))));
  const least = Math.floor(columns / 4);
  return [
    {
      title: "",
      text: id,
      width: Math.min(widest(id), least, MAX_ID_WIDTH),
      paint: (cell, row) => (isChosen(row, chosen) ? colours.bold(cell) : cell),
    },
    { title: "", text: time, width: widest(time) },
    {
      title: "",
      text: about,
      flex: { min: least, max: columns },
      paint: (cell, row) => paintAbout(row, cell, colours),
    },
    { title: "", text: (row) => (row.kind === "idle" ? "" : row.job.command), flex: { min: 14, max: columns } },
  ];
}

function when(row: Row, now: number): string {
  switch (row.kind) {
    case "running":
      return `for ${span(Math.max(0, now - row.job.processing_started_at))}`;
    case "idle":
      return "idle";
    case "next":
      return row.job.run_at <= now ? "due" : relative(row.job.run_at, now);
    case "failure":
      return relative(changedAt(row.job), now);
    default:
      return unreachable(row);
  }
}

/** What else there is to say, in a few words. */
function about(row: Row): string {
  switch (row.kind) {
    case "running": {
      const { attempts, worker_id } = row.job;
      const worker = row.worker === undefined ? `${worker_id} is gone` : workerText(row.worker);
      return attempts > 1 ? `${worker}, attempt ${attempts}` : worker;
    }
    case "idle":
      return workerText(row.worker);
    case "next": {
      const { queue, attempts } = row.job;
      const parts = [queue, row.isPaused && "paused", attempts > 0 && `attempt ${attempts + 1}`];
      return parts.filter(Boolean).join(", ");
    }
    case "failure":
      return isDeadLetter(row.job) ? row.job.error : (row.job.last_error ?? "");
    default:
      return unreachable(row);
  }
}

function workerText({ id, host, reachable, stopping }: Present): string {
  return `${id}${reachable ? "" : ` on ${host}`}${stopping ? ", leaving" : ""}`;
}

function paintAbout(row: Row, cell: string, colours: Colours): string {
  if (row.kind === "failure") return colours.red(cell);
  if (row.kind === "next") return row.isPaused ? colours.yellow(cell) : cell;
  if (row.kind === "idle") return colours.dim(cell);
  return row.worker === undefined ? colours.red(cell) : colours.cyan(cell);
}

function markOf(row: Row | undefined, { chosen }: Dashboard, colours: Colours): string {
  return row && isChosen(row, chosen) ? colours.bold(MARK.chosen) : MARK.other;
}

function isChosen(row: Row, chosen: string | undefined): boolean {
  return row.kind !== "idle" && row.job.id === chosen;
}
