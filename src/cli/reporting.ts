/**
 * What is told of a batch beside its summary: what fails as it fails, in the way of the CI system that this runs in, and
 * files about the whole.
 */
import { appendFileSync, closeSync, openSync, writeFileSync } from "node:fs";
import { didYouMean } from "../job/closest.ts";
import { QueueError } from "../job/errors.ts";
import { hasFailed, type JobResult, wasFlaky } from "../job/result.ts";
import { shown } from "../job/shown.ts";
import type { AttemptPrinted, BatchOutcome } from "../output/output.ts";
import { REPORT_FORMS, type Report, type ReportForm, renderReport } from "../output/report/report.ts";
import { type Teller, tellerFor } from "../output/telling/teller.ts";
import type { Store } from "../store/store.ts";
import type { Arguments, Context, OptionSpec } from "./command.ts";
import { mistake } from "./mistake.ts";
import { printedBy } from "./printed.ts";

export const REPORT_OPTION: OptionSpec = {
  name: "report",
  value: "form=path",
  many: true,
  summary: `Write a file about it: ${REPORT_FORMS.join(", ")}; may be repeated`,
};

interface ReportFile {
  readonly form: ReportForm;
  readonly path: string;
  readonly fd: number;
}

export class Reporting implements Disposable {
  readonly teller: Teller;
  readonly #context: Context;
  readonly #files: readonly ReportFile[];

  private constructor(context: Context, teller: Teller, files: readonly ReportFile[]) {
    this.#context = context;
    this.teller = teller;
    this.#files = files;
  }

  /** Opens the files: what cannot be written is told before anything is run. Throws `E_USAGE`. */
  static async begin(args: Arguments, context: Context): Promise<Reporting> {
    const wanted = (args.lists.get(REPORT_OPTION.name) ?? []).map(parseReport);
    const files = wanted.map(({ form, path }) => ({ form, path, fd: open(path) }));
    return new Reporting(context, await tellerFor(context), files);
  }

  /** Tells of jobs that have failed, with what they printed; in `brief`, only where that takes no room. */
  async failed(store: Store, results: readonly JobResult[], { brief } = { brief: false }): Promise<void> {
    for (const result of results) {
      const printed = brief && !this.teller.folds ? [] : await printedBy(store, result.id);
      this.#context.output.aside(this.teller.failure(result, printed));
    }
  }

  /** Tells of the whole, and writes the files. */
  async ended(store: Store, outcome: BatchOutcome, name: string): Promise<void> {
    const { output, now, env } = this.#context;
    const report: Report = { ...outcome, name, endedAt: now(), printed: await printedByNotable(store, outcome) };
    output.aside(this.teller.end(report));
    for (const { form, path, fd } of this.#files) write(fd, path, await renderReport(form, report));
    if (this.teller.page && env.GITHUB_STEP_SUMMARY) this.#append(env.GITHUB_STEP_SUMMARY, this.teller.page(report));
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#files) closeSync(fd);
  }

  #append(path: string, text: string): void {
    try {
      appendFileSync(path, text);
    } catch (error) {
      this.#context.output.warn(`The summary of the step was not written: ${(error as Error).message}.`);
    }
  }
}

function parseReport(text: string): Pick<ReportFile, "form" | "path"> {
  const [, word = text, path = ""] = /^([^=]*)=(.+)$/.exec(text) ?? [];
  const form = REPORT_FORMS.find((known) => known === word);
  if (form && path) return { form, path };
  const sentence = `Expected --report to be ${REPORT_FORMS.map((known) => `${known}=path`).join(", ")}, got ${shown(text)}.`;
  throw mistake(sentence, form ? undefined : didYouMean(word, REPORT_FORMS));
}

function open(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw mistake(`Cannot write ${path}: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

function write(fd: number, path: string, text: string): void {
  try {
    writeFileSync(fd, text);
  } catch (cause) {
    throw new QueueError("E_OUTPUT", `Could not write ${path}: ${(cause as Error).message}.`, { cause });
  }
}

/** Of jobs that failed, or were completed after a retry. */
async function printedByNotable(store: Store, { results }: BatchOutcome): Promise<Map<string, AttemptPrinted[]>> {
  const printed = new Map<string, AttemptPrinted[]>();
  for (const result of results) {
    if (hasFailed(result) || wasFlaky(result)) printed.set(result.id, await printedBy(store, result.id));
  }
  return printed;
}
