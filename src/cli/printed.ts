/** What attempts of a job printed, for telling it together with how they ended. */
import type { AttemptPrinted } from "../output/output.ts";
import type { AttemptLog } from "../store/attempt-log.ts";
import type { Store } from "../store/store.ts";
import { readTail } from "../worker/last-line.ts";

/** As much as a database keeps of it. */
const MAX_BYTES = 64 * 1024;

/** The ends of what each attempt of the job printed, oldest first; of those that printed nothing there is none. */
export async function printedBy(store: Store, id: string): Promise<AttemptPrinted[]> {
  const attempts = Map.groupBy(await store.logs(id), ({ lease }) => lease);
  return Array.from(attempts.values(), (logs) => {
    const [{ attempt, stream }] = logs as [AttemptLog, ...AttemptLog[]];
    const text = textOf(logs.find((log) => log.stream !== "stderr"));
    return { attempt, text, ...(stream && { stderr: textOf(logs.find((log) => log.stream === "stderr")) }) };
  });
}

function textOf(log: AttemptLog | undefined): string {
  if (log === undefined) return "";
  const { path, elsewhere } = log;
  return elsewhere === undefined ? readTail(path, MAX_BYTES) : new TextDecoder().decode(elsewhere.end?.tail);
}
