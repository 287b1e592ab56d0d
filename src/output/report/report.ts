/** What a file tells of a batch when it has ended, in a form that other programs know. */
import type { AttemptPrinted, BatchOutcome } from "../output.ts";

export interface Report extends BatchOutcome {
  /** Of the batch. */
  readonly name: string;
  /** In epoch ms. */
  readonly endedAt: number;
  /** By id, what the attempts printed of jobs that failed, or were completed after a retry. */
  readonly printed: ReadonlyMap<string, readonly AttemptPrinted[]>;
}

export const REPORT_FORMS = ["junit", "tap", "ndjson"] as const;
export type ReportForm = (typeof REPORT_FORMS)[number];

const RENDERERS: { readonly [Form in ReportForm]: () => Promise<(report: Report) => string> } = {
  junit: async () => (await import("./junit.ts")).junit,
  tap: async () => (await import("./tap.ts")).tap,
  ndjson: async () => (await import("./ndjson.ts")).ndjson,
};

/** The text of the file. */
export async function renderReport(form: ReportForm, report: Report): Promise<string> {
  return (await RENDERERS[form]())(report);
}
