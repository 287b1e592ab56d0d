/** Jobs that are given as lines of text, and what is wrong with one of them. */
import { QueueError } from "../job/errors.ts";
import { type JobSpec, parseJobSpec } from "../job/spec.ts";
import { JobInput } from "./job-input.ts";
import { LineReader } from "./line-reader.ts";

export interface NumberedSpec {
  readonly line: number;
  readonly spec: JobSpec;
}

/** All jobs of a file, or of standard input for `-`. Throws `E_USAGE` with the first line that is none. */
export async function readJobLines(path: string): Promise<NumberedSpec[]> {
  using input = new JobInput(path);
  const lines = new LineReader();
  const jobs: NumberedSpec[] = [];
  const take = (texts: Iterable<string>): void => {
    for (const text of texts) jobs.push({ line: lines.number, spec: parseJobSpec(text) });
  };
  try {
    for await (const bytes of input.pieces()) take(lines.read(bytes));
    take(lines.end());
  } catch (error) {
    throw error instanceof QueueError && lines.number > 0 ? atLine(lines.number, error) : error;
  }
  return jobs;
}

/** The same mistake, with where it stands. */
export function atLine(line: number, error: QueueError): QueueError {
  const { code, message, hint } = error;
  return new QueueError(code, `Line ${line}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
}
