/** Records as one JSON array, however many there are. */
import type { Job } from "../job/job.ts";
import { safeJson } from "./escape.ts";
import type { Listing } from "./output.ts";
import { picked } from "./record-columns.ts";
import { type Sink, writeAll } from "./sink.ts";

/** The documented form of `list` and `dlq-list`: an array, two-space indented, record by record. */
export function* jsonArray(records: readonly object[]): Generator<string> {
  yield* jsonRecords(records, "[\n");
  yield records.length === 0 ? "[]\n" : "\n]\n";
}

/** As `jsonArray`, of records that come batch by batch. */
export async function writeJsonArray(
  sink: Sink,
  batches: AsyncIterable<readonly Job[]>,
  listing: Listing,
): Promise<void> {
  let before = "[\n";
  for await (const batch of batches) {
    if (!writeAll(sink, jsonRecords(listed(batch, listing), before))) return;
    if (batch.length > 0) before = ",\n";
  }
  sink.write(before === "[\n" ? "[]\n" : "\n]\n");
}

/** What is shown of jobs: all of them, or the fields that were asked for. */
export function listed(jobs: readonly Job[], { columns }: Listing): readonly object[] {
  return columns === undefined ? jobs : jobs.map((job) => picked(job, columns));
}

function* jsonRecords(records: readonly object[], first: string): Generator<string> {
  let before = first;
  for (const record of records) {
    yield `${before}  ${safeJson(record, 2).replaceAll("\n", "\n  ")}`;
    before = ",\n";
  }
}
