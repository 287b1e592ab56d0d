/** `stats`: a table, one command a line, and all of them in the last. */
import type { CommandFigures, RunStats } from "../job/run-stats.ts";
import type { Screen } from "./human-views.ts";
import { type Column, table } from "./table.ts";
import { elapsed } from "./time.ts";

export function statsLines({ all, commands }: RunStats, { width, colours }: Screen): Iterable<string> {
  if (all.jobs === 0) return ["No jobs."];
  const total: CommandFigures = { command: "in all", ...all };
  const columns: Column<CommandFigures>[] = [
    {
      title: "COMMAND",
      text: ({ command }) => command,
      flex: { min: 16, max: width },
      paint: (cell, row) => (row === total ? colours.bold(cell) : cell),
    },
    { title: "JOBS", text: ({ jobs }) => String(jobs), alignRight: true },
    { title: "RUNS", text: ({ runs }) => String(runs), alignRight: true },
    {
      title: "FAILED",
      text: ({ failures }) => String(failures),
      alignRight: true,
      paint: (cell, { failures }) => (failures > 0 ? colours.red(cell) : cell),
    },
    {
      title: "FLAKY",
      text: ({ flaky }) => String(flaky),
      alignRight: true,
      paint: (cell, { flaky }) => (flaky > 0 ? colours.yellow(cell) : cell),
    },
    { title: "P50", text: ({ p50_ms }) => durationText(p50_ms), alignRight: true },
    { title: "P95", text: ({ p95_ms }) => durationText(p95_ms), alignRight: true },
  ];
  return table([...commands, total], columns, { width, paintTitle: colours.bold });
}

function durationText(ms: number | null): string {
  return ms === null ? "-" : elapsed(ms);
}
