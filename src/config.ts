/** The value of every setting, and who wins: defaults < `config.json` < `QUEUECTL_*` < flags. */
import { didYouMean } from "./job/closest.ts";
import { QueueError, unreachable } from "./job/errors.ts";
import type { HookPolicy } from "./job/hook.ts";
import type { RetryPolicy } from "./job/lifecycle.ts";
import { shown } from "./job/shown.ts";
import { type NumberSetting, SETTINGS, type Setting, type TextSetting } from "./settings.ts";

export type ConfigKey = keyof typeof SETTINGS;
export type Config = { readonly [Key in ConfigKey]: Values[(typeof SETTINGS)[Key]["kind"]] };
export type ConfigValue = Config[ConfigKey];
/** Of each kind of setting. */
interface Values {
  readonly number: number;
  readonly text: string;
  readonly switch: boolean;
}

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

/** Throws `E_USAGE`; `origin` names the place. */
export function parseConfigValue<Key extends ConfigKey>(key: Key, value: unknown, origin: string = key): Config[Key] {
  const setting: Setting = SETTINGS[key];
  const parsed = parse(setting, value);
  if (parsed !== undefined) return parsed as Config[Key];
  const got = isSecret(key) ? "" : `, got ${shown(value)}`;
  throw new QueueError("E_USAGE", `${origin} must be ${domainOf(setting)}${got}.`);
}

function parse(setting: Setting, value: unknown): ConfigValue | undefined {
  switch (setting.kind) {
    case "number":
      return parseNumber(setting, value);
    case "text":
      return parseText(setting, value);
    case "switch":
      return parseSwitch(value);
    default:
      return unreachable(setting);
  }
}

/** A number, or the text of one: the original tool kept numbers as strings. */
function parseNumber({ min, max, whole }: NumberSetting, value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  const isOne = typeof number === "number" && number >= min && number <= max && (!whole || Number.isInteger(number));
  return isOne ? number : undefined;
}

function parseText({ accepts }: TextSetting, value: unknown): string | undefined {
  return typeof value === "string" && (value === "" || accepts(value)) ? value : undefined;
}

function parseSwitch(value: unknown): boolean | undefined {
  const word = typeof value === "string" ? value.trim() : value;
  if (word === true || word === "true") return true;
  return word === false || word === "false" ? false : undefined;
}

function domainOf(setting: Setting): string {
  if (setting.kind === "text") return setting.what;
  if (setting.kind === "switch") return "true or false";
  return `${setting.whole ? "a whole number" : "a number"} from ${setting.min} to ${setting.max}`;
}

export function isSecret(key: ConfigKey): boolean {
  const setting: Setting = SETTINGS[key];
  return setting.kind === "text" && setting.secret === true;
}

/** The value of a setting as anybody may see it. */
export function shownValue(key: ConfigKey, value: ConfigValue): ConfigValue {
  return isSecret(key) && value !== "" ? "(hidden)" : value;
}

/** Checks every setting that `read` finds. Throws as `parseConfigValue`. */
export function parseConfig(read: (key: ConfigKey) => unknown, check = parseConfigValue): Partial<Config> {
  const entries = CONFIG_KEYS.map((key) => [key, read(key)] as const).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, check(key, value)]));
}

/** The settings that `QUEUECTL_MAX_RETRIES` and its like override, validated. */
export function configFromEnvironment(env: Readonly<Record<string, string | undefined>>): Partial<Config> {
  return parseConfig(
    (key) => env[variableOf(key)] || undefined,
    (key, text) => parseConfigValue(key, text, variableOf(key)),
  );
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

/** What the hooks need of the settings; undefined where there is none. */
export function hookPolicy({ on_complete, on_dead, webhook_url, max_retries }: Config): HookPolicy | undefined {
  if (on_complete === "" && on_dead === "" && webhook_url === "") return undefined;
  return { commands: { on_complete, on_dead }, webhook: webhook_url !== "", maxRetries: max_retries };
}
