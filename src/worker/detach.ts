/**
 * `worker-start --detach`: the same supervisor in a session of its own, with its log in a file, and this process waits
 * only until it and its workers are there. Nothing of this process or its terminal is kept open by it.
 */
import { closeSync, readFileSync } from "node:fs";
import { QueueError } from "../job/errors.ts";
import type { OpenLog } from "../store/attempt-log.ts";
import type { Present } from "../store/present.ts";
import type { Store } from "../store/store.ts";
import { pause } from "./pause.ts";
import { self } from "./self.ts";

export interface Detached {
  readonly supervisor: Present;
  /** How many workers were asked for. */
  readonly count: number;
  /** Those that were seen: with `--drain` others may have done all there was, and left. */
  readonly workers: Present[];
  /** The file that its log goes to. */
  readonly log: string;
}

const LOOK_EVERY_MS = 10;
/** Then what is there by now is told: the supervisor goes on trying to start the rest. */
const PATIENCE_MS = 30_000;
const LAST_LINES = 5;
/** A job that starts workers in the background means them to outlive it, so they are not marked as its processes. */
const OWN_JOB = ["QUEUECTL_JOB_ID", "QUEUECTL_ATTEMPT", "QUEUECTL_WORKER_ID", "QUEUECTL_LEASE"];

/** `args` are those of `worker-start`, with `--count`. Throws `E_STORE_IO` with the end of its log when it did not come up. */
export async function startDetached(store: Store, args: readonly string[]): Promise<Detached> {
  const file = await store.openSupervisorLog();
  const log = file.path;
  const child = spawn([...self, "worker-start", ...store.address.options, ...args], file);
  const count = Number(args[args.indexOf("--count") + 1]);
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let seen: Detached | undefined;
  for (;;) {
    // Asked before the look: what left by the time of the look was there before.
    const hasLeft = child.exitCode !== null || child.signalCode !== null;
    const present = await store.present();
    const supervisor = present.find((one) => one.kind === "supervisor" && one.pid === child.pid && one.reachable);
    if (supervisor !== undefined) {
      const workers = present.filter((one) => one.supervisor === supervisor.id);
      if (seen === undefined || workers.length >= seen.workers.length) seen = { supervisor, count, workers, log };
    }
    if (seen !== undefined && (hasLeft || patience.aborted || seen.workers.length >= count)) return seen;
    if (hasLeft) throw didNotStart(child, log);
    await pause(LOOK_EVERY_MS);
  }
}

function spawn(command: string[], { fd }: OpenLog): Bun.Subprocess {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_JOB.includes(name)));
  try {
    const child = Bun.spawn(command, { detached: true, stdin: "ignore", stdout: fd, stderr: fd, env });
    child.unref();
    return child;
  } finally {
    closeSync(fd);
  }
}

function didNotStart({ exitCode, signalCode }: Bun.Subprocess, log: string): QueueError {
  const how = signalCode === null ? `exit ${exitCode}` : `killed by ${signalCode}`;
  const said = readFileSync(log, "utf8").trimEnd().split("\n").slice(-LAST_LINES);
  return new QueueError("E_STORE_IO", `The workers did not start (${how}):`, { quoted: said, hint: `Its log: ${log}` });
}
