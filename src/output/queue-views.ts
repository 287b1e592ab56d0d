/** Queues and what holds for them, for people. */
import { EVERY_QUEUE, type QueueStatus } from "../job/queue.ts";
import { rateParts, rateUnit } from "../job/rate.ts";
import type { Colours } from "./colours.ts";
import type { View } from "./output.ts";
import { type Column, table } from "./table.ts";

/** A table, on a terminal or in a pipe, in the order of the names. */
export function queueLines(
  { queues }: Extract<View, { view: "queues" }>,
  { width, colours }: { width: number; colours: Colours },
): Iterable<string> {
  const named = queues.filter(({ name }) => name !== EVERY_QUEUE).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const areAllPaused = named.length < queues.length;
  const all = areAllPaused ? [colours.yellow("Every queue is paused.")] : [];
  if (named.length === 0) return areAllPaused ? all : ["No jobs wait or run, and nothing holds for any queue."];
  const columns: Column<QueueStatus>[] = [
    { title: "QUEUE", text: ({ name }) => name, flex: { min: 8, max: 40 } },
    { title: "PENDING", text: ({ pending }) => String(pending), alignRight: true },
    { title: "PROCESSING", text: ({ processing }) => String(processing), alignRight: true },
    {
      title: "AT A TIME",
      text: ({ concurrency }) => (concurrency === undefined ? "any" : String(concurrency)),
      alignRight: true,
    },
    ...(named.some(({ rate }) => rate) ? [RATE] : []),
    {
      title: "STATE",
      text: ({ paused }) => (paused || areAllPaused ? "paused" : "open"),
      paint: (cell, { paused }) => (paused || areAllPaused ? colours.yellow(cell) : cell),
    },
  ];
  return [...table(named, columns, { width, paintTitle: colours.bold }), ...all];
}

const RATE: Column<QueueStatus> = { title: "RATE", text: ({ rate }) => rate ?? "any", alignRight: true };

export function ruleLine({
  name,
  rule: { concurrency, rate, paused },
}: Extract<View, { view: "queue-changed" }>): string {
  const subject = name === EVERY_QUEUE ? "Every queue" : `Queue ${name}`;
  const width = concurrency === undefined ? "any number of jobs at a time" : `${concurrency} at a time`;
  const held = [
    width,
    ...(rate === undefined ? [] : [`at most ${rateParts(rate).count} begun in any ${rateUnit(rate)}`]),
  ];
  return `⚙️ ${subject}: ${[paused ? "paused" : "open", ...(name === EVERY_QUEUE ? [] : held)].join(", ")}`;
}
