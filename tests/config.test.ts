import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  CONFIG_KEYS,
  type ConfigKey,
  type ConfigValue,
  configFromEnvironment,
  parseConfigKey,
  parseConfigValue,
  resolveConfig,
  retryPolicy,
} from "../src/config.ts";
import { QueueError } from "../src/job/errors.ts";
import { SETTINGS } from "../src/settings.ts";

const DEFAULTS = resolveConfig({}, {});

describe("a config key", () => {
  test.each(CONFIG_KEYS)("%s is known with underscores and with hyphens", (key) => {
    expect(parseConfigKey(key)).toBe(key);
    expect(parseConfigKey(key.replaceAll("_", "-"))).toBe(key);
  });

  const unknown: [text: string, hint: string][] = [
    ["max_retires", 'Did you mean "max_retries"?'],
    ["backof-base", 'Did you mean "backoff_base"?'],
    ["speed", `Known: ${CONFIG_KEYS.join(", ")}.`],
    ["", `Known: ${CONFIG_KEYS.join(", ")}.`],
    ["constructor", `Known: ${CONFIG_KEYS.join(", ")}.`],
    ["__proto__", `Known: ${CONFIG_KEYS.join(", ")}.`],
  ];
  test.each(unknown)("%j is refused by name, with a hint", (text, hint) => {
    const error = refusal(() => parseConfigKey(text));
    expect(error.code).toBe("E_KEY_NOT_FOUND");
    expect(error.message).toBe(`Unknown config key ${JSON.stringify(text)}.`);
    expect(error.hint).toBe(hint);
  });
});

describe("a config value", () => {
  const accepted: [ConfigKey, unknown, ConfigValue][] = [
    ["max_retries", 0, 0],
    ["max_retries", "5", 5],
    ["max_retries", " 5 ", 5],
    ["max_retries", "0012", 12],
    ["max_retries", 1_000_000, 1_000_000],
    ["backoff_base", 0, 0],
    ["backoff_base", 1, 1],
    ["backoff_base", "1.5", 1.5],
    ["backoff_jitter", "0.25", 0.25],
    ["worker_idle_delay", 10, 10],
    ["split_logs", true, true],
    ["split_logs", " true ", true],
    ["split_logs", "false", false],
    ["on_dead", "", ""],
    ["on_dead", " mail -s dead me ", " mail -s dead me "],
    ["on_dead", "5", "5"],
    ["webhook_url", "https://example.org:8080/a?b=c", "https://example.org:8080/a?b=c"],
    ["webhook_secret", " s \n", " s \n"],
    ["on_dead", "x".repeat(131_071), "x".repeat(131_071)],
  ];
  test.each(accepted)("for %s may be %j", (key, value, parsed) => {
    expect(parseConfigValue(key, value)).toBe(parsed);
  });

  const refused: [ConfigKey, unknown, string][] = [
    ["max_retries", "abc", 'max_retries must be a whole number from 0 to 1000000, got "abc".'],
    ["max_retries", -1, "max_retries must be a whole number from 0 to 1000000, got -1."],
    ["max_retries", 1.5, "max_retries must be a whole number from 0 to 1000000, got 1.5."],
    ["max_retries", 1_000_001, "max_retries must be a whole number from 0 to 1000000, got 1000001."],
    ["backoff_base", "abc", 'backoff_base must be a number from 0 to 1000, got "abc".'],
    ["backoff_base", "1e306", 'backoff_base must be a number from 0 to 1000, got "1e306".'],
    ["backoff_base", 1e306, "backoff_base must be a number from 0 to 1000, got 1e+306."],
    ["backoff_base", "", 'backoff_base must be a number from 0 to 1000, got "".'],
    ["backoff_base", " ", 'backoff_base must be a number from 0 to 1000, got " ".'],
    ["backoff_base", Number.NaN, "backoff_base must be a number from 0 to 1000, got null."],
    ["backoff_base", "NaN", 'backoff_base must be a number from 0 to 1000, got "NaN".'],
    ["backoff_base", "Infinity", 'backoff_base must be a number from 0 to 1000, got "Infinity".'],
    ["backoff_base", "0x10", 'backoff_base must be a number from 0 to 1000, got "0x10".'],
    ["backoff_base", null, "backoff_base must be a number from 0 to 1000, got null."],
    ["backoff_base", undefined, "backoff_base must be a number from 0 to 1000, got nothing."],
    ["backoff_base", true, "backoff_base must be a number from 0 to 1000, got true."],
    ["split_logs", "yes", 'split_logs must be true or false, got "yes".'],
    ["split_logs", 1, "split_logs must be true or false, got 1."],
    ["backoff_base", [2], "backoff_base must be a number from 0 to 1000, got [2]."],
    ["backoff_jitter", 1.01, "backoff_jitter must be a number from 0 to 1, got 1.01."],
    ["webhook_url", "example.org", 'webhook_url must be an http or https URL without a password, got "example.org".'],
    ["webhook_url", "file:///a", 'webhook_url must be an http or https URL without a password, got "file:///a".'],
    ["webhook_url", "http://a:b@c", 'webhook_url must be an http or https URL without a password, got "http://a:b@c".'],
    ["webhook_secret", "x".repeat(4097), "webhook_secret must be text of at most 4096 bytes."],
    ["on_dead", 5, "on_dead must be a line of shell of less than 128 KiB, got 5."],
    ["on_dead", null, "on_dead must be a line of shell of less than 128 KiB, got null."],
    ["on_dead", " ", 'on_dead must be a line of shell of less than 128 KiB, got " ".'],
    ["on_dead", "a\0", 'on_dead must be a line of shell of less than 128 KiB, got "a\\u0000".'],
    ["on_dead", "\ud800", 'on_dead must be a line of shell of less than 128 KiB, got "\\ud800".'],
    ["worker_idle_delay", 9, "worker_idle_delay must be a whole number from 10 to 3600000, got 9."],
  ];
  test.each(refused)("for %s may not be %j", (key, value, sentence) => {
    const error = refusal(() => parseConfigValue(key, value));
    expect(error.code).toBe("E_USAGE");
    expect(error.message).toBe(sentence);
  });

  test("is either refused, or text that was given, or true or false, or a number in its range", () => {
    const values = fc.oneof(fc.jsonValue(), fc.double(), fc.integer().map(String), fc.double().map(String));
    fc.assert(
      fc.property(fc.constantFrom(...CONFIG_KEYS), values, (key, value) => {
        const setting = SETTINGS[key];
        const parsed = attempt(() => parseConfigValue(key, value));
        if (parsed === undefined) return;
        if (setting.kind === "text") return expect(parsed).toBe(value as string);
        if (setting.kind === "switch") return expect(parsed).toBe(value === true);
        expect(parsed).toBe(Number(value));
        expect(parsed).toBeGreaterThanOrEqual(setting.min);
        expect(parsed).toBeLessThanOrEqual(setting.max);
        if (setting.whole) expect(Number.isInteger(parsed)).toBe(true);
      }),
    );
  });
});

