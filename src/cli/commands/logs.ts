import { QueueError } from "../../job/errors.ts";
import type { Entry } from "../../job/job.ts";
import { ANY_ID, type Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { followLog, logOfAttempt, readLog } from "../log-reader.ts";
import { wholeNumber } from "../option-values.ts";

export const logs: Command = {
  name: "logs",
  summary: "Print what a job's last attempt printed",
  arguments: [{ name: "id", required: true, offer: ANY_ID }],
  options: [
    { name: "attempt", value: "n", summary: "An earlier attempt" },
    { name: "raw", summary: "Pass control characters on to a terminal, too" },
    { name: "follow", short: "f", summary: "Go on until the attempt ends" },
  ],
  examples: ["queuectl logs p1", "queuectl logs p1 --attempt 1", "queuectl logs p1 -f"],
  async run({ store, output }, args) {
    const id = args.words[0] ?? "";
    const wanted = wholeNumber(args, "attempt", { min: 1, max: Number.MAX_SAFE_INTEGER });
    const raw = args.options.has("raw");
    const opened = await store();
    const entry = await opened.get(id);
    const logs = await opened.logs(id);
    // Put back by a requeue or a release, a job has no attempt to its name, but it may have a log.
    const attempt = wanted ?? (entry.attempts || logs.at(-1)?.attempt);
    if (attempt === undefined) {
      await output.stream({ id, attempt: null, path: null, chunks: nothing(), raw });
      output.note(`Job ${id} has not run yet.`);
      return EXIT.ok;
    }
    const log = logOfAttempt(logs, attempt, entry);
    if (log === undefined && attempt > entry.attempts) throw noSuchAttempt(id, attempt, entry.attempts);
    const follow = args.options.has("follow");
    const reading = { entry, attempt, tell: output.note.bind(output) };
    const chunks = follow ? followLog(opened, reading) : log ? readLog(log, reading) : nothing();
    const { path = null, elsewhere } = log ?? {};
    const bytes = await output.stream({ id, attempt, path, host: elsewhere?.host, chunks, raw });
    const isOutOfReach = elsewhere !== undefined && elsewhere.end === undefined && !follow;
    if (bytes === 0 && !isOutOfReach)
      output.note(`Attempt ${attempt} of job ${id} ${printedNothing(entry, attempt, follow)}.`);
    return EXIT.ok;
  },
};

function noSuchAttempt(id: string, attempt: number, made: number): QueueError {
  return new QueueError("E_USAGE", `Job ${id} has no attempt ${attempt}.`, {
    hint: made === 0 ? "It has not run yet." : `Its last attempt is ${made}.`,
  });
}

function printedNothing(entry: Entry, attempt: number, followed: boolean): string {
  const runs = !followed && "state" in entry && entry.state === "processing" && entry.attempts === attempt;
  return runs ? "has printed nothing yet" : "printed nothing";
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
