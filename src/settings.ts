/** The table of settings: the range, the default and the meaning of each. */
import { isWebhookUrl } from "./job/hook.ts";
import { isCommand, MAX_RETRIES_LIMIT } from "./job/spec.ts";

export type Setting = NumberSetting | TextSetting | SwitchSetting;

export interface NumberSetting {
  readonly kind: "number";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly meaning: string;
}

/** Empty, it says nothing. */
export interface TextSetting {
  readonly kind: "text";
  readonly default: "";
  /** What it has to be otherwise. */
  readonly what: string;
  readonly accepts: (text: string) => boolean;
  /** Shown to nobody who has not asked for it. */
  readonly secret?: true;
  readonly meaning: string;
}

interface SwitchSetting {
  readonly kind: "switch";
  readonly default: boolean;
  readonly meaning: string;
}

const DAY_MS = 86_400_000;
const COMMAND = {
  kind: "text",
  default: "",
  what: "a line of shell of less than 128 KiB",
  accepts: isCommand,
} as const;

export const SETTINGS = {
  max_retries: {
    kind: "number",
    default: 3,
    min: 0,
    max: MAX_RETRIES_LIMIT,
    whole: true,
    meaning: "retries after the first attempt, before the DLQ",
  },
  backoff_base: {
    kind: "number",
    default: 2,
    min: 0,
    max: 1000,
    whole: false,
    meaning: "a retry waits backoff_base ^ attempts seconds",
  },
  backoff_max: {
    kind: "number",
    default: 86_400,
    min: 0,
    max: 31_536_000,
    whole: false,
    meaning: "the longest such wait, in seconds",
  },
  backoff_jitter: {
    kind: "number",
    default: 0,
    min: 0,
    max: 1,
    whole: false,
    meaning: "spread of the wait: 0.25 is ±25 %",
  },
  worker_idle_delay: {
    kind: "number",
    default: 2000,
    min: 10,
    max: 3_600_000,
    whole: true,
    meaning: "longest sleep of an idle worker that no change woke, in ms",
  },
  keep_completed: {
    kind: "number",
    default: 10_000,
    min: 0,
    max: 1_000_000_000,
    whole: true,
    meaning: "completed jobs that stay in the queue; older ones go to the archive",
  },
  keep_logs: {
    kind: "number",
    default: 30,
    min: 0,
    max: 36_500,
    whole: false,
    meaning: "days that the logs of an archived job are kept",
  },
  log_max: {
    kind: "number",
    default: 0,
    min: 0,
    max: 1_073_741_824,
    whole: true,
    meaning: "bytes that are kept of an attempt's log, half of its end; 0 is all",
  },
  split_logs: {
    kind: "switch",
    default: false,
    meaning: "true gives stdout and stderr of an attempt a log each; false one, in order",
  },
  kill_grace: {
    kind: "number",
    default: 5000,
    min: 0,
    max: DAY_MS,
    whole: true,
    meaning: "from TERM to KILL when a job is ended, in ms",
  },
  shutdown_grace: {
    kind: "number",
    default: DAY_MS,
    min: 0,
    max: 7 * DAY_MS,
    whole: true,
    meaning: "how long a stopping worker lets its jobs finish, in ms",
  },
  on_complete: { ...COMMAND, meaning: "a command that is enqueued whenever a job has completed" },
  on_dead: {
    ...COMMAND,
    meaning: "a command that is enqueued whenever a job went to the DLQ or has failed",
  },
  webhook_url: {
    kind: "text",
    default: "",
    what: "an http or https URL without a password",
    accepts: isWebhookUrl,
    meaning: "a server that is told whenever a job has completed, went to the DLQ or has failed",
  },
  webhook_secret: {
    kind: "text",
    default: "",
    what: "text of at most 4096 bytes",
    accepts: (text) => Buffer.byteLength(text) <= 4096 && !text.includes("\0") && text.isWellFormed(),
    secret: true,
    meaning: "the key by which that server knows that it is told by you",
  },
} as const satisfies Record<string, Setting>;
