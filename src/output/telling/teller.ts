/** Who tells people, while a batch goes on, what failed: in a way that the place where they read it can show well. */
import type { JobResult } from "../../job/result.ts";
import { failureLines } from "../outcome-view.ts";
import type { AttemptPrinted } from "../output.ts";
import type { Report } from "../report/report.ts";

export interface Teller {
  /** Whether what a job printed takes no room until somebody wants to see it. */
  readonly folds: boolean;
  /** The lines about a job that failed, and what it printed. */
  failure(result: JobResult, printed: readonly AttemptPrinted[]): string[];
  /** What is said in the end, beside the summary. */
  end(report: Report): string[];
  /** Text of jobs, made harmless where it stands in a line of our own. */
  harmless(text: string): string;
  /** For a page about the whole, in Markdown, where there is one. */
  page?(report: Report): string;
}

export interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

/** GitHub Actions, GitLab CI, or any other. */
export async function tellerFor({ env, now }: Place): Promise<Teller> {
  if (env.GITHUB_ACTIONS === "true") return (await import("./github.ts")).GITHUB;
  if (env.GITLAB_CI === "true") return (await import("./gitlab.ts")).gitlab(now);
  return PLAIN;
}

const PLAIN: Teller = {
  folds: false,
  failure: failureLines,
  end: () => [],
  harmless: (text) => text,
};
