/**
 * Where a test build dies or freezes. `QUEUECTL_FAILPOINT=append:2:kill` sends this process SIGKILL just before its
 * second `append`; `stop` sends SIGSTOP, as a suspended laptop would; `short` has the system take half of what this step
 * writes; anything else is the code with which it refuses the step (`EIO`). A release build contains none of it: the constant
 * is replaced at build time and the minifier drops the rest.
 */
declare const BUILD_FAILPOINTS: boolean;

/** True only where the fault tests build it so. */
export const FAILPOINTS = typeof BUILD_FAILPOINTS !== "undefined" && BUILD_FAILPOINTS;

/** Every place where state meets the disk, in the order in which a first commit and then a checkpoint pass them. */
export const STORE_STEPS = [
  "read-snapshots",
  "locked",
  "create-dlq",
  "create-queue",
  "append",
  "appended",
  "sync-journal",
  "write-dlq",
  "sync-dlq",
  "write-queue",
  "sync-queue",
  "create-journal",
  "sync-directory",
  "append-checkpoint",
  "sync-checkpoint",
  "remove-other-temporaries",
  "rename-dlq",
  "rename-queue",
  "sync-renames",
  "remove-old-journals",
  "unlock",
] as const;

/** What is done, ahead of the commit, with completed jobs that leave the queue. */
export const ARCHIVE_STEPS = ["append-archive", "sync-archive"] as const;

/** Of a change of `config.json`, in their order. */
export const CONFIG_STEPS = [
  "config-read",
  "write-config",
  "sync-config",
  "remove-other-configs",
  "compare-config",
  "rename-config",
] as const;

/** What a worker does with an attempt: its own from claim to outcome, and another's that it takes back. */
export const WORKER_STEPS = [
  "claimed",
  "log-opened",
  "spawned",
  "exited",
  "rescue",
  "survivors-ended",
  "rescued",
] as const;

export type Step = (typeof STORE_STEPS | typeof ARCHIVE_STEPS | typeof CONFIG_STEPS | typeof WORKER_STEPS)[number];

/**
 * The machine on which a test build takes itself to be: another than that of every other name. It can neither look at the
 * processes there, nor find the jobs that run there.
 */
export function pretendedMachine(): string | undefined {
  return FAILPOINTS ? process.env.QUEUECTL_MACHINE || undefined : undefined;
}

const passed = new Map<Step, number>();

/** Marks that the next thing this process does is `step`. Throws only what the step itself might. */
export function reach(step: Step): void {
  if (FAILPOINTS) failAt(step);
}

/** As `reach`, for a step that writes: how much of it the system takes. */
export function reachWrite(step: Step, bytes: Uint8Array): Uint8Array {
  return FAILPOINTS && failAt(step) === "short" ? bytes.subarray(0, bytes.length >> 1) : bytes;
}

function failAt(step: Step): "short" | undefined {
  const [name, nth, how] = (process.env.QUEUECTL_FAILPOINT ?? "").split(":");
  if (name !== step) return undefined;
  const count = (passed.get(step) ?? 0) + 1;
  passed.set(step, count);
  if (count !== Number(nth)) return undefined;
  if (how === "short") return how;
  if (how !== "kill" && how !== "stop") throw Object.assign(new Error(`${how}: refused at ${step}`), { code: how });
  process.kill(process.pid, how === "stop" ? "SIGSTOP" : "SIGKILL");
  return undefined;
}
