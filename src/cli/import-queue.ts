/**
 * Imports a queue: reads the stream to its end and checks it, reads it again into the store, and compares what the store
 * then holds with it.
 */
import { QueueError } from "../job/errors.ts";
import { count } from "../output/worker-log.ts";
import type { Item, Restored } from "../store/item.ts";
import type { Present } from "../store/present.ts";
import type { EnqueueOptions, Store } from "../store/store.ts";
import { refuseUnlessEmpty } from "../store/transfer.ts";
import type { Context } from "./command.ts";
import { type StreamEnd, type StreamTotals, StreamWriter } from "./export-stream.ts";
import { ImportSource } from "./import-source.ts";
import { StreamReader } from "./import-stream.ts";

interface ImportRequest extends Required<EnqueueOptions> {
  /** Of a file, or `-` for standard input. */
  readonly path: string;
  /** Nothing is imported. */
  readonly dryRun: boolean;
}

export async function importFrom({ store, output }: Context, request: ImportRequest): Promise<void> {
  const { path, existing, dryRun } = request;
  using source = await ImportSource.open(path);
  const pass = { source, existing, onRead: showProgress };
  let passes = 0;
  function showProgress(done: number, totals: StreamTotals): void {
    const { jobs, dead_letters, archived } = totals.tally;
    const what = `${passes === 0 ? "checked" : "imported"} ${jobs + dead_letters + archived}`;
    output.progress({ done: passes * source.bytes + done, of: (dryRun ? 1 : 2) * source.bytes, text: what });
  }
  try {
    const checked = await readThrough(pass);
    passes = 1;
    const opened = await store();
    if (dryRun) {
      if (existing === "refuse") refuseUnlessEmpty(opened, await opened.counts());
      output.progress(undefined);
      const { sum, ...tally } = checked.end;
      await output.result({ view: "import-checked", checked: tally, merge: existing === "skip", sum });
      return;
    }
    const workers = await opened.present();
    const imported = await opened.restore(() => itemsOf(pass), { existing });
    if (!isWhole(imported, checked.end))
      throw new Error(`of ${JSON.stringify(checked.end)}: ${JSON.stringify(imported)}`);
    output.progress(undefined);
    if (existing === "refuse") await compare(opened, checked.totals, { workers, note: output.note.bind(output) });
    await output.result({ view: "imported", imported, sum: checked.end.sum });
    const { processing } = checked.totals;
    if (processing > 0) {
      output.warn(
        `${count(processing, "job", "jobs")} of the export ${processing === 1 ? "was" : "were"} being processed. ` +
          "Here nobody is at it: the next worker counts that attempt as lost, and runs the job again.",
      );
    }
  } finally {
    output.progress(undefined);
  }
}

interface Pass extends Required<EnqueueOptions> {
  readonly source: ImportSource;
  readonly onRead: (bytes: number, totals: StreamTotals) => void;
}

async function readThrough(pass: Pass): Promise<{ end: StreamEnd; totals: StreamTotals }> {
  const items = itemsOf(pass);
  for (let step = await items.next(); ; step = await items.next()) if (step.done) return step.value;
}

/** Checked as it goes: what is wrong at the end only shows there. */
async function* itemsOf({
  source,
  existing,
  onRead,
}: Pass): AsyncGenerator<readonly Item[], { end: StreamEnd; totals: StreamTotals }> {
  const reader = new StreamReader({ unique: existing === "refuse" });
  let bytes = 0;
  for await (const piece of source.pieces()) {
    yield reader.read(piece);
    bytes += piece.length;
    onRead(bytes, reader.totals);
  }
  return { end: reader.end(), totals: reader.totals };
}

function isWhole({ added, skipped }: Restored, { sum: _, ...tally }: StreamEnd): boolean {
  const kinds = Object.keys(tally) as (keyof typeof tally)[];
  return kinds.every((kind) => added[kind] + skipped[kind] === tally[kind]);
}

/** What was imported into an empty store is all that it holds. Workers may have gone on from there. */
async function compare(
  store: Store,
  expected: StreamTotals,
  { workers, note }: { workers: readonly Present[]; note: (sentence: string) => void },
): Promise<void> {
  const writer = new StreamWriter();
  await store.dump(async (items) => {
    writer.lines(items);
    return true;
  });
  if (writer.totals.entriesSum === expected.entriesSum) return;
  if (workers.length === 0 && (await store.present()).length === 0) {
    throw new QueueError("E_STREAM", `What is in ${store.location} now is not what was imported.`, {
      hint: "Has anything else changed it meanwhile?",
    });
  }
  note("Workers are at work already: what is there now could not be compared with the export.");
}