describe("the settings in force", () => {
  test("are the documented defaults when nothing is set", () => {
    expect(DEFAULTS).toMatchObject({ max_retries: 3, backoff_base: 2, worker_idle_delay: 2000 });
    for (const key of CONFIG_KEYS) expect(parseConfigValue(key, DEFAULTS[key])).toBe(SETTINGS[key].default);
  });

  test("are what is stored over the defaults, and the environment over what is stored", () => {
    const environment = configFromEnvironment({ QUEUECTL_BACKOFF_BASE: "7", QUEUECTL_MAX_RETRIES: "0" });
    expect(environment).toEqual({ backoff_base: 7, max_retries: 0 });
    const config = resolveConfig({ max_retries: 5, worker_idle_delay: 100 }, environment);
    expect(config).toEqual({ ...DEFAULTS, worker_idle_delay: 100, backoff_base: 7, max_retries: 0 });
  });

  test("ignore an environment variable that is empty or not theirs", () => {
    expect(configFromEnvironment({ QUEUECTL_MAX_RETRIES: "", QUEUECTL_JOB_ID: "p1", MAX_RETRIES: "9" })).toEqual({});
  });

  test("refuse a bad environment variable by its own name", () => {
    const error = refusal(() => configFromEnvironment({ QUEUECTL_MAX_RETRIES: "many" }));
    expect(error.code).toBe("E_USAGE");
    expect(error.message).toBe('QUEUECTL_MAX_RETRIES must be a whole number from 0 to 1000000, got "many".');
  });

  test("give the lifecycle its backoff and the caller's randomness", () => {
    const random = () => 0.5;
    const config = resolveConfig({ backoff_base: 3, backoff_max: 60, backoff_jitter: 0.25 }, {});
    expect(retryPolicy(config, random)).toEqual({ backoff: { base: 3, maxSeconds: 60, jitter: 0.25 }, random });
  });
});

function refusal(act: () => unknown): QueueError {
  try {
    act();
  } catch (error) {
    if (error instanceof QueueError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof QueueError && error.code === "E_USAGE") return undefined;
    throw error;
  }
}
