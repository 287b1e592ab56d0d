/** A line of JSON for each job, in the order of their ends, and one for all. */
import { isOpen, type JobResult, wasFlaky } from "../../job/result.ts";
import { safeJson } from "../escape.ts";
import { outcomeDocument } from "../outcome-view.ts";
import type { Report } from "./report.ts";

export function ndjson(report: Report): string {
  const { jobs, ...summary } = outcomeDocument(report);
  const events = [
    ...jobs.toSorted(byEnd).map((result) => ({
      ...{ event: isOpen(result) ? "not_ended" : "ended", ...result, flaky: wasFlaky(result) },
      printed: report.printed.get(result.id) ?? [],
    })),
    { event: "summary", batch: report.name, ...summary },
  ];
  return events.map((event) => `${safeJson(event)}\n`).join("");
}

function byEnd(a: JobResult, b: JobResult): number {
  return (a.ended_at ?? Number.MAX_SAFE_INTEGER) - (b.ended_at ?? Number.MAX_SAFE_INTEGER);
}
