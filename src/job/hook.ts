/**
 * Jobs that come by themselves when another has ended: the commands that the settings `on_complete` and `on_dead` name. A
 * hook comes with the commit that ends its job, so it is there exactly once if that end is. It is a job like any other but
 * for this: the end of a job of its queue has no hooks.
 */
import { type Entry, isDeadLetter, type PendingJob } from "./job.ts";
import { enqueue } from "./lifecycle.ts";
import { queueOf } from "./queue.ts";

/** Where hooks wait. */
const HOOK_QUEUE = "hooks";

type HookName = "on_complete" | "on_dead";

export interface HookPolicy {
  /** An empty one is none. */
  readonly commands: Readonly<Record<HookName, string>>;
  readonly maxRetries: number;
}

interface Circumstances {
  readonly now: number;
  readonly policy: HookPolicy;
  readonly isTaken: (id: string) => boolean;
}

/** Of a command or an error so much is told: a variable has to be passed on with all others. */
const MOST_CHARACTERS = 10_000;
/** A longer id of a job is told in that of its hook by its checksum. */
const MAX_ID_BYTES = 200;

/** The hooks of those of these jobs that have just ended, in their order. (`fire_hooks` of the PostgreSQL schema does the same.) */
export function hooksOf(entries: Iterable<Entry>, { now, policy, isTaken }: Circumstances): PendingJob[] {
  return Array.from(entries).flatMap((entry) => {
    const name = hookNameOf(entry);
    const command = name && policy.commands[name];
    if (!command || queueOf(entry) === HOOK_QUEUE) return [];
    const id = `${nameIn(entry.id)}.${name}.${now}`;
    const hook = { id, command, queue: HOOK_QUEUE, env: factsOf(entry) };
    return isTaken(id) ? [] : [enqueue(hook, policy.maxRetries, now)];
  });
}

function hookNameOf(entry: Entry): HookName | undefined {
  if (isDeadLetter(entry) || entry.state === "failed") return "on_dead";
  return entry.state === "completed" ? "on_complete" : undefined;
}

function nameIn(id: string): string {
  return Buffer.byteLength(id) <= MAX_ID_BYTES ? id : Bun.CryptoHasher.hash("md5", id, "hex");
}

/** What the hook finds in its environment. */
function factsOf(entry: Entry): Record<string, string> {
  const error = isDeadLetter(entry) ? entry.error : entry.last_error;
  return {
    JOB_ID: entry.id,
    JOB_COMMAND: cut(entry.command),
    JOB_QUEUE: queueOf(entry),
    JOB_STATE: isDeadLetter(entry) ? "dead" : entry.state,
    JOB_ATTEMPTS: String(entry.attempts),
    ...(error === undefined ? {} : { JOB_ERROR: cut(error) }),
  };
}

/** By characters, not UTF-16 units, so that none is cut in half. */
function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : Array.from(text).slice(0, MOST_CHARACTERS).join("");
}
