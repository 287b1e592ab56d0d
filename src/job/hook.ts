/**
 * Jobs that come by themselves when another has ended: the commands that the settings `on_complete` and `on_dead` name, and
 * the one that tells the server of `webhook_url`. A hook comes with the commit that ends its job, so it is there exactly
 * once if that end is. It is a job like any other but for this: the end of a job of its queue has no hooks.
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
  /** Whether a server is to be told. */
  readonly webhook: boolean;
  readonly maxRetries: number;
}

interface Circumstances {
  readonly now: number;
  readonly policy: HookPolicy;
  readonly isTaken: (id: string) => boolean;
}

/** Runs this very program (worker/webhook.ts): its worker says where that is, on the machine where it is run. */
export const WEBHOOK_COMMAND = 'eval "$QUEUECTL_PROGRAM __webhook"';
/** With this exit code it says that another attempt would be of no use. */
export const WILL_NOT_PASS = 64;

/** Of a command or an error so much is told: a variable has to be passed on with all others. */
const MOST_CHARACTERS = 10_000;
/** A longer id of a job is told in that of its hook by its checksum. */
const MAX_ID_BYTES = 200;

/** The hooks of those of these jobs that have just ended, in their order. (`fire_hooks` of the PostgreSQL schema does the same.) */
export function hooksOf(entries: Iterable<Entry>, { now, policy, isTaken }: Circumstances): PendingJob[] {
  return Array.from(entries).flatMap((entry) => {
    const name = hookNameOf(entry);
    if (!name || queueOf(entry) === HOOK_QUEUE) return [];
    const common = { queue: HOOK_QUEUE, env: factsOf(entry, now) };
    const id = (what: string): string => `${nameIn(entry.id)}.${what}.${now}`;
    const command = policy.commands[name];
    const hooks = [
      ...(command ? [{ ...common, id: id(name), command }] : []),
      ...(policy.webhook
        ? [{ ...common, id: id("webhook"), command: WEBHOOK_COMMAND, no_retry_on: [WILL_NOT_PASS] }]
        : []),
    ];
    return hooks.filter((hook) => !isTaken(hook.id)).map((hook) => enqueue(hook, policy.maxRetries, now));
  });
}

/** Whether it is the one that needs to know the server, and its secret. */
export function isWebhook(job: Pick<PendingJob, "command" | "queue">): boolean {
  return job.command === WEBHOOK_COMMAND && queueOf(job) === HOOK_QUEUE;
}

/** Whether a server can be told there. A password in it would be shown with it. */
export function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  if (!url || !text.isWellFormed() || text.length > 2048 || text.trim() !== text) return false;
  return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

function hookNameOf(entry: Entry): HookName | undefined {
  if (isDeadLetter(entry) || entry.state === "failed") return "on_dead";
  return entry.state === "completed" ? "on_complete" : undefined;
}

function nameIn(id: string): string {
  return Buffer.byteLength(id) <= MAX_ID_BYTES ? id : Bun.CryptoHasher.hash("md5", id, "hex");
}

/** What the hook finds in its environment. */
function factsOf(entry: Entry, endedAt: number): Record<string, string> {
  const error = isDeadLetter(entry) ? entry.error : entry.last_error;
  return {
    JOB_ID: entry.id,
    JOB_COMMAND: cut(entry.command),
    JOB_QUEUE: queueOf(entry),
    JOB_STATE: isDeadLetter(entry) ? "dead" : entry.state,
    JOB_ATTEMPTS: String(entry.attempts),
    JOB_ENDED_AT: String(endedAt),
    ...(error === undefined ? {} : { JOB_ERROR: cut(error) }),
  };
}

/** By characters, not UTF-16 units, so that none is cut in half. */
function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : Array.from(text).slice(0, MOST_CHARACTERS).join("");
}
