import { count } from "../../output/worker-log.ts";
import { totalOf } from "../../store/transfer.ts";
import type { Command, Context } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { ExportFile } from "../export-file.ts";
import { StreamWriter } from "../export-stream.ts";

export const exportQueue: Command = {
  name: "export",
  summary: "Print the whole queue, for queuectl import",
  details: {
    title: "What is printed",
    lines: [
      "Settings, jobs, the DLQ and the archive, one JSON a line, as of one moment, with",
      "a checksum at the end. What jobs printed (logs) is not among it.",
      "A job that is running goes as it is: for a move, stop the workers first.",
    ],
  },
  arguments: [],
  options: [
    {
      name: "output",
      value: "file",
      offer: { paths: "files" },
      summary: "Into this file, once it is whole (default: standard output)",
    },
  ],
  examples: [
    "queuectl export --output queue.jsonl",
    "queuectl export | gzip > queue.jsonl.gz",
    "queuectl export | QUEUECTL_STORE=postgres://me@db/queue queuectl import -",
  ],
  async run(context, { options }) {
    const path = options.get("output");
    const writer = new StreamWriter();
    if (path === undefined) {
      await write(context, writer, (text) => context.output.data(text));
    } else {
      await writeFile(context, writer, path);
    }
    const { processing } = writer.totals;
    if (processing > 0) {
      context.output.warn(
        `${count(processing, "job was", "jobs were")} being processed. Moved, they run again; stop the workers first.`,
      );
    }
    return EXIT.ok;
  },
};

async function writeFile(context: Context, writer: StreamWriter, path: string): Promise<void> {
  const { output, store } = context;
  const of = totalOf(await (await store()).counts());
  using file = new ExportFile(path);
  try {
    await write(context, writer, (text) => {
      file.write(text);
      const { jobs, dead_letters, archived } = writer.totals.tally;
      const done = jobs + dead_letters + archived;
      output.progress({ done, of, text: `${done} of ${of}` });
      return true;
    });
    file.finish();
  } finally {
    output.progress(undefined);
  }
  const { sum, ...exported } = writer.totals.end();
  await output.result({ view: "exported", exported, path, sum });
}

/** Up to the end, or until `take` says that nobody reads any more. */
async function write({ store }: Context, writer: StreamWriter, take: (text: string) => boolean): Promise<void> {
  const opened = await store();
  let isRead = take(writer.header());
  if (!isRead) return;
  await opened.dump(async (items) => {
    isRead = take(writer.lines(items));
    return isRead;
  });
  if (isRead) take(writer.end());
}
