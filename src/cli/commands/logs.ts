import type { Entry } from "../../job/job.ts";
import type { LogStream } from "../../output/output.ts";
import type { Stream } from "../../store/attempt-log.ts";
import { ANY_ID, type Arguments, type Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { linePattern, matchingLines } from "../log-lines.ts";
import { logStream } from "../log-stream.ts";
import { mistake } from "../mistake.ts";
import { wholeNumber } from "../option-values.ts";

const MOST_LINES = 1_000_000_000;

export const logs: Command = {
  name: "logs",
  summary: "Print what a job's last attempt printed",
  arguments: [{ name: "id", required: true, offer: ANY_ID }],
  options: [
    { name: "attempt", value: "n", summary: "An earlier attempt" },
    { name: "follow", short: "f", summary: "Wait until it runs, and go on until it has ended, through retries, too" },
    { name: "tail", value: "n", summary: "Only the last lines of what is there" },
    { name: "grep", value: "pattern", summary: "Only lines that match this regular expression; exit 1 when none does" },
    { name: "stdout", summary: "Only what it wrote to stdout, where split_logs has them kept apart" },
    { name: "stderr", summary: "Only what it wrote to stderr" },
    { name: "raw", summary: "Pass control characters on to a terminal, too" },
  ],
  details: {
    title: "The two streams",
    lines: [
      "Both go to one log, in the order of writing. Of attempts that begin while the",
      "setting split_logs is true each has a log of its own: what went to stdout is",
      "printed on stdout, what went to stderr on stderr, and --tail counts in each.",
    ],
  },
  examples: [
    "queuectl logs p1",
    "queuectl logs p1 --attempt 1",
    "queuectl logs p1 -f",
    "queuectl logs p1 --tail 20",
    "queuectl logs p1 --grep 'error|warning' || echo none",
    "queuectl logs p1 --stderr",
  ],
  async run({ store, output }, args) {
    const { pattern, ...request } = readOptions(args);
    const opened = await store();
    const entry = await opened.get(args.words[0] ?? "");
    const log = logStream(opened, entry, {
      ...{ ...request, tell: output.note.bind(output), logs: await opened.logs(entry.id) },
      select: (chunks) => (pattern === undefined ? chunks : matchingLines(chunks, pattern)),
    });
    const bytes = await output.stream(log);
    if (pattern !== undefined) return bytes > 0 ? EXIT.ok : EXIT.failure;
    if (bytes === 0 && !log.isOutOfReach) output.note(printedNothing(log, entry, request));
    return EXIT.ok;
  },
};

function readOptions(args: Arguments) {
  const { options } = args;
  const grep = options.get("grep");
  return {
    wanted: wholeNumber(args, "attempt", { min: 1, max: Number.MAX_SAFE_INTEGER }),
    tail: wholeNumber(args, "tail", { min: 0, max: MOST_LINES }),
    pattern: grep === undefined ? undefined : linePattern(grep),
    only: streamOf(options),
    follow: options.has("follow"),
    raw: options.has("raw"),
  };
}

function streamOf(options: Arguments["options"]): Stream | undefined {
  const [stream, other] = (["stdout", "stderr"] as const).filter((name) => options.has(name));
  if (other !== undefined)
    throw mistake("Expected --stdout or --stderr, got both.", "Without either, both are printed.");
  return stream;
}

function printedNothing({ id, attempt, only }: LogStream, entry: Entry, { follow }: { follow: boolean }): string {
  if (attempt === null) return `Job ${id} has not run${follow ? "" : " yet"}.`;
  const isRunning = !follow && "state" in entry && entry.state === "processing" && entry.attempts === attempt;
  const where = only === undefined ? "" : ` to ${only}`;
  return `Attempt ${attempt} of job ${id} ${isRunning ? `has printed nothing${where} yet` : `printed nothing${where}`}.`;
}
