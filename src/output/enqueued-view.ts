/** What became of a single job that was to be enqueued, in a line that people and pipelines read. */
import { escapeControls } from "./escape.ts";
import type { View } from "./output.ts";

export type EnqueuedView = Extract<View, { readonly view: "enqueued" | "skipped" }>;

export function isEnqueued(view: View): view is EnqueuedView {
  return view.view === "enqueued" || view.view === "skipped";
}

export function enqueuedLine(view: EnqueuedView, { isPiped }: { isPiped: boolean }): string {
  const id = view.view === "enqueued" ? view.job.id : view.id;
  if (view.idAlone && isPiped) return id;
  if (view.view === "enqueued") return `Job enqueued with ID: ${escapeControls(id)}`;
  return `Job ${escapeControls(id)} exists already: skipped.`;
}
