/** `worker-start` in the background, as one who measures it needs it. */

import type { Place } from "./place.ts";
import { openQueue } from "./queue.ts";

const LOOK_EVERY_MS = 5;
const PATIENCE_MS = 60_000;

export interface Workers extends AsyncDisposable {
  readonly supervisor: number;
  readonly workers: readonly number[];
}

/** Resolves once all of them are there. On disposal they are told to leave at once, and have left. */
export async function startWorkers(place: Place, directory: string, options: readonly string[]): Promise<Workers> {
  const command = [place.queuectl, "worker-start", ...options, "--data-dir", directory];
  const supervisor = place.adopt(
    Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" }),
    "SIGQUIT",
  );
  const count = Number(options[options.indexOf("--count") + 1]);
  const store = await openQueue(directory);
  for (const deadline = performance.now() + PATIENCE_MS; ; await Bun.sleep(LOOK_EVERY_MS)) {
    const workers = (await store.present()).filter(({ kind }) => kind === "worker").map(({ pid }) => pid);
    if (workers.length === count) {
      await store.close();
      return {
        supervisor: supervisor.pid,
        workers,
        async [Symbol.asyncDispose]() {
          supervisor.kill("SIGQUIT");
          await supervisor.exited;
        },
      };
    }
    if (supervisor.exitCode !== null || performance.now() > deadline) throw new Error("The workers did not start.");
  }
}
