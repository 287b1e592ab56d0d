import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const importQueue: Command = {
  name: "import",
  summary: "Take in what queuectl export printed",
  details: {
    title: "What happens",
    lines: [
      "Everything is read and checked before anything is written. States, attempts",
      "and times stay as they are. A queue that holds jobs is left alone without",
      "--merge. With it, what is there stays: an imported job whose id is taken is",
      "left out, and so are a setting that has been set and an archived job that is",
      "there already. So an import that was interrupted is completed by --merge.",
    ],
  },
  arguments: [{ name: "file|-", required: true, offer: { paths: "files" } }],
  options: [
    { name: "merge", summary: "Into a queue that is not empty, too: add what is not there yet" },
    { name: "dry-run", summary: "Only check the stream, and whether it would be taken" },
  ],
  examples: [
    "queuectl import queue.jsonl",
    "queuectl import queue.jsonl --dry-run",
    "gunzip < queue.jsonl.gz | queuectl import -",
    "QUEUECTL_STORE=postgres://me@db/queue queuectl import queue.jsonl --merge",
  ],
  async run(context, { words: [path = "-"], options }) {
    const { importFrom } = await import("../import-queue.ts");
    await importFrom(context, {
      path,
      existing: options.has("merge") ? "skip" : "refuse",
      dryRun: options.has("dry-run"),
    });
    return EXIT.ok;
  },
};
