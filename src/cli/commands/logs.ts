import { QueueError } from "../../job/errors.ts";
import type { AttemptLog, Store } from "../../store/store.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { wholeNumber } from "../option-values.ts";

export const logs: Command = {
  name: "logs",
  summary: "Print what a job's last attempt printed",
  arguments: [{ name: "id", required: true }],
  options: [
    { name: "attempt", value: "n", summary: "An earlier attempt" },
    { name: "follow", short: "f", summary: "Go on until the attempt ends" },
  ],
  examples: ["queuectl logs p1", "queuectl logs p1 --attempt 1", "queuectl logs p1 -f"],
  async run({ store, output }, args) {
    const id = args.words[0] ?? "";
    const attempt = wholeNumber(args, "attempt", { min: 1, max: Number.MAX_SAFE_INTEGER });
    const opened = await store();
    const log = await findLog(opened, id, attempt);
    if (log === undefined) {
      output.note(`Job ${id} has not run yet.`);
      return EXIT.ok;
    }
    const { followLog, readLog } = await import("../log-reader.ts");
    const chunks = args.options.has("follow") ? followLog(opened, id, log) : readLog(log.path);
    const bytes = await output.stream({ id, ...log, chunks });
    if (bytes === 0) output.note(`Attempt ${log.attempt} of job ${id} printed nothing.`);
    return EXIT.ok;
  },
};

/** The log of this attempt, or of the last; undefined when no attempt was made yet. */
async function findLog(store: Store, id: string, attempt: number | undefined): Promise<AttemptLog | undefined> {
  await store.get(id);
  const logs = await store.logs(id);
  if (attempt === undefined) return logs.at(-1);
  const log = logs.findLast((candidate) => candidate.attempt === attempt);
  if (log !== undefined) return log;
  throw new QueueError("E_USAGE", `Job ${id} has no log of an attempt ${attempt}.`, {
    hint: logs.length === 0 ? "It has not run yet." : `Kept: ${logs.map((kept) => kept.attempt).join(", ")}.`,
  });
}
