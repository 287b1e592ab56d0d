/** Every setting, its range and its default; and who wins: defaults < `config.json` < `QUEUECTL_*` < flags. */
import { didYouMean } from "./job/closest.ts";
import { QueueError } from "./job/errors.ts";
import type { RetryPolicy } from "./job/lifecycle.ts";
import { shown } from "./job/shown.ts";
import { MAX_RETRIES_LIMIT } from "./job/spec.ts";

interface Setting {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly meaning: string;
}

const DAY_MS = 86_400_000;

export const SETTINGS = {
  max_retries: {
    default: 3,
    min: 0,
    max: MAX_RETRIES_LIMIT,
    whole: true,
    meaning: "retries after the first attempt, before the DLQ",
  },
  backoff_base: {
    default: 2,
    min: 0,
    max: 1000,
    whole: false,
    meaning: "a retry waits backoff_base ^ attempts seconds",
  },
  backoff_max: {
    default: 86_400,
    min: 0,
    max: 31_536_000,
    whole: false,
    meaning: "the longest such wait, in seconds",
  },
  backoff_jitter: {
    default: 0,
    min: 0,
    max: 1,
    whole: false,
    meaning: "spread of the wait: 0.25 is ±25 %",
  },
  worker_idle_delay: {
    default: 2000,
    min: 10,
    max: 3_600_000,
    whole: true,
    meaning: "longest sleep of an idle worker that no change woke, in ms",
  },
  keep_completed: {
    default: 10_000,
    min: 0,
    max: 1_000_000_000,
    whole: true,
    meaning: "completed jobs that stay in the queue; older ones go to the archive",
  },
  keep_logs: {
    default: 30,
    min: 0,
    max: 36_500,
    whole: false,
    meaning: "days that the logs of an archived job are kept",
  },
  kill_grace: {
    default: 5000,
    min: 0,
    max: DAY_MS,
    whole: true,
    meaning: "from TERM to KILL when a job is ended, in ms",
  },
  shutdown_grace: {
    default: DAY_MS,
    min: 0,
    max: 7 * DAY_MS,
    whole: true,
    meaning: "how long a stopping worker lets its jobs finish, in ms",
  },
} as const satisfies Record<string, Setting>;

export type ConfigKey = keyof typeof SETTINGS;
export type Config = Readonly<Record<ConfigKey, number>>;
export const CONFIG_KEYS = Object.keys(SETTINGS) as ConfigKey[];
/** What holds where nobody said anything else. */
export const DEFAULTS = Object.fromEntries(CONFIG_KEYS.map((key) => [key, SETTINGS[key].default])) as Config;

/** Accepts `max_retries` and `max-retries`. Throws `E_KEY_NOT_FOUND` with a suggestion. */
export function parseConfigKey(text: string): ConfigKey {
  const key = text.replaceAll("-", "_");
  if (Object.hasOwn(SETTINGS, key)) return key as ConfigKey;
  throw new QueueError("E_KEY_NOT_FOUND", `Unknown config key ${shown(text)}.`, {
    hint: didYouMean(key, CONFIG_KEYS) ?? `Known: ${CONFIG_KEYS.join(", ")}.`,
  });
}

/** A number, or the text of one (the original tool kept numbers as strings). Throws `E_USAGE`; `origin` names the place. */
export function parseConfigValue(key: ConfigKey, value: unknown, origin: string = key): number {
  const { min, max, whole }: Setting = SETTINGS[key];
  const number = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof number !== "number" || !(number >= min && number <= max) || (whole && !Number.isInteger(number))) {
    const kind = whole ? "a whole number" : "a number";
    throw new QueueError("E_USAGE", `${origin} must be ${kind} from ${min} to ${max}, got ${shown(value)}.`);
  }
  return number;
}

/** The settings that `QUEUECTL_MAX_RETRIES` and its like override, validated. */
export function configFromEnvironment(env: Readonly<Record<string, string | undefined>>): Partial<Config> {
  const overrides: Partial<Record<ConfigKey, number>> = {};
  for (const key of CONFIG_KEYS) {
    const name = variableOf(key);
    const text = env[name];
    if (text !== undefined && text !== "") overrides[key] = parseConfigValue(key, text, name);
  }
  return overrides;
}

/** Lays what is stored, then the overrides, over the defaults. Both are valid already. */
export function resolveConfig(stored: Partial<Config>, overrides: Partial<Config>): Config {
  return { ...DEFAULTS, ...stored, ...overrides };
}

/** Where a value comes from: `where` is what says so, be it a file, a database or a variable. */
export type Origin =
  | { readonly origin: "default"; readonly where: null }
  | { readonly origin: "stored" | "environment"; readonly where: string };

/** What `resolveConfig` is made from, and the place of what is stored. */
export interface ConfigSources {
  readonly stored: Partial<Config>;
  readonly overrides: Partial<Config>;
  readonly where: string;
}

export function originsOf({ stored, overrides, where }: ConfigSources): Readonly<Record<ConfigKey, Origin>> {
  const origin = (key: ConfigKey): Origin => {
    if (overrides[key] !== undefined) return { origin: "environment", where: variableOf(key) };
    return stored[key] === undefined ? { origin: "default", where: null } : { origin: "stored", where };
  };
  return Object.fromEntries(CONFIG_KEYS.map((key) => [key, origin(key)])) as Record<ConfigKey, Origin>;
}

/** The environment variable that overrides a setting. */
export function variableOf(key: ConfigKey): string {
  return `QUEUECTL_${key.toUpperCase()}`;
}

/** What the lifecycle needs of the settings. */
export function retryPolicy(config: Config, random: () => number): RetryPolicy {
  return {
    backoff: { base: config.backoff_base, maxSeconds: config.backoff_max, jitter: config.backoff_jitter },
    random,
  };
}
